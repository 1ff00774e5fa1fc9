/** Headers of MIME (RFC 2045, 5322): reading them, and those with parameters (RFC 2045, 2231, 2047). Each walks its text once. */
import { MessageFailure } from '../failure';
import type { Headers } from '../types';

/** A header that has parameters: `multipart/signed; boundary="b"`. */
export interface Parameterized {
  /** Before the first semicolon, in lower case. */
  readonly value: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The first value of a header, or undefined. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Headers out of the block before the empty line. */
export function readHeaders(block: Buffer): Headers {
  const found: Record<string, string | string[]> = Object.create(null);
  let name = '';
  let value: string[] = [];
  const keep = () => {
    if (!name) return;
    const text = value.join(' ').trim();
    const before = found[name];
    if (before === undefined) found[name] = text;
    else if (typeof before === 'string') found[name] = [before, text];
    else before.push(text);
  };
  for (const ended of block.toString('utf8').split('\n')) {
    const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (!name) throw malformed('a part begins with a continued header');
      value.push(line.trim());
      continue;
    }
    if (line === '') continue;
    const colon = line.indexOf(':');
    const given = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (!isToken(given)) throw malformed('a part has a line among its headers that is none');
    keep();
    name = given.toLowerCase();
    value = [line.slice(colon + 1).trim()];
  }
  keep();
  return found;
}

/** A header with parameters, taken apart. What is malformed behind the value is passed over, as peers write much. */
export function readParameterized(text: string): Parameterized {
  const end = endOfUnquoted(text, 0);
  const value = text.slice(0, end).trim().toLowerCase();
  const plain = new Map<string, string>();
  /** Of RFC 2231: pieces of a value, numbered; whether each is percent-encoded. */
  const pieces = new Map<string, Map<number, { text: string; encoded: boolean }>>();
  let at = end + 1;
  // Looked for again only where it is passed: many semicolons may stand before it.
  let equals = -1;
  while (at < text.length) {
    if (equals < at) equals = text.indexOf('=', at);
    if (equals < 0) break;
    const semicolon = text.indexOf(';', at);
    if (semicolon >= 0 && semicolon < equals) {
      at = semicolon + 1;
      continue;
    }
    const name = text.slice(at, equals).trim().toLowerCase();
    const { value: found, next } = readValue(text, equals + 1);
    at = next;
    const [base = '', second, third] = name.split('*');
    if (second === undefined) {
      if (!plain.has(name)) plain.set(name, found);
    } else {
      const number = /^\d{1,4}$/.test(second) ? Number(second) : 0;
      const of = pieces.get(base) ?? new Map();
      of.set(number, { text: found, encoded: second === '' || third === '' });
      pieces.set(base, of);
    }
  }
  for (const [name, of] of pieces) plain.set(name, extended(of));
  return { value, parameters: plain };
}

/** Text with the encoded words of RFC 2047 in it. */
function decodeWords(text: string): string {
  if (!text.includes('=?')) return text;
  return text.replace(/=\?([\w-]{1,40})\?([bq])\?([^?\s]{0,2000})\?=/gi, (whole, charset: string, kind: string, data: string) => {
    const bytes =
      kind.toLowerCase() === 'b'
        ? Buffer.from(data, 'base64')
        : Buffer.from(
            data.replaceAll('_', ' ').replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
            'latin1',
          );
    return inCharset(bytes, charset) ?? whole;
  });
}

/** The name that a sender gave a file, as a plain name: no folders, no control characters. */
export function fileName(headers: Headers): string | undefined {
  const disposition = readParameterized(header(headers, 'content-disposition') ?? '');
  const given = disposition.parameters.get('filename') ?? readParameterized(header(headers, 'content-type') ?? '').parameters.get('name');
  if (given === undefined) return undefined;
  const last = decodeWords(given).split(/[\\/]/).at(-1) ?? '';
  const name = last.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '').trim();
  return name === '' || name === '.' || name === '..' ? undefined : name;
}

/** A parameter as it is written: a quoted string, or RFC 2231's form where it is not ASCII. */
export function writeParameter(name: string, value: string): string {
  if (!/[^\u0020-\u007e]/.test(value)) return `${name}="${value.replace(/[\\"]/g, '\\$&')}"`;
  return `${name}*=UTF-8''${encodeURIComponent(value).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}

function malformed(text: string): MessageFailure {
  return new MessageFailure('unexpected-processing-error', text);
}

function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~\w]+$/.test(text);
}

function endOfUnquoted(text: string, from: number): number {
  const semicolon = text.indexOf(';', from);
  return semicolon < 0 ? text.length : semicolon;
}

/** The value of a parameter, quoted or not, and where the next one begins. */
function readValue(text: string, from: number): { value: string; next: number } {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  if (text[at] !== '"') {
    const end = endOfUnquoted(text, at);
    return { value: text.slice(at, end).trim(), next: end + 1 };
  }
  const signs: string[] = [];
  for (at++; at < text.length && text[at] !== '"'; at++) {
    // Peers of Windows send paths whose backslashes are not doubled; only a quote or a backslash is escaped.
    if (text[at] === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\')) at++;
    signs.push(text[at]!);
  }
  return { value: signs.join(''), next: endOfUnquoted(text, at) + 1 };
}

function extended(pieces: ReadonlyMap<number, { text: string; encoded: boolean }>): string {
  const bytes: Buffer[] = [];
  let charset = 'utf-8';
  for (const [index, number] of [...pieces.keys()].sort((a, b) => a - b).entries()) {
    const piece = pieces.get(number)!;
    let { text } = piece;
    if (piece.encoded && index === 0) {
      const first = text.indexOf("'");
      const second = first < 0 ? -1 : text.indexOf("'", first + 1);
      if (second >= 0) {
        charset = text.slice(0, first) || charset;
        text = text.slice(second + 1);
      }
    }
    bytes.push(
      piece.encoded
        ? Buffer.from(
            text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
            'latin1',
          )
        : Buffer.from(text, 'utf8'),
    );
  }
  const all = Buffer.concat(bytes);
  return inCharset(all, charset) ?? all.toString('latin1');
}

function inCharset(bytes: Buffer, charset: string): string | undefined {
  const name = charset.toLowerCase().replace(/\*.*$/, '');
  if (name === 'utf-8' || name === 'us-ascii') return bytes.toString('utf8');
  return /^(iso-8859-1|iso-8859-15|windows-1252|latin1)$/.test(name) ? bytes.toString('latin1') : undefined;
}
