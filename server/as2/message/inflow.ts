/** Bytes of one layer as they are read: a little at a time where there is structure, by the piece where there is content. */
import { MessageFailure } from './failure';

/** Chunks are joined in rooms of at least this. Bytes. */
const ROOM = 4096;
const EMPTY = Buffer.alloc(0);

/** Whatever is read of it is read once, in order. Its work grows linearly with the bytes, however they are cut. */
export class Inflow {
  /** What was got and not yet read: `room` from `start` to `end`. What was handed out before lies in the same memory and is never written again. */
  private room: Buffer = EMPTY;
  private start = 0;
  private end = 0;
  private isOver = false;
  private taken = 0;
  private readonly source: AsyncIterator<Buffer>;

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** How many bytes were read. */
  get position(): number {
    return this.taken;
  }

  /** What is there already, without waiting. */
  get buffered(): Buffer {
    return this.room.subarray(this.start, this.end);
  }

  /** Gets more; false where there is none. */
  async more(): Promise<boolean> {
    while (!this.isOver) {
      const next = await this.source.next();
      if (next.done) {
        this.isOver = true;
        return false;
      }
      if (next.value.length === 0) continue;
      this.append(next.value);
      return true;
    }
    return false;
  }

  /** Waits until so many bytes are there, as far as there are so many at all; says how many are. */
  async hold(bytes: number): Promise<number> {
    while (this.end - this.start < bytes && (await this.more()));
    return this.end - this.start;
  }

  /** Reads so many bytes of those that are buffered. */
  skip(bytes: number): Buffer {
    const read = this.room.subarray(this.start, this.start + bytes);
    this.start += read.length;
    this.taken += read.length;
    return read;
  }

  /** Reads exactly so many bytes. */
  async take(bytes: number): Promise<Buffer> {
    if ((await this.hold(bytes)) < bytes) throw new MessageFailure('unexpected-processing-error', 'the message ends in the middle of something');
    return this.skip(bytes);
  }

  /** All that is left, as it comes. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    while (this.end > this.start || (await this.more())) yield this.skip(this.end - this.start);
  }

  /** Reads to the end and throws it away. */
  async drain(): Promise<void> {
    while (this.end > this.start || (await this.more())) this.skip(this.end - this.start);
  }

  /** The headers of a part with the empty line behind them. A part may end with its headers, and may have none. */
  async headerBlock(most: number): Promise<Buffer> {
    let looked = 0;
    for (;;) {
      const { buffered } = this;
      // From the line that was not over yet.
      for (let line = looked; ; ) {
        const feed = buffered.indexOf(10, line);
        if (feed < 0) break;
        const isEmpty = feed === line || (feed === line + 1 && buffered[line] === 13);
        if (isEmpty && feed < most) return this.skip(feed + 1);
        line = looked = feed + 1;
      }
      if (buffered.length > most) throw new MessageFailure('unexpected-processing-error', `a part has more than ${most} bytes of headers`);
      if (!(await this.more())) return this.skip(this.buffered.length);
    }
  }

  private append(chunk: Buffer): void {
    const held = this.end - this.start;
    if (held === 0) {
      this.room = chunk;
      this.start = 0;
      this.end = chunk.length;
      return;
    }
    if (this.room.length - this.end < chunk.length || !this.isOwn) {
      const wider = Buffer.allocUnsafeSlow(Math.max(ROOM, 2 * (held + chunk.length)));
      this.room.copy(wider, 0, this.start, this.end);
      this.room = wider;
      this.own = wider;
      this.start = 0;
      this.end = held;
    }
    chunk.copy(this.room, this.end);
    this.end += chunk.length;
  }

  /** The room that was made here; a chunk is never written into. */
  private own: Buffer | undefined;

  private get isOwn(): boolean {
    return this.room === this.own;
  }
}
