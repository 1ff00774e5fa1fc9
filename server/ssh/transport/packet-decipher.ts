/** Packets that come: gathered until all of one is there, proven, and decrypted. */
import { createDecipheriv, createSecretKey, type KeyObject, type Decipher as NodeDecipher, timingSafeEqual } from 'node:crypto';
import type { Decipher, Inbound, OnPayload } from 'ssh2/lib/protocol/crypto.js';
import { release } from '../memory';
import { Mac } from './mac';
import { BLOCK, increment, LEAST_PADDING, LITTLE, TAG } from './packet';

/** The longest packet that is taken: a channel packet of 32 KiB, the largest that is asked for, and what surrounds it. RFC 4253 section 6.1 wants 35000. */
const LONGEST = 35_000;

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

export class GcmDecipher extends PacketDecipher {
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

export class CtrDecipher extends PacketDecipher {
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
