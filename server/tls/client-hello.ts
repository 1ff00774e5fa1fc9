/**
 * Reads a ClientHello (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2) before the handshake, for one purpose: to learn
 * which session an arriving connection wants to resume, and so whose it is. It verifies nothing; OpenSSL does that afterwards.
 */

export interface ClientHello {
  /** Session id, empty where none was sent. Under TLS 1.3 it means nothing and is only echoed. */
  readonly sessionId: Buffer;
  /** Identities of the pre_shared_key extension, in the client's order: under TLS 1.3, the sessions it wants to resume. */
  readonly identities: readonly Buffer[];
  readonly serverName?: string;
}

/** `incomplete`: more bytes are needed. `malformed`: no ClientHello, whatever follows. */
export type Parsed = ClientHello | 'incomplete' | 'malformed';

/** Longer hellos than this are refused: post-quantum key shares take about 2 KiB, and nothing honest takes more than this. */
export const LONGEST_CLIENT_HELLO = 16_384;

const RECORD_HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_PRE_SHARED_KEY = 41;

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
  hello.skip(2 + 32); // legacy_version, random
  const sessionId = hello.vector8();
  if (sessionId.length > 32) throw new RangeError('session id');
  hello.vector16(); // cipher_suites
  hello.vector8(); // legacy_compression_methods
  const identities: Buffer[] = [];
  let serverName: string | undefined;
  if (hello.left > 0) {
    const extensions = new Reader(hello.vector16());
    while (extensions.left > 0) {
      const type = extensions.uint16();
      const body = new Reader(extensions.vector16());
      if (type === EXTENSION_PRE_SHARED_KEY) {
        const list = new Reader(body.vector16());
        while (list.left > 0) {
          identities.push(list.vector16());
          list.skip(4); // obfuscated_ticket_age
        }
      } else if (type === EXTENSION_SERVER_NAME && body.left > 0) {
        const names = new Reader(body.vector16());
        while (names.left > 0) {
          const nameType = names.uint8();
          const name = names.vector16();
          if (nameType === 0) serverName = name.toString('latin1');
        }
      }
    }
  }
  return { sessionId, identities, serverName };
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
