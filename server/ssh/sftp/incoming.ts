/** Puts the pieces that a channel brings together into packets of SFTP (section 3 of the draft). What is held is bounded by the channel's window. */
import { MalformedPacket } from '../wire';

/** The longest packet, as OpenSSH has it: it is told with `limits@openssh.com`. Bytes. */
export const LONGEST_PACKET = 256 * 1024;
/** Pieces below that are gathered: one that is a byte long takes a hundred otherwise. */
const SMALL = 1_024;
const GATHERED = 16 * 1_024;

export class IncomingPackets {
  private readonly pieces: Buffer[] = [];
  private held = 0;
  /** The last piece, where it is one that small ones are gathered in, and how much of it is filled. */
  private gathering: Buffer | undefined;
  private gathered = 0;

  add(bytes: Buffer): void {
    this.held += bytes.length;
    if (bytes.length >= SMALL) {
      this.gathering = undefined;
      this.pieces.push(bytes);
      return;
    }
    if (!this.gathering || this.gathering.length - this.gathered < bytes.length) {
      this.gathering = Buffer.allocUnsafe(GATHERED);
      this.gathered = 0;
      this.pieces.push(this.gathering.subarray(0, 0));
    }
    this.gathering.set(bytes, this.gathered);
    const last = this.pieces.at(-1)!;
    this.gathered += bytes.length;
    this.pieces[this.pieces.length - 1] = this.gathering.subarray(this.gathered - bytes.length - last.length, this.gathered);
  }

  /** The next packet without its length, or undefined until all of it is there. Throws MalformedPacket where there can be none. */
  next(): Buffer | undefined {
    if (this.held < 4) return undefined;
    const length = this.peekLength();
    if (length === 0 || length > LONGEST_PACKET) throw new MalformedPacket();
    if (this.held < 4 + length) return undefined;
    return this.take(4 + length).subarray(4);
  }

  private peekLength(): number {
    const [first] = this.pieces;
    if (first!.length >= 4) return first!.readUInt32BE(0);
    const head = this.take(4);
    this.pieces.unshift(head);
    this.held += 4;
    return head.readUInt32BE(0);
  }

  private take(count: number): Buffer {
    this.held -= count;
    const [first] = this.pieces;
    if (first!.length > count) {
      this.pieces[0] = first!.subarray(count);
      return first!.subarray(0, count);
    }
    if (first!.length === count) {
      this.shift();
      return first!;
    }
    const whole = Buffer.allocUnsafe(count);
    for (let at = 0; at < count; ) {
      const piece = this.pieces[0]!;
      const size = Math.min(piece.length, count - at);
      piece.copy(whole, at, 0, size);
      at += size;
      if (size === piece.length) this.shift();
      else this.pieces[0] = piece.subarray(size);
    }
    return whole;
  }

  private shift(): void {
    this.pieces.shift();
    if (this.pieces.length === 0) this.gathering = undefined;
  }
}
