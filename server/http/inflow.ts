/** What a client sends on one connection, in order: heads and small bodies as they come, the bytes of files straight to where they are wanted. */
import type { Socket } from 'node:net';
import { readInto } from '../tls/read-into';

/** The connection ended before what it was to bring. */
export class Disconnected extends Error {
  constructor() {
    super('The client closed the connection');
    this.name = 'Disconnected';
  }
}

/** Where bytes of a file go, as `Sink` of files/ has it. */
export interface Taker {
  space(): Buffer;
  took(bytes: number): boolean;
}

/** Room for heads and for what nobody has asked for yet. Bytes. */
const SCRATCH = 8 * 1024;
/** What may come after the socket was paused, and more. Bytes. */
const MOST_UNASKED = 256 * 1024;
const CR_LF = Buffer.from('\r\n');

interface Wanted {
  readonly taker: Taker;
  left: number;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

export class Inflow {
  private readonly scratch = Buffer.allocUnsafeSlow(SCRATCH);
  private held: Buffer = Buffer.alloc(0);
  private wanted: Wanted | undefined;
  /** Whose space the socket was given last. */
  private given: Wanted | undefined;
  private waiting: (() => void) | undefined;
  private isOver = false;
  private ignores = false;
  private listens = false;

  constructor(private readonly socket: Socket) {
    const over = () => {
      this.isOver = true;
      this.waiting?.();
      this.wanted?.failed(new Disconnected());
      this.wanted = undefined;
    };
    socket.on('end', over).on('close', over);
    readInto(socket, { space: () => this.space(), took: (bytes) => this.took(bytes) });
    if (socket.destroyed || socket.readableEnded) over();
  }

  /** Whether there is something that was not asked for yet. */
  get holdsBytes(): boolean {
    return this.held.length > 0;
  }

  /** Fulfilled when something has come: true at once where something is held. False where the connection has ended. */
  async hasMore(): Promise<boolean> {
    if (this.held.length > 0) return true;
    return this.arrival();
  }

  /** Goes on reading while nobody wants anything, up to a little, so that it is noticed when the client leaves. Until the next head is asked for. */
  listen(): void {
    this.listens = true;
    if (!this.isOver) this.socket.resume();
  }

  /** Everything up to a mark, without it; undefined where the connection ended before the first byte. Throws `tooLong` behind so many bytes. */
  async until(mark: string, most: number, tooLong: () => Error): Promise<Buffer | undefined> {
    this.listens = false;
    for (let looked = 0; ; ) {
      const at = this.held.indexOf(mark, Math.max(0, looked - mark.length + 1), 'latin1');
      if (at > most || (at < 0 && this.held.length > most)) throw tooLong();
      if (at >= 0) {
        const found = this.held.subarray(0, at);
        this.held = this.held.subarray(at + mark.length);
        return found;
      }
      looked = this.held.length;
      if (await this.arrival()) continue;
      if (looked > 0) throw new Disconnected();
      return undefined;
    }
  }

  /** A line of the framing, without its end. */
  async line(most: number, tooLong: () => Error): Promise<string> {
    const line = await this.until(CR_LF.toString('latin1'), most, tooLong);
    if (!line) throw new Disconnected();
    return line.toString('latin1');
  }

  /** Lets so many bytes flow to the taker. Rejected where the connection ends before. `resume` goes on after the taker asked to pause. */
  into(taker: Taker, bytes: number): Promise<void> {
    return new Promise((done, failed) => {
      const wanted: Wanted = { taker, left: bytes, done, failed };
      this.wanted = wanted;
      this.feed();
      if (this.wanted !== wanted) return;
      if (this.isOver) {
        this.wanted = undefined;
        failed(new Disconnected());
      } else this.socket.resume();
    });
  }

  resume(): void {
    if (this.wanted || this.waiting) this.socket.resume();
  }

  /** What comes from now on is thrown away. */
  ignore(): void {
    this.ignores = true;
    this.held = Buffer.alloc(0);
    this.wanted = undefined;
    this.socket.resume();
  }

  /** Who was given bytes wants no more of them, though more may come; those are thrown away. Fulfilled when nothing can come into the space any more. */
  letGo(): Promise<void> {
    const { socket, wanted } = this;
    this.wanted = undefined;
    this.ignores = true;
    wanted?.failed(new Disconnected());
    return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** The same, and the connection ends at once. */
  cut(): Promise<void> {
    const gone = this.letGo();
    this.socket.destroy();
    return gone;
  }

  private arrival(): Promise<boolean> {
    if (this.isOver) return Promise.resolve(false);
    return new Promise((resolve) => {
      const before = this.held.length;
      this.waiting = () => {
        this.waiting = undefined;
        resolve(this.held.length > before);
      };
      this.socket.resume();
    });
  }

  private space(): Buffer {
    this.given = this.wanted;
    if (!this.wanted) return this.scratch;
    const space = this.wanted.taker.space();
    return space.length > this.wanted.left ? space.subarray(0, this.wanted.left) : space;
  }

  private took(bytes: number): boolean {
    if (this.ignores) return true;
    if (this.given) return this.given === this.wanted ? this.tookDirectly(bytes) : true;
    this.held = Buffer.concat([this.held, this.scratch.subarray(0, bytes)]);
    if (this.held.length > MOST_UNASKED) this.socket.destroy();
    if (this.wanted) return this.feed();
    this.waiting?.();
    return this.waiting !== undefined || (this.listens && this.held.length < SCRATCH);
  }

  private tookDirectly(bytes: number): boolean {
    const wanted = this.wanted!;
    const goOn = wanted.taker.took(bytes);
    wanted.left -= bytes;
    if (wanted.left === 0) this.finish(wanted);
    return goOn;
  }

  /** Gives what is held to whom it is for. */
  private feed(): boolean {
    const wanted = this.wanted!;
    let goOn = true;
    while (wanted.left > 0 && this.held.length > 0) {
      const bytes = this.held.copy(wanted.taker.space(), 0, 0, Math.min(wanted.left, this.held.length));
      this.held = this.held.subarray(bytes);
      wanted.left -= bytes;
      goOn = wanted.taker.took(bytes);
    }
    if (wanted.left === 0) {
      this.finish(wanted);
      return false;
    }
    return goOn;
  }

  private finish(wanted: Wanted): void {
    if (this.wanted === wanted) this.wanted = undefined;
    wanted.done();
  }
}
