/** Reads a message of AS2 as it comes, layer by layer. */
import type { X509Certificate } from 'node:crypto';
import { CIPHERS, DIGESTS, digestNamed, micName } from './algorithms';
import { DEFAULT_BOUNDS } from './bounds';
import { readEncrypted } from './cms/decrypting';
import { malformed } from './cms/der';
import { inflated } from './cms/inflating';
import { AUTH_ENVELOPED_DATA, COMPRESSED_DATA, DATA, ENVELOPED_DATA, SIGNED_DATA, ZLIB } from './cms/oids';
import { BerReader, type Frame } from './cms/reader';
import { readAttached, readDetached } from './cms/signed-data';
import { checkSigners, type Signer } from './cms/signers';
import { MessageFailure } from './failure';
import { Inflow } from './inflow';
import { Digesting } from './mime/digesting';
import { fileName, header, type Parameterized, readHeaders, readParameterized } from './mime/header';
import { Multipart } from './mime/multipart';
import { decoded } from './mime/transfer';
import { readReceipt } from './receipt/read';
import { inTurns } from './turns';
import type { Bounds, Cipher, Digest, Headers, Layer, Mic, Opened, OpenKeys, Policy, Receipt, Sink } from './types';

/**
 * Reads one message: `headers` are those of the request (Content-Type and Content-Transfer-Encoding count), `body` its content, undone of HTTP's codings.
 * Each payload goes to `sink` while it comes; **what the sink was given is final only when this resolves**, since a signature stands behind what it signs.
 * Rejects with a MessageFailure, or with what `sink` or `body` threw. After a failure `body` is neither read further nor returned: the caller decides whether
 * to read the rest of a request. Memory: some hundred KiB, whatever the message has.
 */
export async function openMessage(headers: Headers, body: AsyncIterable<Buffer>, keys: OpenKeys, bounds: Partial<Bounds>, sink: Sink): Promise<Opened> {
  return new Reading(keys, { ...DEFAULT_BOUNDS, ...bounds }, sink).message(headers, body);
}

const NO_TYPE = 'application/octet-stream';
/** Headers, boundaries and base64 around the payloads: what a message may have besides. Bytes. */
const BESIDES = 64 * 1024 * 1024;

/** What a layer around knows, for those within. */
interface Around {
  readonly depth: number;
  /** Passes all of what is encrypted or compressed and not signed, in its plain form. */
  readonly digesting: Digesting | undefined;
}

class Reading {
  private readonly policy: Policy;
  private readonly layers: (Layer | { readonly kind: 'signed'; readonly detached: boolean })[] = [];
  private readonly micDigest: { readonly algorithm: Digest; readonly name: string };
  private mic: Mic | undefined;
  private signer: Signer | undefined;
  private contentType = NO_TYPE;
  private receipt: Receipt | undefined;
  private payloads = 0;
  private payloadBytes = 0;
  private parts = 0;
  /** Bytes of the message that have come. */
  private came = 0;
  /** Ends what still runs of a message that has failed. */
  private readonly over = new AbortController();

  constructor(
    private readonly keys: OpenKeys,
    private readonly bounds: Bounds,
    private readonly sink: Sink,
  ) {
    this.policy = {
      mustSign: true,
      mustEncrypt: true,
      digests: DIGESTS.filter((digest) => digest !== 'sha1'),
      ciphers: (Object.keys(CIPHERS) as Cipher[]).filter((cipher) => cipher !== 'des-ede3-cbc'),
      allowExpired: false,
      ...keys.policy,
    };
    const name = keys.micAlgorithms?.find((spelled) => this.isAllowed(spelled)) ?? micName('sha256');
    this.micDigest = { algorithm: digestNamed(name) ?? 'sha256', name };
  }

