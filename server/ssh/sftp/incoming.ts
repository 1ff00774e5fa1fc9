/** Puts what a channel brings together into packets of SFTP (section 3 of the draft). What is held is bounded by the channel's window. */
import { release } from '../memory';
import { MalformedPacket } from '../wire';

/** The longest packet, as OpenSSH has it: it is told with `limits@openssh.com`. Bytes. */
export const LONGEST_PACKET = 256 * 1024;
/** Small packets share a block: alone, one of five bytes would take a hundred. One block is little, for most clients wait for an answer. Bytes. */
const FIRST_BLOCK = 1_024;
const BLOCK = 16 * 1_024;

/** Packets one behind the other, each with its length before it. */
interface Block {
  readonly memory: Buffer;
  /** How far it is filled, and how far it has been read. */
  filled: number;
  read: number;
}

export class IncomingPackets {
  private readonly blocks: Block[] = [];
  /** The length of the packet that begins, as far as it has come. */
  private readonly lead = Buffer.alloc(4);
  private leadFilled = 0;
  /** What is missing of the packet that has begun. */
  private missing = 0;
  private isMalformed = false;

  /** Copies the bytes. */
  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && !this.isMalformed; ) {
      if (this.missing === 0) {
        const count = bytes.copy(this.lead, this.leadFilled, at);
        this.leadFilled += count;
        at += count;
        if (this.leadFilled === 4) this.begin(this.lead.readUInt32BE(0));
        continue;
      }
      const block = this.blocks.at(-1)!;
      const count = bytes.copy(block.memory, block.filled, at, at + this.missing);
      block.filled += count;
      this.missing -= count;
      at += count;
    }
  }

  /**
   * The next packet without its length, or undefined until all of it is there. It stays as it is until the next call. Throws MalformedPacket where
   * there can be none.
   */
  next(): Buffer | undefined {
    let [block] = this.blocks;
    if (block && block.read === block.filled) {
      release(block.memory);
      this.blocks.shift();
      [block] = this.blocks;
    }
    if (!block) {
      if (this.isMalformed) throw new MalformedPacket();
      return undefined;
    }
    const from = block.read + 4;
    const end = from + block.memory.readUInt32BE(block.read);
    if (block.filled < end) return undefined;
    block.read = end;
    return block.memory.subarray(from, end);
  }

  private begin(length: number): void {
    this.leadFilled = 0;
    if (length === 0 || length > LONGEST_PACKET) {
      this.isMalformed = true;
      return;
    }
    let block = this.blocks.at(-1);
    const size = 4 + length;
    if (!block || block.memory.length - block.filled < size) {
      const room = Math.max(size, block ? BLOCK : FIRST_BLOCK);
      block = { memory: room > BLOCK ? Buffer.allocUnsafeSlow(room) : Buffer.allocUnsafe(room), filled: 0, read: 0 };
      this.blocks.push(block);
    }
    this.lead.copy(block.memory, block.filled);
    block.filled += 4;
    this.missing = length;
  }
}
