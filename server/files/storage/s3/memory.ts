/** Bounds what all transfers together hold in memory: the more of them run, the less each sends or reads ahead. */

/** Most that one transfer sends or reads ahead, in pieces. */
const MOST_AHEAD = 4;
/** Buffers kept for the next transfer. */
const KEPT = 16;

export class Memory {
  private readonly idle: Buffer[] = [];
  private transfers = 0;

  constructor(
    /** What may be sent or read ahead at once. Bytes. */
    private readonly budget: number,
    /** Size of a piece: a part of an upload, a range of a download. Bytes. */
    readonly piece: number,
  ) {}

  /** Counts a transfer; the answer, called once, says that it is over. */
  enter(): () => void {
    this.transfers += 1;
    return () => {
      this.transfers -= 1;
    };
  }

  /** How many pieces one transfer may have under way now; at least one. */
  ahead(): number {
    return Math.max(1, Math.min(MOST_AHEAD, Math.floor(this.budget / (this.piece * Math.max(1, this.transfers)))));
  }

  /** A buffer of the size; its content is undefined. Memory that is never written to is never taken from the system. */
  borrow(size: number): Buffer {
    return (size === this.piece ? this.idle.pop() : undefined) ?? Buffer.allocUnsafeSlow(size);
  }

  /** Gives back a buffer that nobody reads any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === this.piece && this.idle.length < KEPT) this.idle.push(buffer);
  }
}
