/** Who is everybody: networks of clients that are, together, the internet. */
import { type Range, rangeOf } from './ranges';

const IPV4 = { bits: 32, whole: 1n << 32n };
/** All addresses that are given out (RFC 4291, 2.4): 2000::/3. */
const IPV6 = { bits: 128, whole: 1n << 125n };

/** Throws an Error where networks that are half of the addresses of the internet or more, alone or together, were not meant to be. */
export function refusePublicAccess(clientCidrs: readonly string[], allowPublicAccess = false): void {
  if (allowPublicAccess) return;
  for (const [family, { bits, whole }] of [
    [clientCidrs.filter((cidr) => !cidr.includes(':')), IPV4],
    [clientCidrs.filter((cidr) => cidr.includes(':')), IPV6],
  ] as const) {
    const ranges = family.flatMap((cidr) => rangeOf(cidr, bits));
    if (addressesIn(ranges) * 2n < whole) continue;
    const alone = ranges.find(({ low, high }) => high - low === whole || high - low === 1n << BigInt(bits));
    const words = alone ? `${alone.cidr} is` : `${ranges.map(({ cidr }) => cidr).join(', ')} together make half of`;
    throw new Error(`clientCidrs: ${words} the whole internet${alone ? '' : ' or more'}; name the networks of your partners, or say allowPublicAccess: true`);
  }
}

/** How many addresses are in any of them. */
function addressesIn(ranges: readonly Range[]): bigint {
  let sum = 0n;
  let end = 0n;
  for (const { low, high } of [...ranges].sort((a, b) => (a.low < b.low ? -1 : 1))) {
    const from = low > end ? low : end;
    if (high > from) sum += high - from;
    if (high > end) end = high;
  }
  return sum;
}