  async message(headers: Headers, body: AsyncIterable<Buffer>): Promise<Opened> {
    const inflow = new Inflow(upTo(this.coming(inTurns(body)), 2 * this.bounds.payloadBytes + BESIDES));
    const plain = isLayer(headers) ? undefined : new Digesting([this.micDigest.algorithm], false);
    try {
      await this.entity(headers, plain ? new Inflow(plain.through(inflow.rest())) : inflow, { depth: 0, digesting: plain });
      await inflow.drain();
    } finally {
      this.over.abort();
    }
    const kinds = new Set(this.layers.map(({ kind }) => kind));
    if (!this.mic) throw new Error('A message was read and has no MIC');
    return {
      layers: this.layers as Layer[],
      signed: kinds.has('signed'),
      encrypted: kinds.has('encrypted'),
      compressed: kinds.has('compressed'),
      signer: this.signer?.certificate,
      mic: this.mic,
      contentType: this.contentType,
      payloads: this.payloads,
      receipt: this.receipt,
    };
  }

  /** Reads a part: a layer, or what is inside of all. */
  private async entity(headers: Headers, inflow: Inflow, around: Around): Promise<void> {
    if (around.depth > this.bounds.depth) throw new MessageFailure('unexpected-processing-error', `the message has more than ${this.bounds.depth} layers`);
    const type = typeOf(headers);
    if (isCms(type)) await this.cms(new Inflow(decoded(headers, inflow.rest())), around.depth + 1);
    else if (type.value === 'multipart/signed') await this.detached(type, inflow, around.depth + 1);
    else await this.inmost(headers, type, inflow, around);
    await inflow.drain();
    if (around.digesting) this.noteMic(this.micDigest, around.digesting.digests(this.micDigest.algorithm)[0]!);
  }

  /** Reads what is inside of all layers. */
  private async inmost(headers: Headers, type: Parameterized, inflow: Inflow, around: Around): Promise<void> {
    this.contentType = header(headers, 'content-type') ?? NO_TYPE;
    if (type.value === 'multipart/report') {
      const whole = new Inflow(upTo(decoded(headers, inflow.rest()), this.bounds.receiptBytes));
      this.receipt = await readReceipt(whole, type.parameters.get('boundary'), this.bounds.headerBytes);
      return;
    }
    const { mustSign, mustEncrypt } = this.policy;
    if (mustSign && !this.layers.some(({ kind }) => kind === 'signed'))
      throw new MessageFailure('insufficient-message-security', 'the partner has to sign, and did not');
    if (mustEncrypt && !this.layers.some(({ kind }) => kind === 'encrypted'))
      throw new MessageFailure('insufficient-message-security', 'the partner has to encrypt, and did not');
    await this.payload(headers, type, inflow, around.depth);
  }

  /** Hands out a payload, or each of those in a multipart. */
  private async payload(headers: Headers, type: Parameterized, inflow: Inflow, depth: number): Promise<void> {
    if (type.value === 'multipart/mixed' || type.value === 'multipart/related') {
      if (depth >= this.bounds.depth) throw new MessageFailure('unexpected-processing-error', `the message has more than ${this.bounds.depth} layers`);
      const parts = new Multipart(inflow, type.parameters.get('boundary'));
      for (let hasNext = await parts.first(); hasNext; hasNext = parts.hasNext) {
        if (++this.parts > this.bounds.parts) throw new MessageFailure('unexpected-processing-error', `the message has more than ${this.bounds.parts} parts`);
        const part = new Inflow(parts.content());
        const its = await this.headers(part);
        await this.payload(its, typeOf(its), part, depth + 1);
        await part.drain();
      }
      return;
    }
    const body = this.counted(decoded(headers, inflow.rest()));
    const contentType = header(headers, 'content-type') ?? NO_TYPE;
    await this.sink({ index: this.payloads++, name: fileName(headers), contentType, headers, body });
  }

