/**
 * The packets of SSH, encrypted by node:crypto alone: one buffer a packet, keys parsed once, no native add-on. AES-GCM as RFC 5647 and OpenSSH's PROTOCOL
 * have it, AES-CTR (RFC 4344) with HMAC-SHA-2, encrypt-then-MAC as OpenSSH has it or encrypt-and-MAC (RFC 4253 section 6.4).
 */

import type { KeyObject } from 'node:crypto';
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type Cipher as NodeCipher,
  type Decipher as NodeDecipher,
  timingSafeEqual,
} from 'node:crypto';
import type { Cipher, Decipher, Inbound, OnPayload, Outbound } from 'ssh2/lib/protocol/crypto.js';
import { release } from '../memory';

/** Before the payload: the length of the packet, and that of the padding. */
const HEADER = 5;
const BLOCK = 16;
const LEAST_PADDING = 4;
/** Length of AES-GCM's tag. */
const TAG = 16;
/** The longest packet that is taken: a channel packet of 32 KiB, the largest that is asked for, and what surrounds it. RFC 4253 section 6.1 wants 35000. */
const LONGEST = 35_000;

/** Parts of a payload below that are copied together before they are encrypted: a call into OpenSSL costs more than the copy. Bytes. */
const LITTLE = 2_048;

/** Encrypts what is sent. */
export abstract class PacketCipher implements Cipher {
  outSeqno: number;
  private freed = false;

  /** `plainLength`: how much of a packet is not encrypted, and so doesn't count for its blocks. `behind`: what follows it. Bytes. */
  constructor(
    protected readonly outbound: Outbound,
    private readonly plainLength: number,
    private readonly behind: number,
  ) {
    this.outSeqno = outbound.seqno;
  }

  /** Encrypts the packet but for what is plain, whose padding is there, and whose payload is what the parts say; puts behind it what belongs there. */
  protected abstract close(packet: Buffer, end: number, parts: readonly Uint8Array[]): void;

  /** How long the packet is that carries so many bytes, with all that follows it. */
  sizeOf(payloadLength: number): number {
    return HEADER + payloadLength + this.paddingOf(payloadLength) + this.behind;
  }

  /** Makes a packet of these parts in a space of its size. */
  seal(space: Buffer, payloadLength: number, parts: readonly Uint8Array[]): void {
    if (this.freed) return;
    const padding = this.paddingOf(payloadLength);
    const end = HEADER + payloadLength + padding;
    space.writeUInt32BE(end - 4, 0);
    space[4] = padding;
    // RFC 4253 section 6 only recommends random padding: it was for CBC, and an encrypted counter tells nothing of what it hides.
    space.fill(0, end - padding, end);
    this.close(space, end, parts);
    this.outSeqno = (this.outSeqno + 1) >>> 0;
  }

  // As ssh2 has it, for its own packets.

  allocPacket(payloadLength: number): Buffer {
    const packet = Buffer.allocUnsafe(this.sizeOf(payloadLength));
    packet[4] = this.paddingOf(payloadLength);
    return packet;
  }

  encrypt(packet: Buffer): void {
    if (this.freed) return;
    const payloadLength = packet.length - this.behind - packet[4]! - HEADER;
    this.seal(packet, payloadLength, [packet.subarray(HEADER, HEADER + payloadLength)]);
    this.outbound.onWrite(packet);
  }

  free(): void {
    this.freed = true;
  }

  private paddingOf(payloadLength: number): number {
    const padding = BLOCK - ((HEADER + payloadLength - this.plainLength) % BLOCK);
    return padding < LEAST_PADDING ? padding + BLOCK : padding;
  }
}

/** Puts the parts into the packet and encrypts it from there on. What is large goes straight from where it lies. */
function encryptParts(cipher: NodeCipher, packet: Buffer, from: number, end: number, parts: readonly Uint8Array[]): void {
  let at = HEADER;
  let plain = from;
  for (const part of parts) {
    if (part.length < LITTLE) packet.set(part, at);
    else {
      if (at > plain) put(cipher.update(packet.subarray(plain, at)), packet, plain);
      put(cipher.update(part), packet, at);
      plain = at + part.length;
    }
    at += part.length;
  }
  put(cipher.update(packet.subarray(plain, end)), packet, plain);
}

function put(encrypted: Buffer, packet: Buffer, at: number): void {
  packet.set(encrypted, at);
  release(encrypted);
}

class GcmCipher extends PacketCipher {
  private readonly name: 'aes-256-gcm';
  private readonly key: KeyObject;
  private readonly iv: Buffer;

