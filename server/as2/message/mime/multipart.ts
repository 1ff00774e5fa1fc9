/** The parts of a multipart (RFC 2046 section 5.1.1), one behind the other, byte for byte. */
import { MessageFailure } from '../failure';
import type { Inflow } from '../inflow';

/** Spaces that may stand behind a boundary on its line. Bytes. */
const LONGEST_PADDING = 128;
/** RFC 2046 allows 70; some peers write more. */
const LONGEST_BOUNDARY = 250;

export class Multipart {
  /** With the line feed before it. */
  private readonly needle: Buffer;
  private isClosed = false;

  constructor(
    private readonly inflow: Inflow,
    boundary: string | undefined,
  ) {
    if (!boundary || boundary.length > LONGEST_BOUNDARY)
      throw new MessageFailure('unexpected-processing-error', 'a multipart names no boundary, or one too long');
    this.needle = Buffer.from(`\n--${boundary}`, 'utf8');
  }

  /** Passes over what stands before the first part, and says whether there is one. */
  async first(): Promise<boolean> {
    for await (const _ of this.content());
    return !this.isClosed;
  }

  /** Whether there is another part, behind the one whose content was read to its end. */
  get hasNext(): boolean {
    return !this.isClosed;
  }

  /**
   * All of a part, headers too, up to the line end that belongs to its boundary; reads that boundary as well. What only looks like one is passed over where it
   * lies: content that is full of it comes in pieces as large as it came.
   */
  async *content(): AsyncGenerator<Buffer, void, undefined> {
    const { inflow, needle } = this;
    // A boundary may be the first thing there is.
    await inflow.hold(needle.length - 1);
    const first = inflow.buffered.indexOf(needle.subarray(1)) === 0 ? await this.boundary(0) : undefined;
    if (first !== undefined) {
      inflow.skip(first);
      return;
    }
    let looked = 0;
    for (;;) {
      const { buffered } = inflow;
      const feed = buffered.indexOf(needle, looked);
      if (feed < 0) {
        // The end may be the beginning of a boundary, with a carriage return before it.
        const sure = Math.max(0, buffered.length - needle.length);
        if (sure > 0) yield inflow.skip(sure);
        looked = Math.max(0, looked - sure);
        if (!(await inflow.more())) throw new MessageFailure('unexpected-processing-error', 'a multipart ends without its last boundary');
        continue;
      }
      const behind = await this.boundary(feed + 1);
      if (behind !== undefined) {
        const end = feed > 0 && buffered[feed - 1] === 13 ? feed - 1 : feed;
        if (end > 0) yield inflow.skip(end);
        inflow.skip(behind - end);
        return;
      }
      looked = feed + 1;
    }
  }

  /** Where the line ends of the boundary that begins `at`, if it is one: nothing but two dashes and spaces stand behind it. Nothing is read. */
  private async boundary(at: number): Promise<number | undefined> {
    const { inflow } = this;
    const after = at + this.needle.length - 1;
    for (let next = after, isLast = false; ; next++) {
      const isThere = next < inflow.buffered.length || (await inflow.hold(next + 1)) > next;
      if (!isThere) {
        if (!isLast) return undefined;
        this.isClosed = true;
        return next;
      }
      const byte = inflow.buffered[next]!;
      if (byte === 10) {
        this.isClosed = isLast;
        return next + 1;
      }
      if (next === after && byte === 45 && (await inflow.hold(next + 2)) > next + 1 && inflow.buffered[next + 1] === 45) {
        isLast = true;
        next++;
        continue;
      }
      if ((byte !== 32 && byte !== 9 && byte !== 13) || next - after > LONGEST_PADDING) return undefined;
    }
  }
}
