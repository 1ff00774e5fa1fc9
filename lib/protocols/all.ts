/** The protocols that there are: the only list of them in the kit. */
import type { FtpsServerSettings } from '../server-settings';
import { as2 } from './as2';
import { ftps } from './ftps';
import { https } from './https';
import type { Opening, Protocol, Served } from './protocol';
import { sftp } from './sftp';

/** FTPS first, which is always there. */
export const protocols: readonly Protocol[] = [ftps, sftp, https, as2];

/** What all of them open. */
export function openingsOf(served: Served): Opening[] {
  return protocols.flatMap((one) => one.openings(served));
}

/** Those beside FTPS that are on; one may have no port of its own. */
export function furtherProtocols(served: Served): Protocol[] {
  return protocols.filter(({ block }) => block && served[block.key] !== undefined);
}

/** One beside FTPS by its name. Throws an Error that says which there are. */
export function furtherProtocol(name: string): Protocol {
  const further = protocols.filter((one) => one !== ftps);
  const found = further.find((one) => one.name === name);
  if (!found) throw new Error(`protocol: "${name}" is none beside FTPS; there is ${further.map((one) => one.name).join(', ')}`);
  return found;
}

/** What would be opened by settings alone, before anything is made. */
export function openingsOfSettings(said: FtpsServerSettings): Opening[] {
  const served: Served = Object.assign({}, ...protocols.map((one) => one.settings(said, { advertisedAddress: 'auto' })));
  return openingsOf(served);
}
