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

/** Longer hellos than this are refused: post-quantum key shares take about 2 KiB, and nothing honest takes more than this. Bytes. */
export const LONGEST_CLIENT_HELLO = 16_384;
/** Version, random, and the shortest session id, list of suites and list of compressions: less than this is no hello. Bytes. */
const SHORTEST_CLIENT_HELLO = 2 + 32 + 1 + 2 + 2 + 1 + 1;
/** Records that a hello may be cut into: the longest one into the shortest that a client may ask for (RFC 6066 section 4). */
const MOST_RECORDS = LONGEST_CLIENT_HELLO / 512;

const RECORD_HANDSHAKE = 22;
const RECORD_HEAD = 5;
const CLIENT_HELLO = 1;
const MESSAGE_HEAD = 4;
const EXTENSION = { serverName: 0, statusRequest: 5, supportedGroups: 10, signatureAlgorithms: 13, preSharedKey: 41, supportedVersions: 43 } as const;

export function parseClientHello(bytes: Buffer): Parsed {
  return new HelloReader().push(bytes);
}

/**
 * Takes a hello as it comes, in pieces of any size, and joins it out of its records: it may be cut into several (RFC 8446 section 5.1).
 * Every byte is looked at and copied a fixed number of times, however small the pieces and the records are; it is parsed once, when it is whole.
 */
export class HelloReader {
  /** Everything that came, in one piece; what is behind `held` is room for more. */
  private bytes: Buffer = EMPTY;
  private held = 0;
  /** Where the next record begins, and how many were begun. */
  private at = 0;
  private records = 0;
  /** The handshake message as far as it is here; its length is known from its first four bytes on. */
  private message: Buffer = Buffer.allocUnsafe(MESSAGE_HEAD);
  private joined = 0;
  private state: Parsed = 'incomplete';

  /** All bytes that were pushed. */
  get all(): Buffer {
    return this.bytes.subarray(0, this.held);
  }

  /** How many bytes are missing at least: until the head of the record that has begun is whole, or the record. */
  get missing(): number {
    const known = this.held - this.at;
    return (known < RECORD_HEAD ? RECORD_HEAD : RECORD_HEAD + this.bytes.readUInt16BE(this.at + 3)) - known;
  }

  push(chunk: Buffer): Parsed {
    this.keep(chunk);
    if (this.state === 'incomplete') this.state = this.read();
    return this.state;
  }

  private keep(chunk: Buffer): void {
    const needed = this.held + chunk.length;
    if (this.held === 0) this.bytes = chunk;
    else {
      if (needed > this.bytes.length) {
        const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.held, 512));
        this.bytes.copy(larger, 0, 0, this.held);
        this.bytes = larger;
      }
      chunk.copy(this.bytes, this.held);
    }
    this.held = needed;
  }

  private read(): Parsed {
    for (;;) {
      const known = this.held - this.at;
      if (known > 0 && this.bytes[this.at] !== RECORD_HANDSHAKE) return 'malformed';
      if (known > 1 && this.bytes[this.at + 1] !== 3) return 'malformed';
      if (known < RECORD_HEAD) return 'incomplete';
      const length = this.bytes.readUInt16BE(this.at + 3);
      if (length === 0 || length > LONGEST_CLIENT_HELLO || this.records === MOST_RECORDS) return 'malformed';
      if (known < RECORD_HEAD + length) return this.isNoHello(this.bytes.subarray(this.at + RECORD_HEAD, this.held)) ? 'malformed' : 'incomplete';
      this.records += 1;
      const done = this.join(this.bytes.subarray(this.at + RECORD_HEAD, this.at + RECORD_HEAD + length));
      if (done) return done;
      this.at += RECORD_HEAD + length;
    }
  }

  /** Whether the message that this begins, in its first record, is another one: that is said at once, not when the whole record is there. */
  private isNoHello(part: Buffer): boolean {
    return this.joined === 0 && part.length > 0 && part[0] !== CLIENT_HELLO;
  }

  private join(part: Buffer): Parsed | undefined {
    if (this.joined < MESSAGE_HEAD) {
      const head = part.subarray(0, MESSAGE_HEAD - this.joined);
      head.copy(this.message, this.joined);
      this.joined += head.length;
      if (this.message[0] !== CLIENT_HELLO) return 'malformed';
      if (this.joined < MESSAGE_HEAD) return undefined;
      const length = this.message.readUIntBE(1, 3);
      if (length < SHORTEST_CLIENT_HELLO || length > LONGEST_CLIENT_HELLO - MESSAGE_HEAD) return 'malformed';
      // In one record, as nearly always: nothing is copied.
      if (part.length >= MESSAGE_HEAD + length && head.length === MESSAGE_HEAD) return helloIn(part.subarray(MESSAGE_HEAD, MESSAGE_HEAD + length));
      this.message = Buffer.allocUnsafe(MESSAGE_HEAD + length);
      part = part.subarray(head.length);
    }
    this.joined += part.copy(this.message, this.joined);
    return this.joined === this.message.length ? helloIn(this.message.subarray(MESSAGE_HEAD)) : undefined;
  }
}

const EMPTY = Buffer.alloc(0);

function helloIn(message: Buffer): Parsed {
  try {
    return readHello(new Reader(message));
  } catch (error) {
    if (error instanceof RangeError) return 'malformed';
    throw error;
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
