/** Writes a message of AS2 as it goes, layer around layer. */
import { createHash } from 'node:crypto';
import { micName } from './algorithms';
import { deflating } from './cms/deflating';
import { encrypting } from './cms/encrypting';
import { Signing } from './cms/signing';
import { exactly, type Piece, sizeOf, written } from './cms/writer';
import { Digesting } from './mime/digesting';
import { writeParameter } from './mime/header';
import { asContent, headerBlock, joined, type Part, total } from './mime/part';
import { base64Size, lines, toBase64 } from './mime/transfer';
import { inTurns } from './turns';
import type { Digest, Mic, Outgoing, Sealed, SealOptions } from './types';

/**
 * Writes payloads as one message: compressed, signed and encrypted as the options say; several payloads are a multipart/related (RFC 6362). Nothing is read before the body is.
 * Throws where a key cannot do what is asked.
 */
export function sealMessage(payloads: readonly Outgoing[], options: SealOptions): Sealed {
  const digests = [...new Set([options.sign?.digest ?? options.micAlgorithm ?? 'sha256', ...(options.furtherMics ?? [])])];
  const digesting = new Digesting(digests, false);
  // The MIC is that of what is signed (RFC 5402 section 4.1), which is compressed here; as2-lib returns that of what it inflates.
  const inflated = options.sign && options.compress === 'before-signing' ? new Digesting(digests, false) : undefined;
  let part = payloadPart(payloads, options);
  const isPlain = !options.sign && !options.encrypt && !options.compress;
  if (isPlain) part = { ...part, body: digesting.through(part.body) };
  else if (!options.sign) part = digested(part, digesting);
  else if (inflated) part = digested(part, inflated);
  if (options.compress === 'before-signing') part = compressedPart(part, options);
  if (options.sign) part = signedPart(part, options.messageId, options.sign, digesting, options.layerEncoding);
  if (options.compress === 'after-signing') part = compressedPart(part, options);
  if (options.encrypt)
    part = cmsPart(
      encrypting(asContent(part), options.encrypt),
      options.encrypt.cipher.endsWith('gcm') ? 'authEnveloped-data' : 'enveloped-data',
      options.layerEncoding,
    );

  let succeed: (mics: readonly Mic[]) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const mics = new Promise<readonly Mic[]>((resolve, reject) => {
    succeed = resolve;
    fail = reject;
  });
  // Who asks for no MIC is told of failures by the body.
  mics.catch(() => {});
  const { body, size } = part;
  async function* noted() {
    try {
      yield* body;
      succeed([digesting, ...(inflated ? [inflated] : [])].flatMap((one) => micsOf(one, options.sign)));
    } catch (error) {
      fail(error);
      throw error;
    }
  }
  return {
    headers: { 'MIME-Version': '1.0', ...Object.fromEntries(part.headers), ...(size !== undefined && { 'Content-Length': String(size) }) },
    body: noted(),
    mics,
  };
}

/** A part with a signature beside it, or around it. What is signed passes through `digesting`, whose first digest is that of the signature. */
export function signedPart(
  part: Part,
  messageId: string,
  sign: NonNullable<SealOptions['sign']>,
  digesting: Digesting,
  layerEncoding: SealOptions['layerEncoding'],
): Part {
  const signing = new Signing(sign.by, sign.digest, sign.rsa);
  const content = asContent(part);
  const passing = digesting.through(content.body);
  const contentDigest = () => digesting.digests(sign.digest)[0]!;
  if (sign.detached === false) return cmsPart(signing.attached({ size: content.size, body: passing }, contentDigest), 'signed-data', layerEncoding);

  const boundary = boundaryFor(messageId, 'signed');
  const before = Buffer.from(`--${boundary}\r\n`, 'latin1');
  const between = Buffer.from(
    `\r\n--${boundary}\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7s"\r\n\r\n`,
    'latin1',
  );
  const after = Buffer.from(`--${boundary}--\r\n`, 'latin1');
  async function* signature() {
    yield lines(await signing.detached(contentDigest()));
  }
  const { detachedBytes } = signing;
  return {
    headers: [
      ['Content-Type', `multipart/signed; protocol="application/pkcs7-signature"; micalg=${sign.micName ?? micName(sign.digest)}; boundary="${boundary}"`],
    ],
    size: total([before.length, content.size, between.length, detachedBytes === undefined ? undefined : base64Size(detachedBytes), after.length]),
    body: joined([before], passing, [between], signature(), [after]),
  };
}

