/** The data types of SSH (RFC 4251 section 5): what packets of the transport, of logins and of SFTP are read from and written with. */

/** Bytes that are not what they claim to be. Costs the sender the connection, or the request. */
export class MalformedPacket extends Error {
  constructor() {
    super('malformed packet');
    this.name = 'MalformedPacket';
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads one field after the other. Every method throws MalformedPacket where the bytes end too early. */
export class WireReader {
  constructor(
    private readonly bytes: Buffer,
    private position = 0,
  ) {}

  get left(): number {
    return this.bytes.length - this.position;
  }

  /** Where the next field begins. */
  get at(): number {
    return this.position;
  }

  byte(): number {
    return this.bytes[this.advance(1)]!;
  }

  boolean(): boolean {
    return this.byte() !== 0;
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.advance(4));
  }

  /** A number beyond 2^53 is no position in a file. */
  uint64(): number {
    const at = this.advance(8);
    const value = this.bytes.readUInt32BE(at) * 2 ** 32 + this.bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw new MalformedPacket();
    return value;
  }

  /** Any number of 64 bits. */
  bigUint64(): bigint {
    return this.bytes.readBigUInt64BE(this.advance(8));
  }

  /** A view of the packet, no copy. */
  string(): Buffer {
    const length = this.uint32();
    const at = this.advance(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A string that must be UTF-8. */
  text(): string {
    try {
      return utf8.decode(this.string());
    } catch {
      throw new MalformedPacket();
    }
  }

  rest(): Buffer {
    return this.bytes.subarray(this.advance(this.left));
  }

  private advance(count: number): number {
    const at = this.position;
    if (count > this.left) throw new MalformedPacket();
    this.position += count;
    return at;
  }
}

/** Writes fields into a buffer that grows. */
export class WireWriter {
  private bytes: Buffer;
  private length = 0;

  constructor(size = 128) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  byte(value: number): this {
    this.bytes[this.grow(1)] = value;
    return this;
  }

  boolean(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }

  uint32(value: number): this {
    const at = this.grow(4);
    this.bytes.writeUInt32BE(value >>> 0, at);
    return this;
  }

  uint64(value: number): this {
    return this.uint32(Math.floor(value / 2 ** 32)).uint32(value % 2 ** 32);
  }

  bigUint64(value: bigint): this {
    const at = this.grow(8);
    this.bytes.writeBigUInt64BE(value, at);
    return this;
  }

  string(value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.uint32(bytes.length);
    return this.raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    const at = this.grow(bytes.length);
    this.bytes.set(bytes, at);
    return this;
  }

  /** Begins anew, over what was written. */
  again(): this {
    this.length = 0;
    return this;
  }

  done(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private grow(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.length, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    return at;
  }
}