  private async *coming(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of body) {
      this.came += chunk.length;
      yield chunk;
    }
  }

  private async *counted(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of body) {
      this.payloadBytes += chunk.length;
      if (this.payloadBytes > this.bounds.payloadBytes)
        throw new MessageFailure('unexpected-processing-error', `the message has more than ${this.bounds.payloadBytes} bytes`);
      yield chunk;
    }
  }

  /** Reads multipart/signed (RFC 8551 section 3.5.3): what is signed, and the signature behind it. */
  private async detached(type: Parameterized, inflow: Inflow, depth: number): Promise<void> {
    const protocol = type.parameters.get('protocol')?.toLowerCase();
    if (protocol !== undefined && !isSignatureType(protocol))
      throw new MessageFailure('unsupported format', `the message is signed by ${protocol.slice(0, 80)}`);
    const spelled = (type.parameters.get('micalg') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const layer = { kind: 'signed', detached: true } as const;
    const index = this.layers.push(layer) - 1;
    const digesting = this.digestingOf(
      spelled.map(digestNamed).filter((digest) => digest !== undefined),
      true,
    );
    const parts = new Multipart(inflow, type.parameters.get('boundary'));
    if (!(await parts.first())) throw new MessageFailure('unexpected-processing-error', 'a signed message is empty');
    await this.within(digesting.through(parts.content()), depth, false, digesting);
    if (!parts.hasNext) throw new MessageFailure('authentication-failed', 'a signed message has no signature');
    const part = new Inflow(parts.content());
    const headers = await this.headers(part);
    const bytes: Buffer[] = [];
    for await (const piece of upTo(decoded(headers, part.rest()), this.bounds.structureBytes)) bytes.push(piece);
    await part.drain();
    const { signers, contentType } = readDetached(Buffer.concat(bytes));
    await this.signed(index, await checkSigners(signers, contentType, digesting, this.believed()), true, spelled);
  }

  private async cms(inflow: Inflow, depth: number): Promise<void> {
    const reader = new BerReader(inflow, this.bounds.structureBytes);
    const info = await reader.enter(0x30);
    const type = (await reader.whole(info)).oid;
    const outer = await reader.enter(0xa0, info);
    if (type === ENVELOPED_DATA || type === AUTH_ENVELOPED_DATA) await this.encrypted(reader, outer, type === AUTH_ENVELOPED_DATA, depth);
    else if (type === SIGNED_DATA) await this.attached(reader, outer, depth);
    else if (type === COMPRESSED_DATA) await this.compressed(reader, outer, depth);
    else throw new MessageFailure('unsupported format', `a layer is of a type of CMS that is not known (${type})`);
    await reader.leave(outer);
    await reader.leave(info);
    await inflow.drain();
  }

  private async encrypted(reader: BerReader, outer: Frame, authenticated: boolean, depth: number): Promise<void> {
    const { ciphers } = this.policy;
    const found = await readEncrypted(reader, outer, { authenticated, keys: this.keys, ciphers, recipients: this.bounds.recipients });
    this.layers.push({ kind: 'encrypted', cipher: found.cipher, transport: found.transport, recipient: found.recipient.certificate });
    await this.within(found.content, depth, true);
    await found.finish();
  }

  private async compressed(reader: BerReader, outer: Frame, depth: number): Promise<void> {
    const frame = await reader.enter(0x30, outer);
    await reader.whole(frame);
    const algorithm = (await reader.whole(frame)).child(0).oid;
    if (algorithm !== ZLIB) throw new MessageFailure('decompression-failed', `the message is compressed by an algorithm that is not known (${algorithm})`);
    const info = await reader.enter(0x30, frame);
    if ((await reader.whole(info)).oid !== DATA) throw malformed('what is compressed is not plain data');
    const explicit = await reader.enter(0xa0, info);
    this.layers.push({ kind: 'compressed' });
    const bounds = { ratio: this.bounds.inflation, came: () => this.came, most: 2 * this.bounds.payloadBytes + BESIDES };
    await this.within(inflated(reader.octets(0x04, explicit), bounds, this.over.signal), depth, false);
    await reader.leave(explicit);
    await reader.leave(info);
    await reader.leave(frame);
  }

  private async attached(reader: BerReader, outer: Frame, depth: number): Promise<void> {
    const found = await readAttached(reader, outer);
    const layer = { kind: 'signed', detached: false } as const;
    const index = this.layers.push(layer) - 1;
    const digesting = this.digestingOf(found.digests, false);
    await this.within(digesting.through(found.content), depth, false);
    await this.signed(index, await checkSigners(await found.signers(), found.contentType, digesting, this.believed()), false, []);
  }

  /** Reads the part that a layer has inside, with its headers. */
  private async within(content: AsyncIterable<Buffer>, depth: number, isDecrypted: boolean, signed?: Digesting): Promise<void> {
    const inflow = new Inflow(content);
    let block: Buffer;
    let headers: Headers;
    try {
      block = await inflow.headerBlock(this.bounds.headerBytes);
      headers = readHeaders(block);
      // Of what a wrong key gives, one in some hundreds begins with the end of a line; every message of AS2 says what it is (RFC 4130 section 2.4.2).
      if (isDecrypted && Object.keys(headers).length === 0) throw new MessageFailure('decryption-failed', 'it has no headers');
    } catch (error) {
      // A key that is not the right one lets no message come out; which of both it was is nobody's business.
      if (isDecrypted && error instanceof MessageFailure)
        throw new MessageFailure('decryption-failed', 'what comes out of the cipher is no message', { cause: error });
      throw error;
    }
    if (header(headers, 'content-transfer-encoding')?.trim().toLowerCase() === 'binary') signed?.leaveAsItIs();
    const isSigned = this.layers.some(({ kind }) => kind === 'signed');
    if (isSigned || isLayer(headers)) return this.entity(headers, inflow, { depth, digesting: undefined });
    const digesting = new Digesting([this.micDigest.algorithm], false);
    digesting.update(block);
    const rest = new Inflow(digesting.through(inflow.rest()));
    await this.entity(headers, rest, { depth, digesting });
  }

  private async headers(part: Inflow): Promise<Headers> {
    return readHeaders(await part.headerBlock(this.bounds.headerBytes));
  }

  /** Where no digest is named that is allowed, all that are; the signature then says which. */
  private digestingOf(said: readonly Digest[], canonicalizes: boolean): Digesting {
    const allowed = said.filter((digest) => this.policy.digests.includes(digest));
    return new Digesting(allowed.length > 0 ? allowed : this.policy.digests, canonicalizes);
  }

  /** The outermost signature is the one that counts: those within it are noted before. */
  private async signed(index: number, signer: Signer, detached: boolean, spelled: readonly string[]): Promise<void> {
    this.layers[index] = { kind: 'signed', digest: signer.digest, signature: signer.signature, signer: signer.certificate, detached };
    this.signer = signer;
    const name =
      spelled.find((one) => digestNamed(one) === signer.digest) ??
      this.keys.micAlgorithms?.find((one) => digestNamed(one) === signer.digest) ??
      micName(signer.digest);
    this.noteMic({ algorithm: signer.digest, name }, signer.contentDigest);
  }

  private noteMic(of: { readonly algorithm: Digest; readonly name: string }, digest: Buffer): void {
    this.mic = { algorithm: of.algorithm, name: of.name, value: digest.toString('base64') };
  }

  private believed() {
    const certificates: readonly X509Certificate[] = this.keys.signers;
    return {
      certificates,
      digests: this.policy.digests,
      allowExpired: this.policy.allowExpired,
      now: this.keys.now ?? new Date(),
      signers: this.bounds.recipients,
    };
  }

  private isAllowed(spelled: string): boolean {
    const digest = digestNamed(spelled);
    return digest !== undefined && this.policy.digests.includes(digest);
  }
}

function typeOf(headers: Headers): Parameterized {
  return readParameterized(header(headers, 'content-type') ?? NO_TYPE);
}

function isCms({ value }: Parameterized): boolean {
  return value === 'application/pkcs7-mime' || value === 'application/x-pkcs7-mime';
}

function isSignatureType(value: string): boolean {
  return value === 'application/pkcs7-signature' || value === 'application/x-pkcs7-signature';
}

function isLayer(headers: Headers): boolean {
  const type = typeOf(headers);
  return isCms(type) || type.value === 'multipart/signed';
}

async function* upTo(body: AsyncIterable<Buffer>, most: number): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > most) throw new MessageFailure('unexpected-processing-error', `there are more than ${most} bytes`);
    yield chunk;
  }
}
