/** A file that a client reads: it asks for pieces ahead, and while one is sent the next is read. */

import type { Reading } from '../../files/account-files';
import { borrowBuffer, returnBuffer } from '../../files/buffers';

/** One piece of the file in memory. */
interface Piece {
  readonly offset: number;
  readonly buffer: Buffer;
  filled: number;
}

export class ReadingFile {
  private current: Piece | undefined;
  private ahead: Promise<Piece | undefined> | undefined;
  /** One of which a part is still to be sent, until the next call. */
  private before: Piece | undefined;
  private closed = false;

  constructor(private readonly reading: Reading) {}

  get size(): number {
    return this.reading.size;
  }

  /** The bytes from there on, at most so many; none at the end. They stay as they are until the next call. */
  async read(offset: number, length: number): Promise<readonly Buffer[]> {
    this.release();
    const parts: Buffer[] = [];
    let at = offset;
    const end = Math.min(offset + length, this.size);
    while (at < end) {
      const piece = await this.pieceAt(at, parts.length > 0);
      if (!piece) break;
      const from = at - piece.offset;
      const part = piece.buffer.subarray(from, Math.min(piece.filled, from + (end - at)));
      // What lies in the piece before is overwritten only once the client asks on.
      parts.push(part);
      at += part.length;
      if (parts.length === 2) break;
    }
    return parts;
  }

  async close(): Promise<void> {
    await this.forget();
    await this.reading.close();
  }

  async abort(): Promise<void> {
    await this.forget();
    await this.reading.abort();
  }

  private async pieceAt(offset: number, keepsBefore: boolean): Promise<Piece | undefined> {
    const { current } = this;
    if (current && offset >= current.offset && offset < current.offset + current.filled) return current;
    const next = await this.ahead;
    this.ahead = undefined;
    if (next && offset >= next.offset && offset < next.offset + next.filled) {
      this.leave(current, keepsBefore);
      this.current = next;
    } else {
      if (next) returnBuffer(next.buffer);
      this.leave(current, keepsBefore);
      this.current = undefined;
      this.current = await this.load(offset);
    }
    const piece = this.current;
    const follows = piece ? piece.offset + piece.filled : this.size;
    if (piece && follows < this.size && !this.closed) this.ahead = this.load(follows).catch(() => undefined);
    return piece;
  }

  /** The piece is no longer the one that is read; a part of it may still have to be sent. */
  private leave(piece: Piece | undefined, isNeeded: boolean): void {
    if (!piece) return;
    if (isNeeded) this.before = piece;
    else returnBuffer(piece.buffer);
  }

  private release(): void {
    if (this.before) returnBuffer(this.before.buffer);
    this.before = undefined;
  }

  private async load(offset: number): Promise<Piece | undefined> {
    const buffer = borrowBuffer(this.size - offset);
    try {
      const filled = await this.reading.read(offset, buffer);
      if (filled > 0) return { offset, buffer, filled };
      returnBuffer(buffer);
      return undefined;
    } catch (error) {
      returnBuffer(buffer);
      throw error;
    }
  }

  private async forget(): Promise<void> {
    this.closed = true;
    const next = await this.ahead;
    this.ahead = undefined;
    this.release();
    for (const piece of [this.current, next]) if (piece) returnBuffer(piece.buffer);
    this.current = undefined;
  }
}
