/** Where a test lets a connection's bytes be put. */
import type { Sink } from '../../../server/tls/read-into';

/** One buffer, filled to its end before the next is made. */
export class Pieces implements Sink {
  private readonly full: Buffer[] = [];
  /** What each piece is answered with: whether to read on. */
  goOn = true;
  private piece: Buffer;
  private filled = 0;

  constructor(private readonly size: number) {
    this.piece = Buffer.alloc(size);
  }

  space() {
    return this.piece.subarray(this.filled);
  }

  took(bytes: number) {
    this.filled += bytes;
    if (this.filled === this.size) {
      this.full.push(this.piece);
      this.piece = Buffer.alloc(this.size);
      this.filled = 0;
    }
    return this.goOn;
  }

  get content(): Buffer {
    return Buffer.concat([...this.full, this.piece.subarray(0, this.filled)]);
  }
}
