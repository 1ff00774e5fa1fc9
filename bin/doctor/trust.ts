/** Whom the doctor trusts, and under which name it expects the server. */
import type { ConnectionOptions } from 'node:tls';

export interface Trust {
  /** Host name that the certificate must cover. */
  readonly name: string;
  readonly options: ConnectionOptions;
}

export function trusting(name: string, ca?: string): Trust {
  return { name, options: { ...(ca ? { ca } : {}), ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }), checkServerIdentity: () => undefined } };
}
