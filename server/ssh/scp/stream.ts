/** What a client sends on a channel, taken as it is needed. */
import type { Channel, ChannelUser } from '../connection/channel';

/** Small pieces are put together up to so many bytes. */
const GATHERED = 1_024;

/** The client has left, or has said that it sends no more. */
class StreamEnded extends Error {}

export class IncomingStream implements ChannelUser {
  private readonly pieces: Buffer[] = [];
  private isOver = false;
  private waiting: (() => void) | undefined;

  constructor(
    private readonly channel: Channel,
    private readonly onClose: () => void,
  ) {}

  data(bytes: Buffer): boolean {
    const last = this.pieces.at(-1);
    // One of a byte takes a hundred otherwise.
    if (last && last.length + bytes.length <= GATHERED) this.pieces[this.pieces.length - 1] = Buffer.concat([last, bytes]);
    else this.pieces.push(bytes);
    this.wake();
    return true;
  }

  ended(): void {
    this.isOver = true;
    this.wake();
  }

  closed(): void {
    this.ended();
    this.onClose();
  }

  /** At most so many bytes, at least one. Throws StreamEnded. */
  async take(most: number): Promise<Buffer> {
    while (this.pieces.length === 0) {
      if (this.isOver) throw new StreamEnded();
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
    const piece = this.pieces[0]!;
    const taken = piece.subarray(0, most);
    if (taken.length === piece.length) this.pieces.shift();
    else this.pieces[0] = piece.subarray(most);
    this.channel.workedOff(taken.length);
    return taken;
  }

  /** Up to a line feed, without it. Throws where it is longer than that. */
  async line(longest: number): Promise<string> {
    const bytes: number[] = [];
    for (;;) {
      const [byte] = await this.take(1);
      if (byte === 10) return Buffer.from(bytes).toString('utf8');
      bytes.push(byte!);
      if (bytes.length > longest) throw new StreamEnded();
    }
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.();
  }
}