  constructor(outbound: Outbound) {
    super(outbound, 4, TAG);
    this.name = outbound.cipherInfo.sslName as 'aes-256-gcm';
    this.key = createSecretKey(outbound.cipherKey);
    this.iv = Buffer.from(outbound.cipherIV);
  }

  protected close(packet: Buffer, end: number, parts: readonly Uint8Array[]): void {
    const cipher = createCipheriv(this.name, this.key, this.iv);
    cipher.setAAD(packet.subarray(0, 4));
    encryptParts(cipher, packet, 4, end, parts);
    cipher.final();
    packet.set(cipher.getAuthTag(), end);
    increment(this.iv);
  }
}

class CtrCipher extends PacketCipher {
  private readonly cipher: NodeCipher;

  constructor(
    outbound: Outbound,
    private readonly mac = new Mac(outbound),
  ) {
    super(outbound, mac.afterEncryption ? 4 : 0, mac.length);
    this.cipher = createCipheriv(outbound.cipherInfo.sslName, createSecretKey(outbound.cipherKey), outbound.cipherIV);
  }

  protected close(packet: Buffer, end: number, parts: readonly Uint8Array[]): void {
    const whole = packet.subarray(0, end);
    if (this.mac.afterEncryption) {
      encryptParts(this.cipher, packet, 4, end, parts);
      packet.set(this.mac.of(this.outSeqno, whole), end);
      return;
    }
    let at = HEADER;
    for (const part of parts) {
      packet.set(part, at);
      at += part.length;
    }
    const mac = this.mac.of(this.outSeqno, whole);
    encryptParts(this.cipher, packet, 0, end, []);
    packet.set(mac, end);
  }
}

class Mac {
  readonly length: number;
  readonly afterEncryption: boolean;
  private readonly name: string;
  private readonly key: KeyObject;
  private readonly sequence = Buffer.alloc(4);

  constructor({ macInfo, macKey }: Pick<Outbound, 'macInfo' | 'macKey'>) {
    this.length = macInfo!.len;
    this.afterEncryption = macInfo!.isETM;
    this.name = macInfo!.sslName;
    this.key = createSecretKey(macKey!);
  }

  of(sequence: number, ...parts: readonly Buffer[]): Buffer {
    this.sequence.writeUInt32BE(sequence, 0);
    const mac = createHmac(this.name, this.key).update(this.sequence);
    for (const part of parts) mac.update(part);
    return mac.digest();
  }
}

/** Gathers what comes into packets, each of which is opened when all of it is there: nothing is decrypted of what is not proven. */
abstract class PacketDecipher implements Decipher {
  inSeqno: number;
  _onPayload: OnPayload;
  /** What has come of a packet that is not all there. */
  private held: Buffer | undefined;
  private filled = 0;
  /** What the packet and what follows it take together, once that is known. */
  private needed = 0;

  constructor(inbound: Inbound) {
    this.inSeqno = inbound.seqno;
    this._onPayload = inbound.onPayload;
  }

  /** What has to be there before the packet's length is known. Bytes. */
  protected abstract readonly lead: number;
  /** The length of the packet with everything that follows it; throws where it can't be one. The lead may be looked at once. */
  protected abstract lengthOf(lead: Buffer): number;
  /** Proves and decrypts; answers padding length, payload and padding. */
  protected abstract open(packet: Buffer): Buffer;

  decrypt(data: Buffer, from: number, end: number): number | undefined {
    let at = from;
    while (at < end) {
      let packet: Buffer;
      if (this.held === undefined && end - at >= this.lead) {
        const length = this.lengthOf(data.subarray(at, at + this.lead));
        if (end - at >= length) {
          packet = data.subarray(at, at + length);
          at += length;
        } else {
          this.hold(length, length);
          at += this.take(data, at, end);
          return undefined;
        }
      } else {
        if (this.held === undefined) this.hold(this.lead, 0);
        at += this.take(data, at, end);
        if (this.filled < this.held!.length) return undefined;
        if (this.needed === 0) {
          const lead = this.held!;
          const length = this.lengthOf(lead);
          this.hold(length, length);
          this.held!.set(lead);
          this.filled = lead.length;
          continue;
        }
        packet = this.held!;
        this.held = undefined;
        this.filled = 0;
        this.needed = 0;
      }
      const inner = this.open(packet);
      // What was gathered for it has been read; `data` is its reader's.
      if (packet.buffer !== data.buffer) release(packet);
      const payload = inner.subarray(1, inner.length - inner[0]!);
      if (inner[0]! < LEAST_PADDING || inner[0]! + 1 > inner.length) throw new Error('Bad padding length');
      this.inSeqno = (this.inSeqno + 1) >>> 0;
      const answer = this._onPayload(payload);
      // One at a time: whether the next may follow is not decided here.
      return typeof answer === 'number' ? answer : at;
    }
    return undefined;
  }

