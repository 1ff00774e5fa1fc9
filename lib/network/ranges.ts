/** Networks in CIDR form as the addresses that they are. */

export interface Range {
  readonly cidr: string;
  readonly low: bigint;
  /** One more than the last address. */
  readonly high: bigint;
}

/** None where it can't be read: values that only a deployment knows, and what Amazon EC2's own check refuses. */
export function rangeOf(cidr: string, bits: number): Range[] {
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
