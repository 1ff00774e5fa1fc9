/** One channel (RFC 4254 section 5): a stream each way, neither faster than its reader. */
import { release } from '../memory';
import { WireWriter } from '../wire';
import { messages } from './messages';

/** What the client may send ahead of what was worked off. Bytes. */
export const WINDOW = 2 * 1024 * 1024;
/** The largest piece that is taken. Bytes. */
export const LARGEST_PIECE = 32 * 1024;

/** What works on a channel. */
export interface ChannelUser {
  /** Takes what came. True where the bytes are still looked at when the call is over; else their memory is given back. */
  data(bytes: Buffer): boolean;
  /** The client sends no more. */
  ended(): void;
  /** The channel is gone, whoever closed it. */
  closed(): void;
}

/** What of the connection a channel uses. */
export interface ChannelLink {
  send(...parts: readonly Uint8Array[]): void;
  room(): Promise<void>;
  readonly isFull: boolean;
}

export class Channel {
  user: ChannelUser | undefined;
  /** How much the client may still send. */
  private window = WINDOW;
  private credit = 0;
  private sentClose = false;
  private sentEnd = false;
  private gone = false;
  private waiting: (() => void) | undefined;
  private readonly header = Buffer.alloc(9);

  constructor(
    private readonly link: ChannelLink,
    readonly theirs: number,
    private theirWindow: number,
    private readonly theirLargest: number,
    private readonly onClose: () => void,
  ) {
    this.header[0] = messages.channelData;
    this.header.writeUInt32BE(theirs, 1);
  }

  /** Whether something waits until the client wants more. */
  get isBlocked(): boolean {
    return this.waiting !== undefined;
  }

  /**
   * Sends all of it, in order; fulfilled when it is on its way and there is room for more, at once where there is. False where the channel is gone. Called
   * again only then.
   */
  send(...parts: readonly Uint8Array[]): Promise<boolean> | boolean {
    let bytes = 0;
    for (const { length } of parts) bytes += length;
    if (bytes > Math.min(this.theirWindow, this.theirLargest)) return this.sendPieces(parts, bytes);
    if (this.gone || this.sentEnd) return false;
    if (bytes === 0) return true;
    this.header.writeUInt32BE(bytes, 5);
    this.link.send(this.header, ...parts);
    this.theirWindow -= bytes;
    return this.link.isFull ? this.link.room().then(() => !this.gone) : true;
  }

  private async sendPieces(parts: readonly Uint8Array[], bytes: number): Promise<boolean> {
    let left = bytes;
    let part = 0;
    let offset = 0;
    while (left > 0) {
      if (this.gone || this.sentEnd) return false;
      if (this.theirWindow === 0) {
        await new Promise<void>((resolve) => {
          this.waiting = resolve;
        });
        continue;
      }
      const size = Math.min(left, this.theirWindow, this.theirLargest);
      this.header.writeUInt32BE(size, 5);
      const pieces: Uint8Array[] = [this.header];
      for (let missing = size; missing > 0; ) {
        const from = parts[part]!;
        const count = Math.min(missing, from.length - offset);
        pieces.push(count === from.length ? from : from.subarray(offset, offset + count));
        missing -= count;
        offset += count;
        if (offset === from.length) {
          part += 1;
          offset = 0;
        }
      }
      this.link.send(...pieces);
      this.theirWindow -= size;
      left -= size;
      if (this.link.isFull) await this.link.room();
    }
    return !this.gone;
  }

  /** Says that so many bytes of what came were worked off, so that as many may follow. */
  workedOff(bytes: number): void {
    this.credit += bytes;
    if (this.credit < WINDOW / 4 || this.gone || this.sentClose) return;
    this.link.send(new WireWriter().byte(messages.channelWindowAdjust).uint32(this.theirs).uint32(this.credit).done());
    this.window += this.credit;
    this.credit = 0;
  }

  /** Ends this side, and with it the channel. `status` is what a command exits with. */
  close(status?: number): void {
    if (this.sentClose || this.gone) return;
    if (status !== undefined)
      this.link.send(new WireWriter().byte(messages.channelRequest).uint32(this.theirs).string('exit-status').boolean(false).uint32(status).done());
    if (!this.sentEnd) this.link.send(new WireWriter().byte(messages.channelEof).uint32(this.theirs).done());
    this.sentEnd = true;
    this.sentClose = true;
    this.link.send(new WireWriter().byte(messages.channelClose).uint32(this.theirs).done());
    this.wake();
  }

  /** What came for this channel. False where the client sent more than it may. */
  took(bytes: Buffer): boolean {
    if (bytes.length > this.window || bytes.length > LARGEST_PIECE) return false;
    this.window -= bytes.length;
    const { length } = bytes;
    if (!this.user || this.sentClose) this.workedOff(length);
    else if (!this.user.data(bytes)) release(bytes);
    return true;
  }

  /** False where it adds up to more than RFC 4254 section 5.2 allows. */
  widened(bytes: number): boolean {
    this.theirWindow += bytes;
    this.wake();
    return this.theirWindow <= 0xffff_ffff;
  }

  theyEnded(): void {
    this.user?.ended();
  }

  /** The client closed it, or the connection is gone. */
  theyClosed(): void {
    if (this.gone) return;
    this.close();
    this.gone = true;
    this.wake();
    this.user?.closed();
    this.onClose();
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.();
  }
}
