/** What follows the head of a request: read whole where it is small, or as the source of an upload. */
import { TransferError } from '../files/progress';
import type { Sink, Source } from '../files/source';
import { BadRequest, type Framing } from './head';
import { Disconnected, type Inflow, type Taker } from './inflow';

/** A size of a chunk with its extensions, and a trailer, in bytes. */
const LONGEST_LINE = 1024;
const MOST_TRAILERS = 32;
/** What is left of a body that nobody wanted is read up to here, so that the connection may go on. Bytes. */
const MOST_UNWANTED = 64 * 1024;
/** Room for a small body of unknown length, at first. Bytes. */
const FIRST_ROOM = 4 * 1024;

/** Bytes that come, one behind the other in one piece of memory: in pieces as they came, one of a byte takes a hundred and fifty. */
class Gathered implements Taker {
  private room: Buffer;
  private filled = 0;

  constructor(expected: number) {
    this.room = Buffer.allocUnsafe(Math.max(1, expected));
  }

  get whole(): Buffer {
    return this.room.subarray(0, this.filled);
  }

  space(): Buffer {
    if (this.filled === this.room.length) this.room = Buffer.concat([this.room], 2 * this.room.length);
    return this.room.subarray(this.filled);
  }

  took(bytes: number): boolean {
    this.filled += bytes;
    return true;
  }
}

export class Body {
  private isBegun = false;
  /** Whether all of it has come. */
  isOver = false;

  constructor(
    private readonly inflow: Inflow,
    private readonly framing: Framing,
    private readonly expectsContinue: boolean,
    private readonly events: {
      /** Called before the first byte is read: says 100 where the client waits for it. */
      readonly begins: () => void;
      /** Where the connection has had its part of the event loop's turn: fulfilled when it is to go on. */
      readonly turn: () => Promise<void> | undefined;
      /** Whether the client keeps us waiting for a small body. */
      readonly waits: (isWaiting: boolean) => void;
    },
  ) {
    this.isOver = framing.kind === 'length' && framing.bytes === 0;
  }

  /** Bytes, where the client has said. */
  get length(): number | undefined {
    return this.framing.kind === 'length' ? this.framing.bytes : undefined;
  }

  /** All of it. Throws a BadRequest where it is longer than so many bytes, and what `Inflow` throws. */
  async whole(most: number): Promise<Buffer> {
    if ((this.length ?? 0) > most) throw tooLong(most);
    const gathered = new Gathered(Math.min(most, this.length ?? FIRST_ROOM));
    await this.small(gathered, most);
    return gathered.whole;
  }

  /** The same bytes for an upload. `check` is asked when the last one has come, and what it throws ends the upload. */
  source(stallSeconds: number, check: () => Promise<void> = async () => {}): Source {
    return new BodySource(this, stallSeconds, check);
  }

  /** Lets it flow into the sink of an upload that gets more than this one. Rejected with a TransferError where the connection ends first, or brings nothing for so long. */
  async flowInto(sink: Sink, stallSeconds: number): Promise<void> {
    let moved = 0;
    let seen = -1;
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setInterval(
        () => {
          // While bytes are being stored or scanned, or a limit of bandwidth holds them back, it is not the client who keeps us waiting.
          if (moved === seen && !sink.isBusy) reject(new TransferError('stalled', `The client sent no data for ${stallSeconds} seconds`));
          seen = moved;
        },
        (stallSeconds * 1000) / 2,
      );
    });
    const taker: Taker = {
      space: () => sink.space(),
      took: (bytes) => {
        moved += bytes;
        return sink.took(bytes);
      },
    };
    try {
      await Promise.race([this.flow(taker), stalled]);
    } catch (error) {
      throw error instanceof Disconnected ? new TransferError('cut', 'The connection ended before the upload did') : error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Where all of it has come, and the answer takes long: it is noticed when the client leaves. */
  hearEnd(): void {
    if (this.isOver) this.inflow.listen();
  }

  resume(): void {
    this.inflow.resume();
  }

  /** No more of it is wanted. Fulfilled when nothing can come into the space that it was given. */
  letGo(): Promise<void> {
    return this.inflow.letGo();
  }

  /** The same, and the connection ends at once. */
  cut(): Promise<void> {
    return this.inflow.cut();
  }

  /** Whether what is left of it can't be passed over: the connection can't go on then. */
  get isUnfinished(): boolean {
    return !this.isOver && (this.isBegun || this.expectsContinue || this.length === undefined || this.length > MOST_UNWANTED);
  }

  /** Reads what is left where that is little. False where it is not. */
  async skip(): Promise<boolean> {
    if (this.isUnfinished) return false;
    const piece = Buffer.allocUnsafe(8_192);
    await this.small({ space: () => piece, took: () => true });
    return true;
  }

  private async small(taker: Taker, most?: number): Promise<void> {
    this.events.waits(true);
    await this.flow(taker, most);
    this.events.waits(false);
  }

  /** Lets all of it flow to the taker. Throws a BadRequest where chunks are together longer than so many bytes. */
  async flow(taker: Taker, most = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.isOver) return;
    this.isBegun = true;
    this.events.begins();
    if (this.framing.kind === 'length') await this.inflow.into(taker, this.framing.bytes);
    else await this.chunks(taker, most);
    this.isOver = true;
  }

  /** RFC 9112 section 7.1. */
  private async chunks(taker: Taker, most: number): Promise<void> {
    const malformed = () => new BadRequest(400, 'The body is not chunked as it should be.');
    for (let total = 0; ; ) {
      const size = /^([0-9a-fA-F]{1,12})(?:[ \t]*;.*)?$/.exec(await this.inflow.line(LONGEST_LINE, malformed))?.[1];
      if (size === undefined) throw malformed();
      const bytes = Number.parseInt(size, 16);
      if (bytes === 0) break;
      total += bytes;
      if (total > most) throw tooLong(most);
      const turn = this.events.turn();
      if (turn) await turn;
      await this.inflow.into(taker, bytes);
      if ((await this.inflow.line(0, malformed)) !== '') throw malformed();
    }
    for (let trailers = 0; (await this.inflow.line(LONGEST_LINE, malformed)) !== ''; trailers += 1) if (trailers === MOST_TRAILERS) throw malformed();
  }
}

function tooLong(most: number): BadRequest {
  return new BadRequest(413, `The body is longer than ${most} bytes.`);
}

class BodySource implements Source {
  constructor(
    private readonly body: Body,
    private readonly stallSeconds: number,
    private readonly check: () => Promise<void>,
  ) {}

  flowInto(sink: Sink): void {
    this.body
      .flowInto(sink, this.stallSeconds)
      .then(this.check)
      .then(
        () => sink.end(),
        (error: Error) => sink.fail(error),
      );
  }

  resume(): void {
    this.body.resume();
  }

  async letGo(failed: boolean): Promise<void> {
    if (failed) await this.body.letGo();
  }
}
