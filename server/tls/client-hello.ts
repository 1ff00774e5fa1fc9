/**
 * Reads a ClientHello (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2) before the handshake: to learn which session an
 * arriving connection wants to resume, and so whose it is, and which certificate will be served. It verifies nothing; OpenSSL
 * does that afterwards.
 */

export interface ClientHello {
  /** Session id, empty where none was sent. Under TLS 1.3 it means nothing and is only echoed. */
  readonly sessionId: Buffer;
  /** Identities of the pre_shared_key extension, in the client's order: under TLS 1.3, the sessions it wants to resume. */
  readonly identities: readonly Buffer[];
  readonly serverName?: string;
  /** Code points of RFC 8446 appendix B.4 and IANA's registry, in the client's order. */
  readonly cipherSuites: readonly number[];
  /** Versions that the client speaks: 0x0304 is TLS 1.3, 0x0303 TLS 1.2. */
  readonly versions: readonly number[];
  /** Groups for the key exchange, and under TLS 1.2 also the curves that a certificate may be on. */
  readonly groups: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  /** Whether the client wants the state of the certificate stapled (status_request, RFC 6066 section 8). */
  readonly wantsStatus: boolean;
}

/** `incomplete`: more bytes are needed. `malformed`: no ClientHello, whatever follows. */
export type Parsed = ClientHello | 'incomplete' | 'malformed';

/** Longer hellos than this are refused: post-quantum key shares take about 2 KiB, and nothing honest takes more than this. */
export const LONGEST_CLIENT_HELLO = 16_384;

const RECORD_HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const EXTENSION = { serverName: 0, statusRequest: 5, supportedGroups: 10, signatureAlgorithms: 13, preSharedKey: 41, supportedVersions: 43 } as const;

export function parseClientHello(bytes: Buffer): Parsed {
  const message = handshakeMessage(bytes);
  if (!Buffer.isBuffer(message)) return message;
  try {
    return readHello(new Reader(message));
  } catch (error) {
    if (error instanceof RangeError) return 'malformed';
    throw error;
  }
}

/** Joins the handshake message out of its records: a hello may be cut into several (RFC 8446 section 5.1). */
function handshakeMessage(bytes: Buffer): Buffer | 'incomplete' | 'malformed' {
  const parts: Buffer[] = [];
  let joined = 0;
  let wanted = 4;
  for (let at = 0; ; ) {
    const known = bytes.length - at;
    if (known > 0 && bytes[at] !== RECORD_HANDSHAKE) return 'malformed';
    if (known > 1 && bytes[at + 1] !== 3) return 'malformed';
    if (known < 5) return 'incomplete';
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > LONGEST_CLIENT_HELLO) return 'malformed';
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    joined += part.length;
    if (joined >= 4 && wanted === 4) {
      const head = parts.length === 1 ? part : Buffer.concat(parts);
      if (head[0] !== CLIENT_HELLO) return 'malformed';
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > LONGEST_CLIENT_HELLO) return 'malformed';
    }
    if (joined >= wanted && wanted > 4) return (parts.length === 1 ? part : Buffer.concat(parts)).subarray(4, wanted);
    if (part.length < length) return 'incomplete';
    at += 5 + length;
  }
}

function readHello(hello: Reader): ClientHello {
  const legacyVersion = hello.uint16();
  hello.skip(32); // random
  const sessionId = hello.vector8();
  if (sessionId.length > 32) throw new RangeError('session id');
  const cipherSuites = new Reader(hello.vector16()).uint16s();
  hello.vector8(); // legacy_compression_methods
  const identities: Buffer[] = [];
  let serverName: string | undefined;
  let versions: readonly number[] = [legacyVersion];
  let groups: readonly number[] = [];
  let signatureAlgorithms: readonly number[] = [];
  let wantsStatus = false;
  const extensions = new Reader(hello.left > 0 ? hello.vector16() : Buffer.alloc(0));
  while (extensions.left > 0) {
    const type = extensions.uint16();
    const body = new Reader(extensions.vector16());
    switch (type) {
      case EXTENSION.serverName: {
        const names = new Reader(body.left > 0 ? body.vector16() : Buffer.alloc(0));
        while (names.left > 0) {
          const nameType = names.uint8();
          const name = names.vector16();
          if (nameType === 0) serverName = name.toString('latin1');
        }
        break;
      }
      case EXTENSION.statusRequest:
        wantsStatus = body.left > 0 && body.uint8() === 1; // ocsp
        break;
      case EXTENSION.supportedGroups:
        groups = new Reader(body.vector16()).uint16s();
        break;
      case EXTENSION.signatureAlgorithms:
        signatureAlgorithms = new Reader(body.vector16()).uint16s();
        break;
      case EXTENSION.preSharedKey: {
        const list = new Reader(body.vector16());
        while (list.left > 0) {
          identities.push(list.vector16());
          list.skip(4); // obfuscated_ticket_age
        }
        break;
      }
      case EXTENSION.supportedVersions:
        versions = new Reader(body.vector8()).uint16s();
        break;
    }
  }
  return { sessionId, identities, serverName, cipherSuites, versions, groups, signatureAlgorithms, wantsStatus };
}

/** Walks a buffer; every read beyond its end throws a RangeError. */
class Reader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  skip(length: number): void {
    if (length > this.left) throw new RangeError('beyond the end');
    this.at += length;
  }

  uint8(): number {
    this.skip(1);
    return this.bytes.readUInt8(this.at - 1);
  }

  uint16(): number {
    this.skip(2);
    return this.bytes.readUInt16BE(this.at - 2);
  }

  /** Everything that is left, as numbers of two bytes. */
  uint16s(): number[] {
    const numbers: number[] = [];
    while (this.left > 0) numbers.push(this.uint16());
    return numbers;
  }

  vector8(): Buffer {
    return this.take(this.uint8());
  }

  vector16(): Buffer {
    return this.take(this.uint16());
  }

  private take(length: number): Buffer {
    this.skip(length);
    return this.bytes.subarray(this.at - length, this.at);
  }
}
