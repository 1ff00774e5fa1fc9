/** A message while it is short enough to be kept as it came. */
import type { Headers } from '../message';

export class Kept {
  private pieces: Buffer[] | undefined = [];
  private bytes = 0;

  constructor(private readonly most: number) {}

  async *watching(body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const piece of body) {
      this.bytes += piece.length;
      if (this.bytes > this.most) this.pieces = undefined;
      this.pieces?.push(piece);
      yield piece;
    }
  }

  /** Undefined where it was too long. */
  get whole(): Buffer | undefined {
    return this.pieces && Buffer.concat(this.pieces);
  }

  async write(headers: Headers, keep: (bytes: Buffer) => Promise<void>): Promise<void> {
    if (!this.pieces || this.most === 0) return;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    await keep(Buffer.concat([Buffer.from(`${lines.join('')}\r\n`, 'latin1'), ...this.pieces]));
  }
}
