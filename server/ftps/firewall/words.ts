/**
 * What the server may say to the firewall's process, a line each: `admit ADDRESS PORT SECONDS`, `withdraw ADDRESS PORT`,
 * `health`. Each is answered in its turn by `ok`, or by `error` and a text.
 */
import { isIP } from 'node:net';

export interface Opening {
  readonly address: string;
  readonly port: number;
}

export type Words = ({ readonly word: 'admit'; readonly seconds: number } & Opening) | ({ readonly word: 'withdraw' } & Opening) | { readonly word: 'health' };

/** The longest line: an IPv6 address in full, a port, a number of seconds. */
export const LONGEST_LINE = 80;
/** The longest admission, in seconds: twice the longest wait that can be configured. */
const LONGEST_SECONDS = 2 * 86_400;

const pattern = /^(?:(health)|admit ([0-9a-f.:]{2,45}) ([1-9][0-9]{0,4}) ([1-9][0-9]{0,5})|withdraw ([0-9a-f.:]{2,45}) ([1-9][0-9]{0,4}))$/;

/** Reads a line. Undefined where it is anything but one of the three, letter by letter. */
export function readWords(line: string): Words | undefined {
  const match = pattern.exec(line);
  if (!match) return undefined;
  if (match[1]) return { word: 'health' };
  const address = match[2] ?? match[5] ?? '';
  const port = Number(match[3] ?? match[6]);
  if (isIP(address) === 0 || port > 65_535) return undefined;
  if (match[2] === undefined) return { word: 'withdraw', address, port };
  const seconds = Number(match[4]);
  return seconds <= LONGEST_SECONDS ? { word: 'admit', address, port, seconds } : undefined;
}

export function writeWords(words: Words): string {
  if (words.word === 'health') return 'health\n';
  // The zone of an address means something to its interface only; nftables matches the address.
  const opening = `${words.address.replace(/%.*$/, '').toLowerCase()} ${words.port}`;
  return words.word === 'admit' ? `admit ${opening} ${Math.ceil(words.seconds)}\n` : `withdraw ${opening}\n`;
}
