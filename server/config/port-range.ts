/** A range of TCP ports as people write it: `50000-50015`, or `any:16` for that many free ports. */
import { z } from 'zod';

export type PortRange = { readonly low: number; readonly high: number } | { readonly any: number };

const pattern = /^(?:(\d{1,5})-(\d{1,5})|any:(\d{1,4}))$/;

/** Reads a range. Throws an Error that says what is wrong and what would be right. */
export function parsePortRange(text: string): PortRange {
  const match = pattern.exec(text);
  if (!match) throw new Error(`"${text}" is not a port range; write it as low-high, for example 50000-50015`);
  if (match[3] !== undefined) {
    const any = Number(match[3]);
    if (any < 1) throw new Error(`"${text}" asks for no port; write any:1 or more`);
    return { any };
  }
  const low = Number(match[1]);
  const high = Number(match[2]);
  if (low < 1 || high > 65_535) throw new Error(`"${text}" leaves the ports 1 to 65535`);
  if (high < low) throw new Error(`"${text}" ends before it starts; write it as low-high, for example 50000-50015`);
  return { low, high };
}

/** How many ports the range has. */
export function portCount(range: PortRange): number {
  return 'any' in range ? range.any : range.high - range.low + 1;
}

/** The ports one by one; for `any:N`, N zeros, which the kernel replaces by free ports. */
export function portsOf(range: PortRange): number[] {
  return 'any' in range ? new Array<number>(range.any).fill(0) : Array.from({ length: range.high - range.low + 1 }, (_, i) => range.low + i);
}

/** Whether the port is one of the range. */
export function includesPort(range: PortRange, port: number): boolean {
  return 'low' in range && port >= range.low && port <= range.high;
}

/** zod: a string that `parsePortRange` takes. It stays a string, so that a configuration reads back as it was written. */
export const portRange = z.string().superRefine((text, context) => {
  try {
    parsePortRange(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

/** The ranges that other products made known, by name. */
export const PASSIVE_PRESETS = {
  /** What AWS Transfer Family's FTPS endpoints use, and what its partners have in their firewalls. */
  awsTransferFamily: '8192-8200',
} as const;
