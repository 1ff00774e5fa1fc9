/**
 * An object on its way to a client, in ranges that are asked for ahead and land in slabs. How far ahead follows the client: who waits for bytes gets
 * more of them asked for, up to what memory allows; for one that reads slowly, little is held. What breaks off is asked for again from there on.
 */
import { setMaxListeners } from 'node:events';
import { copyBytes } from '../../copy-bytes';
import type { Lent, ReadHandle } from '../storage';
import type { Bucket, Found } from './bucket';
import { storageError } from './errors';
import { type Memory, SLAB } from './memory';
import type { Landing } from './wire';

/** Most that is asked for ahead for one client. Bytes. */
const FARTHEST = 64 * 1024 * 1024;
/**
 * So many ranges of it are on their way side by side, or one more, where that makes them larger than a piece. S3 gives some 90 MB/s for each (Amazon S3
 * User Guide, "Performance guidelines": ranges of 8 to 16 MB); fewer requests are less work.
 */
const SIDE_BY_SIDE = 4;
/** How much farther it looks each time that the client had to wait. */
const GROWTH = 4;
/** What has landed is passed on in no smaller parcels, but for the first of all. Bytes. */
const PARCEL = 256 * 1024;
/** When all that was asked for has been there for so long, it looks less far. Milliseconds. */
const SLOW_MS = 500;

/** A range of the object and what has come of it. */
class Piece implements Landing {
  /** Bytes that have landed, that were lent, and that were given back. */
  landed = 0;
  taken = 0;
  private done = 0;
  /** Slabs that were given back. */
  private back = 0;
  landedAt = 0;
  failure: { readonly error: unknown } | undefined;
  private readonly wake = new Set<() => void>();
  private isOver = false;

  constructor(
    readonly first: number,
    private bytes: number,
    private readonly slabs: Buffer[],
    private readonly memory: Memory,
  ) {}

  get length(): number {
    return this.bytes;
  }

  /** There are no more bytes than that. */
  shorten(length: number): void {
    this.bytes = length;
    this.memory.giveBack(this.slabs.splice(Math.ceil(length / SLAB)));
    if (this.isWhole) this.landedAt = performance.now();
  }

  get isWhole(): boolean {
    return this.landed === this.length;
  }

  /** Whether there is enough to be worth the way. */
  hasParcel(most: number): boolean {
    const bytes = this.landed - this.taken;
    return bytes > 0 && (this.isWhole || this.failure !== undefined || this.taken === 0 || bytes >= Math.min(most, PARCEL));
  }

  space(): Buffer {
    return this.slabs[Math.floor(this.landed / SLAB)]!.subarray(this.landed % SLAB);
  }

  took(bytes: number): void {
    this.landed += bytes;
    if (this.isWhole) this.landedAt = performance.now();
    this.stir();
  }

  fail(error: unknown): void {
    this.failure = { error };
    this.stir();
  }

  private stir(): void {
    for (const wake of this.wake) wake();
    this.wake.clear();
  }

  /** Fulfilled when there is something to take, or nothing more will come. */
  stirred(): Promise<void> {
    return new Promise((resolve) => this.wake.add(resolve));
  }

  /** What has landed next, up to the end of its slab; to be given back. */
  lend(most: number): Buffer {
    const at = this.taken % SLAB;
    const bytes = this.slabs[Math.floor(this.taken / SLAB)]!.subarray(at, Math.min(SLAB, at + Math.min(most, this.landed - this.taken)));
    this.taken += bytes.length;
    return bytes;
  }

  giveBack({ length }: Buffer): void {
    this.done += length;
    if (this.isOver || (this.done % SLAB !== 0 && this.done !== this.length)) return;
    const index = Math.ceil(this.done / SLAB) - 1;
    this.memory.giveBack([this.slabs[index]!]);
    this.back = index + 1;
  }

  /** Gives back all that is left; nothing may land any more. */
  end(): void {
    if (this.isOver) return;
    this.memory.giveBack(this.slabs.slice(this.back));
    this.isOver = true;
  }
}

const nothing: Lent = { bytes: Buffer.alloc(0), giveBack: () => {} };

export interface ReaderPlace {
  readonly bucket: Bucket;
  readonly key: string;
  readonly memory: Memory;
}

export class ObjectReader implements ReadHandle {
  private readonly leave: () => void;
  private pieces: Piece[] = [];
  /** Requests that run, so that nothing lands in what was given back. */
  private readonly running = new Set<Promise<void>>();
  /** Where the next range begins. */
  private next: number;
  private window = 2 * SLAB;
  private isClosed = false;

  private constructor(
    private readonly place: ReaderPlace,
    private readonly found: Found,
    first: number,
    /** Where to end: bytes from the beginning of the object. */
    readonly size: number,
    private stopping = new AbortController(),
  ) {
    this.leave = place.memory.enter();
    this.next = first;
    setMaxListeners(0, stopping.signal);
  }