/** A boundary that a message has again when it is sent again. */
export function boundaryFor(messageId: string, use: string): string {
  return `${use}_${createHash('sha256').update(`${use}\0${messageId}`).digest('hex').slice(0, 32)}`;
}

function payloadPart(payloads: readonly Outgoing[], options: SealOptions): Part {
  const [first, ...others] = payloads;
  if (!first) throw new Error('A message has at least one payload');
  if (others.length === 0) return onePayload(first, options);
  const boundary = boundaryFor(options.messageId, 'payloads');
  const between = Buffer.from(`\r\n--${boundary}\r\n`, 'latin1');
  const after = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  const parts = payloads.map((payload) => asContent(onePayload(payload, options)));
  async function* body() {
    for (const [index, part] of parts.entries()) {
      yield index === 0 ? between.subarray(2) : between;
      yield* part.body;
    }
    yield after;
  }
  return {
    headers: [['Content-Type', `multipart/related; type="${first.contentType.split(';')[0]!.trim()}"; boundary="${boundary}"`]],
    size: total([parts.length * between.length - 2, ...parts.map(({ size }) => size), after.length]),
    body: body(),
  };
}

function onePayload(payload: Outgoing, { payloadEncoding, lengths }: SealOptions): Part {
  if (/[\r\n]/.test(payload.contentType)) throw new Error('A content type has a line end in it');
  const isBase64 = payloadEncoding === 'base64';
  const size = lengths === 'indefinite' ? undefined : payload.size;
  const turns = inTurns(payload.body);
  const body = size === undefined ? turns : exactly(size, turns);
  return {
    headers: [
      ['Content-Type', payload.contentType],
      ['Content-Transfer-Encoding', isBase64 ? 'base64' : 'binary'],
      ...(payload.name === undefined ? [] : [['Content-Disposition', `attachment; ${writeParameter('filename', payload.name)}`] as const]),
    ],
    size: size !== undefined && isBase64 ? base64Size(size) : size,
    body: isBase64 ? toBase64(body) : body,
  };
}

/** A part whose headers and body pass by. */
function digested(part: Part, digesting: Digesting): Part {
  async function* body() {
    digesting.update(headerBlock(part));
    yield* digesting.through(part.body);
  }
  return { ...part, body: body() };
}

function compressedPart(part: Part, { layerEncoding }: SealOptions): Part {
  return cmsPart(deflating(asContent(part).body), 'compressed-data', layerEncoding);
}

function cmsPart(piece: Piece, type: string, encoding: SealOptions['layerEncoding']): Part {
  const isBase64 = encoding === 'base64';
  const size = sizeOf(piece);
  const body = written(piece);
  return {
    headers: [
      ['Content-Type', `application/pkcs7-mime; smime-type=${type}; name="smime.p7m"`],
      ['Content-Transfer-Encoding', isBase64 ? 'base64' : 'binary'],
      ['Content-Disposition', 'attachment; filename="smime.p7m"'],
    ],
    size: size !== undefined && isBase64 ? base64Size(size) : size,
    body: isBase64 ? toBase64(body) : body,
  };
}

function micsOf(digesting: Digesting, sign: SealOptions['sign']): Mic[] {
  const nameOf = (digest: Digest) => (digest === sign?.digest && sign.micName ? sign.micName : micName(digest));
  return [...digesting.names].map((algorithm) => ({ algorithm, name: nameOf(algorithm), value: digesting.digests(algorithm)[0]!.toString('base64') }));
}
