/** Packets that are sent: put together in one buffer each, padded, encrypted, and proven. */
import { createCipheriv, createSecretKey, type KeyObject, type Cipher as NodeCipher } from 'node:crypto';
import type { Cipher, Outbound } from 'ssh2/lib/protocol/crypto.js';
import { release } from '../memory';
import { Mac } from './mac';
import { BLOCK, HEADER, increment, LEAST_PADDING, LITTLE, TAG } from './packet';

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

export class GcmCipher extends PacketCipher {
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

export class CtrCipher extends PacketCipher {
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
