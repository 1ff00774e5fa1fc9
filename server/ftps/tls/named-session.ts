/** Which session of this server a connection asks to resume. */
import type { ClientHello } from '../../tls/client-hello';
import type { TlsSessions } from './sessions';

/** A session that a connection asks to resume: whose it is, and what OpenSSL needs for it. */
export interface NamedSession<Owner> {
  readonly owner: Owner;
  readonly id: Buffer;
  readonly data: Buffer;
}

/** The first session named in the hello that this server has issued. */
export function namedSession<Owner extends object>(hello: ClientHello, sessions: TlsSessions<Owner>): NamedSession<Owner> | undefined {
  for (const id of [...hello.identities, hello.sessionId]) {
    const found = sessions.find(id);
    if (found) return { owner: found.owner, id: Buffer.from(id), data: found.data };
  }
  return undefined;
}
