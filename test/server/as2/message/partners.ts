/** Two partners with keys, and messages between them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  type Bounds,
  type KeyPair,
  type Opened,
  type OpenKeys,
  type Outgoing,
  openMessage,
  type Sealed,
  type SealOptions,
  sealMessage,
} from '../../../../server/as2/message';
import { TestAuthority } from '../../support/authority';

export async function pair(rsa: boolean, options: { from?: number; until?: number } = {}): Promise<KeyPair> {
  const authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue({ rsa, commonName: 'partner', ...options });
  return { certificate: new X509Certificate(certificate), key: createPrivateKey(key) };
}

const MESSAGE_ID = '<1@sender.example>';

export function payload(content: Buffer | string, more: Partial<Outgoing> = {}): Outgoing {
  const bytes = Buffer.from(content);
  return { name: 'invoice.edi', contentType: 'application/edi-x12', size: bytes.length, body: of(bytes), ...more };
}

export async function* of(...chunks: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  yield* chunks;
}

/** The same bytes in pieces of such lengths, over and over. */
export async function* cut(bytes: Buffer, ...lengths: readonly number[]): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

export async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

export interface Written {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** A message as it goes over the wire: headers in lower case, and all of its body. */
export async function wire(sealed: Pick<Sealed, 'headers' | 'body'>): Promise<Written> {
  return { headers: Object.fromEntries(Object.entries(sealed.headers).map(([name, value]) => [name.toLowerCase(), value])), body: await collect(sealed.body) };
}

export async function seal(payloads: readonly Outgoing[], options: Omit<SealOptions, 'messageId'>) {
  const sealed = sealMessage(payloads, { messageId: MESSAGE_ID, ...options });
  const written = await wire(sealed);
  return { ...written, mics: await sealed.mics };
}

export interface Read extends Opened {
  readonly files: readonly { readonly name: string | undefined; readonly contentType: string; readonly content: Buffer }[];
}

export async function open(
  message: { headers: Record<string, string>; body: Buffer | AsyncIterable<Buffer> },
  keys: OpenKeys,
  bounds: Partial<Bounds> = {},
): Promise<Read> {
  const files: { name: string | undefined; contentType: string; content: Buffer }[] = [];
  const body = Buffer.isBuffer(message.body) ? of(message.body) : message.body;
  const opened = await openMessage(message.headers, body, keys, bounds, async ({ name, contentType, body }) => {
    files.push({ name, contentType, content: await collect(body) });
  });
  return { ...opened, files };
}

/** What a message is refused with. */
export async function refusal(opening: Promise<unknown>): Promise<string> {
  return opening.then(
    () => 'taken',
    (error: { disposition?: string }) => error.disposition ?? String(error),
  );
}
