/**
 * The head of a request of HTTP/1.1 (RFC 9112), and nothing that two readers could understand differently: what is ambiguous is refused, and the
 * connection ends (request smuggling, RFC 9112 section 11.2).
 */

/** How the body's end is known. */
export type Framing = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };

export interface Head {
  readonly method: string;
  /** Of the URL, still encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly framing: Framing;
  /** Whether the client waits for a word before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  /** Whether the client wants the connection to go on. */
  readonly keepsAlive: boolean;
}

/** A request that is not taken. The connection ends with the answer. */
export class BadRequest extends Error {
  constructor(
    readonly status: number,
    /** In words for the client. */
    message: string,
  ) {
    super(message);
    this.name = 'BadRequest';
  }
}

/** The longest head that is read. Bytes. */
export const LONGEST_HEAD = 32 * 1024;
const MOST_HEADERS = 100;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const REQUEST_LINE = /^([A-Z]{1,20}) (\/[\x21-\x7e]*) HTTP\/(\d)\.(\d)$/;
/** Of these there can be one: which of two counts would be anybody's guess. */
const SINGLE = new Set([
  'authorization',
  'content-length',
  'content-range',
  'content-type',
  'expect',
  'host',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'origin',
  'range',
  'sec-fetch-site',
  'transfer-encoding',
  'upload-complete',
  'upload-length',
  'upload-offset',
]);

/** `bytes`: up to the empty line, without it. Throws a BadRequest. */
export function parseHead(bytes: Buffer): Head {
  const [first = '', ...lines] = bytes.toString('latin1').split('\r\n');
  const line = REQUEST_LINE.exec(first);
  if (!line) throw new BadRequest(400, 'The request line is not one of HTTP/1.1.');
  const [, method = '', target = '', major, minor] = line;
  if (major !== '1' || minor !== '1') throw new BadRequest(505, 'Only HTTP/1.1 is spoken here.');
  if (lines.length > MOST_HEADERS) throw new BadRequest(431, 'There are too many headers.');
  const headers = new Map<string, string>();
  for (const one of lines) addHeader(headers, one);
  if (!headers.has('host')) throw new BadRequest(400, 'The header Host is missing.');
  if (target.includes('#')) throw new BadRequest(400, 'A fragment is never sent to a server.');
  const [path = '', query = ''] = cutAtFirst(target, '?');
  const expects = headers.get('expect')?.toLowerCase();
  if (expects !== undefined && expects !== '100-continue') throw new BadRequest(417, 'Only 100-continue can be expected.');
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers,
    framing: framingOf(headers),
    expectsContinue: expects !== undefined,
    keepsAlive: !listOf(headers.get('connection')).includes('close'),
  };
}

/** The parts of a header that is a list, in lower case. */
function listOf(value = ''): string[] {
  return value.split(',').map((part) => part.trim().toLowerCase());
}

function addHeader(headers: Map<string, string>, line: string): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon)).toLowerCase();
  // A blank before the colon, a line that goes on with the one before, a line feed alone: all that others might read as something else.
  if (!TOKEN.test(name) || CONTROL.test(line)) throw new BadRequest(400, 'A header is malformed.');
  const value = line
    .slice(colon + 1)
    .replace(/^[ \t]+/, '')
    .trimEnd();
  const before = headers.get(name);
  if (before !== undefined && SINGLE.has(name)) throw new BadRequest(400, `The header ${name} is there twice.`);
  headers.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`);
}

function framingOf(headers: ReadonlyMap<string, string>): Framing {
  const length = headers.get('content-length');
  const encoding = headers.get('transfer-encoding');
  if (encoding !== undefined) {
    if (length !== undefined) throw new BadRequest(400, 'Content-Length and Transfer-Encoding exclude each other.');
    if (encoding.toLowerCase() !== 'chunked') throw new BadRequest(501, 'The only transfer encoding is chunked.');
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'length', bytes: 0 };
  if (!/^\d{1,15}$/.test(length)) throw new BadRequest(400, 'Content-Length is no number.');
  return { kind: 'length', bytes: Number(length) };
}

function cutAtFirst(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
