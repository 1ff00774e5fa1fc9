/** What a certificate ties its use to (PROTOCOL.certkeys, "Critical options"). One that is not known here ties it to something that nobody would check. */
import { Networks } from '../../config';
import { WireReader } from '../wire';

/** What a certificate is good for. */
export interface Ties {
  /** Networks it may be used from; absent means any. */
  readonly networks?: Networks;
  /** Nothing but SFTP. */
  readonly onlySftp: boolean;
}

/** Undefined where the options ask for something that is not done here. */
export function tiesIn(options: ReadonlyMap<string, Buffer>): Ties | undefined {
  let networks: Networks | undefined;
  let onlySftp = false;
  try {
    for (const [name, data] of options) {
      const reader = new WireReader(data);
      const value = reader.text();
      if (reader.left > 0) return undefined;
      if (name === 'source-address') networks = new Networks(value.split(','));
      // The one command that there is here. With words behind it, it would be tied further.
      else if (name === 'force-command' && value === 'internal-sftp') onlySftp = true;
      else return undefined;
    }
  } catch {
    return undefined; // what can't be read ties it to something all the same
  }
  return { networks, onlySftp };
}
