/** Content-Transfer-Encoding (RFC 2045 section 6), undone and done while it streams. */
import { MessageFailure } from '../failure';
import type { Headers } from '../types';
import { header } from './header';

/** Bytes as the part meant them. */
export function decoded(headers: Headers, body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const encoding = (header(headers, 'content-transfer-encoding') ?? 'binary')
    .replace(/[;(].*$/, '')
    .trim()
    .toLowerCase();
  if (encoding === 'base64') return fromBase64(body);
  if (encoding === 'quoted-printable') return fromQuotedPrintable(body);
  if (encoding === '7bit' || encoding === '8bit' || encoding === 'binary' || encoding === '') return body;
  throw new MessageFailure('unsupported format', `the transfer encoding ${encoding.slice(0, 40)} is not known`);
}

/** What is not of the alphabet is passed over, as RFC 2045 section 6.8 says; padding ends it. */
async function* fromBase64(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let left = '';
  let isOver = false;
  for await (const chunk of body) {
    if (isOver) continue;
    let text = left + chunk.toString('latin1').replace(/[^A-Za-z0-9+/=]+/g, '');
    const padding = text.indexOf('=');
    if (padding >= 0) {
      isOver = true;
      text = text.slice(0, padding);
    }
    const whole = isOver ? text.length : text.length - (text.length % 4);
    left = text.slice(whole);
    if (whole > 0) yield Buffer.from(text.slice(0, whole), 'base64');
  }
  if (!isOver && left) yield Buffer.from(left, 'base64');
}

async function* fromQuotedPrintable(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let left = '';
  for await (const chunk of body) {
    const text = left + chunk.toString('latin1');
    // An equals sign whose two characters have not come yet.
    const equals = text.indexOf('=', Math.max(0, text.length - 2));
    const whole = equals < 0 ? text.length : equals;
    left = text.slice(whole);
    if (whole > 0) yield plain(text.slice(0, whole));
  }
  if (left) yield plain(left);
}

function plain(text: string): Buffer {
  return Buffer.from(
    text.replace(/=(\r?\n|[0-9A-Fa-f]{2})/g, (_, what: string) => (what.length === 2 && what !== '\r\n' ? String.fromCharCode(Number.parseInt(what, 16)) : '')),
    'latin1',
  );
}

/** Bytes of a line of base64, 76 characters long. */
const LINE = 57;
/** Characters of a whole line with its end. */
const WRITTEN_LINE = 78;

/** Base64 in lines of 76 characters, each ended by CR LF. */
export async function* toBase64(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let left: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    const all = left.length > 0 ? Buffer.concat([left, chunk]) : chunk;
    const whole = all.length - (all.length % LINE);
    left = all.subarray(whole);
    if (whole > 0) yield lines(all.subarray(0, whole));
  }
  if (left.length > 0) yield lines(left);
}

/** How long base64 of so many bytes is, in lines. */
export function base64Size(bytes: number): number {
  const rest = bytes % LINE;
  return Math.floor(bytes / LINE) * WRITTEN_LINE + (rest > 0 ? 4 * Math.ceil(rest / 3) + 2 : 0);
}

/** A small one as a whole. */
export function lines(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n'), 'latin1');
}
