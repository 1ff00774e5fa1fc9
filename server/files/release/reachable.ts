/**
 * Where webhooks may go. Whoever writes the settings means an endpoint, but who answers for its name is somebody else: a name that leads to the metadata of
 * the instance or into the network behind it is not followed (OWASP, "Server-Side Request Forgery Prevention Cheat Sheet").
 */
import { lookup as lookUp } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Networks } from '../../config';

/** IANA, "IPv4 Special-Purpose Address Registry" and "IPv6 Special-Purpose Address Registry": what is not reachable from everywhere, or stands for another address. An IPv4 address in an IPv6 one (`::ffff:0:0/96`) is held against those of IPv4. */
const SPECIAL = new Networks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]);
const LOOPBACK = new Networks(['127.0.0.0/8', '::1/128']);

export interface Reach {
  /** Private networks that were named. */
  readonly networks: readonly string[];
  /** Whether programs of this machine are meant. */
  readonly loopback: boolean;
}

/** Whether an address may be connected to; in plain text only one of this machine. */
export function mayReach(address: string, { networks, loopback }: Reach, isPlain: boolean): boolean {
  if (loopback && LOOPBACK.contains(address)) return true;
  return !isPlain && (!SPECIAL.contains(address) || new Networks(networks).contains(address));
}

/** Looks a name up, and answers with those of its addresses that may be connected to: the address that was looked at is the one that is used. */
export function guardedLookup(reach: Reach, isPlain: boolean): LookupFunction {
  return (name, options, answer) => {
    lookUp(name, { ...options, all: true }, (error, found) => {
      if (error) return answer(error, '');
      const good = found.filter(({ address }) => mayReach(address, reach, isPlain));
      const [first] = good;
      if (!first) return answer(notReached(), '');
      return options.all ? answer(null, good) : answer(null, first.address, first.family);
    });
  };
}

/** Throws where a host is an address, which nobody looks up, and one that may not be connected to. */
export function checkHost(hostname: string, reach: Reach, isPlain: boolean): void {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0 && !mayReach(address, reach, isPlain)) throw notReached();
}

function notReached(): Error {
  return new Error('its address is private; name the network in `networks` if that is meant');
}
