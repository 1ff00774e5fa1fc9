/** Writes signed-data (RFC 5652 section 5). */
import { digestOid } from '../algorithms';
import type { Digest, KeyPair, RsaSignature } from '../types';
import { issuerAndSerial } from './certificate';
import { algorithm, element, integer, octetString, oid, sequence, setOf } from './der';
import { CONTENT_TYPE, DATA, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_TIME } from './oids';
import { type SignatureAlgorithm, signatureBytes, signatureFor, signed, writeSignatureAlgorithm } from './signature';
import type { Piece } from './writer';

/** Who signs, and how. */
export class Signing {
  private readonly by: SignatureAlgorithm;

  constructor(
    private readonly pair: KeyPair,
    readonly digest: Digest,
    rsa: RsaSignature | undefined,
  ) {
    this.by = signatureFor(pair.key, digest, rsa);
  }

  /** A signature that stands beside what has that digest. DER. */
  async detached(contentDigest: Buffer): Promise<Buffer> {
    return sequence(
      oid(SIGNED_DATA),
      element(0xa0, sequence(this.start(), sequence(oid(DATA)), this.certificates(), setOf(await this.signerInfo(contentDigest)))),
    );
  }

  /** How long that is, where all of them are as long. */
  get detachedBytes(): number | undefined {
    const signer = this.signerBytes;
    if (signer === undefined) return undefined;
    return sequence(oid(SIGNED_DATA), element(0xa0, sequence(this.start(), sequence(oid(DATA)), this.certificates(), setOf(Buffer.alloc(signer))))).length;
  }

  /** A signature around content, whose digest is asked for when it has passed. */
  attached(content: { readonly size: number | undefined; readonly body: AsyncIterable<Buffer> }, contentDigest: () => Buffer): Piece {
    const signer = this.signerBytes;
    const data = {
      tag: 0x30,
      inside: [
        this.start(),
        { tag: 0x30, inside: [oid(DATA), { tag: 0xa0, inside: [{ tag: 0x04, ...content }] }] },
        this.certificates(),
        { size: signer === undefined ? undefined : setOf(Buffer.alloc(signer)).length, bytes: async () => setOf(await this.signerInfo(contentDigest())) },
      ],
    };
    return { tag: 0x30, inside: [oid(SIGNED_DATA), { tag: 0xa0, inside: [data] }] };
  }

  /** Version and digests. */
  private start(): Buffer {
    return Buffer.concat([integer(1), setOf(algorithm(digestOid(this.digest)))]);
  }

  private certificates(): Buffer {
    return element(0xa0, this.pair.certificate.raw);
  }

  private async signerInfo(contentDigest: Buffer): Promise<Buffer> {
    const attributes = this.attributes(contentDigest);
    return this.withSignature(attributes, await signed(this.by, this.pair.key, attributes));
  }

  private get signerBytes(): number | undefined {
    const bytes = signatureBytes(this.pair.key);
    // Any digest of its length will do.
    return bytes === undefined ? undefined : this.withSignature(this.attributes(Buffer.alloc(DIGEST_BYTES[this.digest])), Buffer.alloc(bytes)).length;
  }

  /** DER of the set, which is what is signed. */
  private attributes(contentDigest: Buffer): Buffer {
    return setOf(
      sequence(oid(CONTENT_TYPE), setOf(oid(DATA))),
      sequence(oid(SIGNING_TIME), setOf(utcTime(new Date()))),
      sequence(oid(MESSAGE_DIGEST), setOf(octetString(contentDigest))),
    );
  }

  private withSignature(attributes: Buffer, signature: Buffer): Buffer {
    const implicit = Buffer.from(attributes);
    implicit[0] = 0xa0;
    return sequence(
      integer(1),
      issuerAndSerial(this.pair.certificate),
      algorithm(digestOid(this.digest)),
      implicit,
      writeSignatureAlgorithm(this.by),
      octetString(signature),
    );
  }
}

const DIGEST_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** Until 2049 (RFC 5652 section 11.3). */
function utcTime(time: Date): Buffer {
  return element(0x17, Buffer.from(`${time.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`, 'latin1'));
}