  /** Asks for the bytes from there on: the answer says all that has to be known of the object. Undefined where nothing has the key. */
  static async open(place: ReaderPlace, first: number): Promise<ObjectReader | undefined> {
    const { bucket, key, memory } = place;
    const slabs = slabsFor(memory, Math.min(memory.piece, memory.share)) ?? [memory.own()];
    const piece = new Piece(first, slabs.length * SLAB, slabs, memory);
    const stopping = new AbortController();
    let reader: ObjectReader | undefined;
    try {
      const opened = await bucket.open(key, { first, last: first + piece.length - 1 }, piece, stopping.signal);
      if (opened) reader = new ObjectReader(place, opened, first, opened.size, stopping);
      if (opened?.landed) {
        piece.shorten(Math.min(piece.length, opened.size - first));
        reader!.add(piece, opened.landed);
      } else piece.end();
      return reader;
    } catch (error) {
      piece.end();
      throw error;
    }
  }

  /** Reads the beginning of what is known already. */
  static of(place: ReaderPlace, found: Found, size: number): ObjectReader {
    return new ObjectReader(place, found, 0, size);
  }

  /** Fills some of the buffer; 0 is the end. */
  async read(into: Buffer): Promise<number> {
    let filled = 0;
    do {
      const { bytes, giveBack } = await this.lend(into.length - filled);
      if (bytes.length === 0) break;
      copyBytes(bytes, into, filled);
      filled += bytes.length;
      giveBack();
    } while (filled < into.length && this.pieces[0]?.hasParcel(into.length - filled));
    return filled;
  }

  async lend(most: number): Promise<Lent> {
    for (;;) {
      this.askAhead();
      const [piece] = this.pieces;
      if (!piece) return nothing;
      const bytes = piece.hasParcel(most) ? piece.lend(most) : undefined;
      if (piece.taken === piece.length) {
        this.pieces.shift();
        this.lookLessFar();
      }
      if (bytes) return { bytes, giveBack: () => piece.giveBack(bytes) };
      if (piece.failure) return storageError(piece.failure.error);
      this.window = Math.min(FARTHEST, this.window * GROWTH);
      this.askAhead();
      await piece.stirred();
    }
  }

  /** Goes on from that byte. Not while a read is under way. */
  async seek(offset: number): Promise<void> {
    await this.drop();
    this.stopping = new AbortController();
    setMaxListeners(0, this.stopping.signal);
    this.next = offset;
    this.window = 2 * SLAB;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.drop();
    this.leave();
  }

  private async drop(): Promise<void> {
    const { pieces } = this;
    this.pieces = [];
    if (pieces.some(({ isWhole }) => !isWhole)) this.stopping.abort(new Error('nobody reads on'));
    await Promise.all(this.running);
    for (const piece of pieces) piece.end();
  }

  private askAhead(): void {
    const { memory } = this.place;
    for (;;) {
      const left = this.size - this.next;
      const ahead = this.pieces.reduce((sum, { length, taken }) => sum + length - taken, 0);
      const window = Math.min(this.window, memory.share);
      if (this.isClosed || left <= 0 || (this.pieces.length > 0 && ahead >= window)) return;
      const slabs = slabsFor(memory, Math.min(left, rangeOf(window, memory.piece))) ?? (this.pieces.length === 0 ? [memory.own()] : undefined);
      if (!slabs) return;
      const piece = new Piece(this.next, Math.min(left, slabs.length * SLAB), slabs, memory);
      this.add(piece, Promise.resolve());
    }
  }

  /** Puts a piece behind the others and sees to it that the whole of it lands. `under`: the request that brings it. */
  private add(piece: Piece, under: Promise<void>): void {
    this.pieces.push(piece);
    this.next += piece.length;
    const { bucket, key } = this.place;
    const { signal } = this.stopping;
    const one = under
      .catch(() => {}) // what is missing is asked for again
      .then(() => (piece.isWhole ? undefined : bucket.read(key, this.found.etag, piece, signal)))
      .catch((error: unknown) => piece.fail(error))
      .finally(() => this.running.delete(one));
    this.running.add(one);
  }

  /** The client is slower than what comes for it. */
  private lookLessFar(): void {
    const now = performance.now();
    if (this.pieces.length > 0 && this.pieces.every(({ isWhole, landedAt }) => isWhole && now - landedAt > SLOW_MS))
      this.window = Math.max(2 * SLAB, this.window / GROWTH);
  }
}

/** How large a range is: two at least are on their way. Whole slabs, in bytes. */
function rangeOf(window: number, piece: number): number {
  const wanted = Math.min(window / 2, Math.max(piece, window / SIDE_BY_SIDE));
  return Math.max(SLAB, wanted - (wanted % SLAB));
}

/** Slabs for so many bytes, or none of them. */
function slabsFor(memory: Memory, bytes: number): Buffer[] | undefined {
  return memory.spare(Math.ceil(bytes / SLAB));
}
