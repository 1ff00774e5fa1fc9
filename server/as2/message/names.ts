/** The names of the two sides, AS2-From and AS2-To (RFC 4130 section 6.2): 1 to 128 printable ASCII characters, compared with case, quoted where they have spaces. */
import { MessageFailure } from './failure';
import { header } from './mime/header';
import type { Headers } from './types';

/** Who sends and who is meant. Throws a MessageFailure where a name is missing or malformed, or both are the same (`sender-equals-receiver`). */
export function as2Names(headers: Headers): { readonly from: string; readonly to: string } {
  const from = readName(header(headers, 'as2-from'), 'AS2-From');
  const to = readName(header(headers, 'as2-to'), 'AS2-To');
  if (from === to) throw new MessageFailure('sender-equals-receiver', `AS2-From and AS2-To are both ${from}`);
  return { from, to };
}

/** A name as a header has it. */
export function writeAs2Name(name: string): string {
  return /^[\w.\-+@:]+$/.test(name) ? name : `"${name.replace(/[\\"]/g, '\\$&')}"`;
}

function readName(given: string | undefined, field: string): string {
  if (given === undefined) throw new MessageFailure('unexpected-processing-error', `there is no ${field}`);
  const text = given.trim();
  const name = text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replace(/\\([\\"])/g, '$1') : text;
  if (!/^[\u0020-\u007e]{1,128}$/.test(name)) throw new MessageFailure('unexpected-processing-error', `${field} is no name of 1 to 128 printable characters`);
  return name;
}
