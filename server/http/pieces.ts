/** The body of a request in pieces, as a program reads a stream: what is not asked for is not read. */
import { TransferError } from '../files/progress';
import type { Body } from './body';

/** Read into at a time; a piece is what came, and shares its memory with others. Bytes. */
const ROOM = 64 * 1024;
const LEAST_ROOM = 4 * 1024;
/** Pieces that may lie here unread before the client is made to wait. Bytes. */
const MOST_WAITING = 256 * 1024;

export class Pieces implements AsyncIterable<Buffer> {
  private room = Buffer.alloc(0);
  private readonly waiting: Buffer[] = [];
  private held = 0;
  private wake: (() => void) | undefined;
  private end: 'over' | Error | undefined;
  private isPaused = false;
  private isPassedOver = false;
  private flow: Promise<void> | undefined;
  private moved = 0;
  /** Bytes that have come. */
  bytes = 0;

  /** `stallSeconds`: so long the client may send nothing while it is waited for. `most`: with a byte more the body ends in `tooLong`. */
  constructor(
    private readonly body: Body,
    private readonly options: { readonly stallSeconds: number; readonly most: number; readonly tooLong: () => Error },
  ) {}

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    this.begin();
    for (;;) {
      const piece = this.waiting.shift();
      if (piece) {
        this.held -= piece.length;
        if (this.isPaused && this.held < MOST_WAITING / 2) this.goOn();
        yield piece;
      } else if (this.end === 'over') return;
      else if (this.end) throw this.end;
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }

  /** Reads what is left and throws it away, so that a client that sends everything before it listens hears the answer. False where it was not to be had. */
  async passOver(): Promise<boolean> {
    this.isPassedOver = true;
    this.waiting.length = 0;
    this.held = 0;
    this.begin();
    if (this.isPaused) this.goOn();
    while (!this.end)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    return this.end === 'over';
  }

  private begin(): void {
    this.flow ??= this.run();
  }

  private async run(): Promise<void> {
    let seen = -1;
    const timer = setInterval(
      () => {
        if (this.moved === seen && !this.isPaused) this.stop(new TransferError('stalled', `The client sent no data for ${this.options.stallSeconds} seconds`));
        seen = this.moved;
      },
      (this.options.stallSeconds * 1000) / 2,
    );
    await this.body
      .flow({ space: () => this.space(), took: (bytes) => this.took(bytes) })
      .then(
        () => this.stop('over'),
        () => this.stop(new TransferError('cut', 'The connection ended before the message did')),
      )
      .finally(() => clearInterval(timer));
  }

  private space(): Buffer {
    if (this.room.length < LEAST_ROOM) this.room = Buffer.allocUnsafeSlow(ROOM);
    return this.room;
  }

  private took(bytes: number): boolean {
    this.moved += 1;
    this.bytes += bytes;
    if (this.bytes > this.options.most) this.stop(this.options.tooLong());
    const piece = this.room.subarray(0, bytes);
    if (this.isPassedOver || this.end) return true;
    this.room = this.room.subarray(bytes);
    this.wait(piece);
    this.held += bytes;
    this.isPaused = this.held >= MOST_WAITING;
    this.tell();
    return !this.isPaused;
  }

  /** Behind the others: what lies behind the last of them in memory belongs to it, for one of a byte takes a hundred and fifty by itself. */
  private wait(piece: Buffer): void {
    const last = this.waiting.at(-1);
    if (last && last.buffer === piece.buffer && last.byteOffset + last.length === piece.byteOffset)
      this.waiting[this.waiting.length - 1] = Buffer.from(piece.buffer, last.byteOffset, last.length + piece.length);
    else this.waiting.push(piece);
  }

  private goOn(): void {
    this.isPaused = false;
    this.body.resume();
  }

  private stop(end: 'over' | Error): void {
    this.end ??= end;
    if (end !== 'over' && !(end instanceof TransferError && end.code === 'cut')) void this.body.letGo();
    this.tell();
  }

  private tell(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}
