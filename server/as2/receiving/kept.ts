/** A message while it is short enough to be kept as it came. */
import { Gathered } from '../gathered';
import type { Headers } from '../message';

export class Kept {
  private kept: Gathered | undefined = new Gathered();
  private bytes = 0;

  constructor(private readonly most: number) {}

  async *watching(body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const piece of body) {
      this.bytes += piece.length;
      if (this.bytes > this.most) this.kept = undefined;
      this.kept?.add(piece);
      yield piece;
    }
  }

  /** Undefined where it was too long. */
  get whole(): Buffer | undefined {
    return this.kept && Buffer.concat(this.kept.pieces);
  }

  async write(headers: Headers, keep: (bytes: Buffer) => Promise<void>): Promise<void> {
    if (!this.kept || this.most === 0) return;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    await keep(Buffer.concat([Buffer.from(`${lines.join('')}\r\n`, 'latin1'), ...this.kept.pieces]));
  }
}
