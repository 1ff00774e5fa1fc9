/** Client networks in CIDR form, and the question whether an address lies in one. */
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** zod: an IPv4 or IPv6 network such as `203.0.113.0/24`, or one address. */
export const network = z
  .string()
  .refine((text) => parse(text) !== undefined, { error: (issue) => `"${String(issue.input)}" is not a network; write it as 203.0.113.0/24 or 2001:db8::/32` });

function parse(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', prefixText] = text.split('/');
  const version = isIP(address);
  if (version === 0 || text.split('/').length > 2) return undefined;
  const longest = version === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = prefixText === undefined ? longest : Number(prefixText);
  if (prefix > longest) return undefined;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** An IPv4 address that arrived on an IPv6 socket (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) as plain IPv4. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** A set of networks that answers quickly; empty contains nothing. */
export class Networks {
  private readonly blocks = new BlockList();
  readonly isEmpty: boolean;

  constructor(networks: readonly string[]) {
    this.isEmpty = networks.length === 0;
    for (const text of networks) {
      const parsed = parse(text);
      if (!parsed) throw new Error(`"${text}" is not a network; write it as 203.0.113.0/24 or 2001:db8::/32`);
      this.blocks.addSubnet(parsed.address, parsed.prefix, parsed.family);
    }
  }

  contains(address: string): boolean {
    const plain = plainAddress(address);
    return this.blocks.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  }
}