  free(): void {}

  private hold(size: number, needed: number): void {
    this.held = size > LITTLE ? Buffer.allocUnsafeSlow(size) : Buffer.allocUnsafe(size);
    this.filled = 0;
    this.needed = needed;
  }

  private take(data: Buffer, at: number, end: number): number {
    const count = Math.min(this.held!.length - this.filled, end - at);
    data.copy(this.held!, this.filled, at, at + count);
    this.filled += count;
    return count;
  }
}

function checked(length: number, blocks: number): number {
  if (length > LONGEST || length < BLOCK - 4 || blocks % BLOCK !== 0) throw new Error('Bad packet length');
  return length;
}

class GcmDecipher extends PacketDecipher {
  protected readonly lead = 4;
  private readonly name: 'aes-256-gcm';
  private readonly key: KeyObject;
  private readonly iv: Buffer;

  constructor(inbound: Inbound) {
    super(inbound);
    this.name = inbound.decipherInfo.sslName as 'aes-256-gcm';
    this.key = createSecretKey(inbound.decipherKey);
    this.iv = Buffer.from(inbound.decipherIV);
  }

  protected lengthOf(lead: Buffer): number {
    const length = lead.readUInt32BE(0);
    return 4 + checked(length, length) + TAG;
  }

  protected open(packet: Buffer): Buffer {
    const end = packet.length - TAG;
    const decipher = createDecipheriv(this.name, this.key, this.iv, { authTagLength: TAG });
    decipher.setAAD(packet.subarray(0, 4));
    decipher.setAuthTag(packet.subarray(end));
    const inner = decipher.update(packet.subarray(4, end));
    decipher.final(); // throws where the tag is wrong
    increment(this.iv);
    return inner;
  }
}

class CtrDecipher extends PacketDecipher {
  protected readonly lead: number;
  private readonly decipher: NodeDecipher;
  private readonly mac: Mac;
  /** The first block of a packet whose length is encrypted: what has been decrypted is so once and for all. */
  private first: Buffer | undefined;

  constructor(inbound: Inbound) {
    super(inbound);
    this.decipher = createDecipheriv(inbound.decipherInfo.sslName, createSecretKey(inbound.decipherKey), inbound.decipherIV);
    this.mac = new Mac(inbound);
    this.lead = this.mac.afterEncryption ? 4 : BLOCK;
  }

  protected lengthOf(lead: Buffer): number {
    if (this.mac.afterEncryption) {
      const length = lead.readUInt32BE(0);
      return 4 + checked(length, length) + this.mac.length;
    }
    this.first = this.decipher.update(lead);
    const length = this.first.readUInt32BE(0);
    return 4 + checked(length, length + 4) + this.mac.length;
  }

  protected open(packet: Buffer): Buffer {
    const end = packet.length - this.mac.length;
    const theirs = packet.subarray(end);
    if (this.mac.afterEncryption) {
      if (!timingSafeEqual(this.mac.of(this.inSeqno, packet.subarray(0, end)), theirs)) throw new Error('Invalid MAC');
      return this.decipher.update(packet.subarray(4, end));
    }
    const plain = Buffer.concat([this.first!, this.decipher.update(packet.subarray(BLOCK, end))]);
    if (!timingSafeEqual(this.mac.of(this.inSeqno, plain), theirs)) throw new Error('Invalid MAC');
    return plain.subarray(4);
  }
}

/** Increments the invocation counter of an AES-GCM IV, its last 8 bytes (RFC 5647 section 7.1). */
function increment(iv: Buffer): void {
  for (let at = 11; at >= 4; at -= 1) {
    iv[at] = (iv[at]! + 1) & 255;
    if (iv[at] !== 0) return;
  }
}

const isGcm = (name: string) => name.endsWith('-gcm');

export function createCipher({ outbound }: { readonly outbound: Outbound }): Cipher {
  return isGcm(outbound.cipherInfo.sslName) ? new GcmCipher(outbound) : new CtrCipher(outbound);
}

export function createDecipher({ inbound }: { readonly inbound: Inbound }): Decipher {
  return isGcm(inbound.decipherInfo.sslName) ? new GcmDecipher(inbound) : new CtrDecipher(inbound);
}
