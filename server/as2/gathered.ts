/** What comes in pieces, put together as it comes: one of a byte takes a hundred and fifty by itself, and whoever sends says how small they are. */
export class Gathered {
  private readonly blocks: Buffer[] = [];
  /** Of the last block. */
  private filled = 0;
  /** All of it. */
  bytes = 0;

  /** Copies the bytes. */
  add(piece: Buffer): void {
    for (let from = 0; from < piece.length; ) {
      let block = this.blocks.at(-1);
      if (!block || this.filled === block.length) {
        block = Buffer.allocUnsafeSlow(Math.min(LARGEST, Math.max(SMALLEST, this.bytes, piece.length - from)));
        this.blocks.push(block);
        this.filled = 0;
      }
      const copied = piece.copy(block, this.filled, from);
      from += copied;
      this.filled += copied;
      this.bytes += copied;
    }
  }

  get pieces(): readonly Buffer[] {
    return this.blocks.map((block, index) => (index === this.blocks.length - 1 ? block.subarray(0, this.filled) : block));
  }
}

/** Of blocks. Bytes. */
const SMALLEST = 1_024;
const LARGEST = 256 * 1_024;
