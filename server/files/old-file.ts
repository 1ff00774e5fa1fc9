/** The file that is there while another is written in its place, read where it is needed. Opened when it is first asked for. */
import { type ReadHandle, StorageError, type Volume } from './storage/storage';

export class OldFile {
  private opening: Promise<ReadHandle> | undefined;
  private at = 0;

  /** `size`: what it had when it was looked at. */
  constructor(
    private readonly volume: Volume,
    private readonly path: string,
    readonly size: number,
  ) {}

  /** Fills the buffer from that byte on; answers how many bytes it got. One call at a time. */
  async read(offset: number, into: Buffer): Promise<number> {
    this.opening ??= this.volume.openRead(this.path, 0);
    const file = await this.opening;
    if (file.size !== this.size) throw changed();
    if (offset !== this.at) await file.seek(offset);
    this.at = offset;
    const filled = await file.read(into);
    this.at += filled;
    return filled;
  }

  /** The bytes from one offset to another. A piece is good until the next one is asked for. */
  async *between(from: number, to: number, piece: number): AsyncIterable<Buffer> {
    const into = Buffer.allocUnsafe(Math.min(piece, Math.max(0, to - from)));
    for (let at = from; at < to; ) {
      const filled = await this.read(at, into.subarray(0, to - at));
      if (filled === 0) throw changed();
      at += filled;
      yield into.subarray(0, filled);
    }
  }

  async close(): Promise<void> {
    const file = await this.opening?.catch(() => undefined);
    await file?.close();
  }
}

function changed(): StorageError {
  return new StorageError('unavailable', 'The file was changed by somebody else meanwhile; try again.');
}
