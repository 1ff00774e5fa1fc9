/** What of a file came before its turn, kept in memory until it is. No two pieces overlap. */

/** So much is kept: clients that send ahead may be answered, or served, a little out of order. Bytes. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_PIECES = 1_024;

export class EarlyPieces {
  private readonly pieces = new Map<number, Buffer>();
  private bytes = 0;

  /** Keeps a copy; false where that is too much, or the bytes are here already. */
  keep(offset: number, bytes: Buffer): boolean {
    if (this.bytes + bytes.length > MOST_BYTES || this.pieces.size === MOST_PIECES || this.holdsAny(offset, offset + bytes.length)) return false;
    this.pieces.set(offset, Buffer.from(bytes));
    this.bytes += bytes.length;
    return true;
  }

  /** The piece that begins there, which is no longer kept then. */
  take(offset: number): Buffer | undefined {
    const piece = this.pieces.get(offset);
    if (!piece) return undefined;
    this.pieces.delete(offset);
    this.bytes -= piece.length;
    return piece;
  }

  /** Whether there are bytes between two offsets. */
  holdsAny(from: number, to: number): boolean {
    for (const [offset, { length }] of this.pieces) if (offset < to && offset + length > from) return true;
    return false;
  }

  /** In the order of coming. */
  *all(): Iterable<readonly [number, Buffer]> {
    yield* this.pieces;
  }

  clear(): void {
    this.pieces.clear();
    this.bytes = 0;
  }

  get isEmpty(): boolean {
    return this.pieces.size === 0;
  }
}
