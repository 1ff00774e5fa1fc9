/** Who is everybody: networks of clients that are, together, the internet. */

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

interface Range {
  readonly cidr: string;
  readonly low: bigint;
  /** One more than the last address. */
  readonly high: bigint;
}

/** None where it can't be read: values that only a deployment knows, and what Amazon EC2's own check refuses. */
function rangeOf(cidr: string, bits: number): Range[] {
  const [, address, length] = /^([0-9a-f.:]+)\/(\d+)$/i.exec(cidr) ?? [];
  if (address === undefined || Number(length) > bits) return [];
  const number = bits === 32 ? joined(address.split('.'), 8n, 10) : joined(groupsOf(address), 16n, 16);
  if (number === undefined) return [];
  const size = 1n << BigInt(bits - Number(length));
  const low = (number / size) * size;
  return [{ cidr, low, high: low + size }];
}

function groupsOf(address: string): string[] {
  const [left = [], right = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  return address.includes('::') ? [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right] : left;
}

function joined(parts: readonly string[], width: bigint, radix: number): bigint | undefined {
  const numbers = parts.map((part) => Number.parseInt(part, radix));
  if (numbers.some(Number.isNaN)) return undefined;
  return numbers.reduce((sum, part) => (sum << width) + BigInt(part), 0n);
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
