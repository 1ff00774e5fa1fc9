/**
 * An object on its way to a client, in ranges that are asked for ahead and land in slabs. How far ahead follows the client: who waits for bytes gets
 * more of them asked for, up to what memory allows; for one that reads slowly, little is held. What breaks off is asked for again from there on.
 */
import { setMaxListeners } from 'node:events';
import type { Bucket, Found } from './bucket';
import { storageError } from './errors';
import { type Memory, SLAB } from './memory';
import type { Landing } from './wire';

/** Most that is asked for ahead for one client. Bytes. */
const FARTHEST = 64 * 1024 * 1024;
/** How much farther it looks each time that the client had to wait. */
const GROWTH = 4;
/** What has landed is passed on in no smaller parcels, but for the first of all. Bytes. */
const PARCEL = 256 * 1024;
/** When all that was asked for has been there for so long, it looks less far. Milliseconds. */
const SLOW_MS = 500;

/** A range of the object and what has come of it. */
class Piece implements Landing {
  /** Bytes that have landed, and that were read. */
  landed = 0;
  taken = 0;
  landedAt = 0;
  failure: { readonly error: unknown } | undefined;
  private readonly wake = new Set<() => void>();
  private readonly free = new Set<number>();
  private isOver = false;

  constructor(
    readonly first: number,
    readonly length: number,
    private readonly slabs: Buffer[],
    private readonly memory: Memory,
  ) {}

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

  /** Copies what has landed and fits. */
  take(into: Buffer): number {
    let copied = 0;
    while (copied < into.length && this.taken < this.landed) {
      const at = this.taken % SLAB;
      const index = Math.floor(this.taken / SLAB);
      const bytes = this.slabs[index]!.copy(into, copied, at, Math.min(SLAB, at + this.landed - this.taken));
      copied += bytes;
      this.taken += bytes;
      if (this.taken % SLAB === 0 || this.taken === this.length) this.giveBack(index);
    }
    return copied;
  }

  private giveBack(index: number): void {
    if (this.isOver || this.free.has(index)) return;
    this.free.add(index);
    this.memory.giveBack([this.slabs[index]!]);
  }

  /** Gives back all that is left; nothing may land any more. */
  end(): void {
    if (this.isOver) return;
    this.memory.giveBack(this.slabs.filter((_, index) => !this.free.has(index)));
    this.isOver = true;
  }
}

export interface ReaderPlace {
  readonly bucket: Bucket;
  readonly key: string;
  readonly memory: Memory;
}

export class ObjectReader {
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
    const slab = memory.own();
    const landing = new FirstLanding(slab);
    const stopping = new AbortController();
    try {
      const opened = await bucket.open(key, { first, last: first + SLAB - 1 }, landing, stopping.signal);
      const reader = opened && new ObjectReader(place, opened, first, opened.size, stopping);
      if (reader && opened.landed) {
        const piece = new Piece(first, Math.min(SLAB, opened.size - first), [slab], memory);
        landing.follow(piece);
        reader.add(piece, opened.landed);
      } else memory.giveBack([slab]);
      return reader;
    } catch (error) {
      memory.giveBack([slab]);
      throw error;
    }
  }

  /** Reads the beginning of what is known already. */
  static of(place: ReaderPlace, found: Found, size: number): ObjectReader {
    return new ObjectReader(place, found, 0, size);
  }

  /** Fills some of the buffer; 0 is the end. */
  async read(into: Buffer): Promise<number> {
    for (;;) {
      this.askAhead();
      const [piece] = this.pieces;
      if (!piece) return 0;
      const copied = piece.hasParcel(into.length) ? piece.take(into) : 0;
      if (piece.taken === piece.length) {
        this.pieces.shift();
        this.lookLessFar();
      }
      if (copied > 0) return copied;
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
      if (this.isClosed || left <= 0 || (this.pieces.length > 0 && ahead >= this.window)) return;
      const wanted = Math.min(left, memory.piece, Math.max(SLAB, this.window / 2));
      const slabs = memory.spare(Math.ceil(wanted / SLAB)) ?? (this.pieces.length === 0 ? [memory.own()] : undefined);
      if (!slabs) return;
      const piece = new Piece(this.next, Math.min(wanted, slabs.length * SLAB), slabs, memory);
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

/** Where the first bytes land before it is known how many there will be. */
class FirstLanding implements Landing {
  private piece: Piece | undefined;
  private landed = 0;

  constructor(private readonly slab: Buffer) {}

  space(): Buffer {
    return this.piece ? this.piece.space() : this.slab.subarray(this.landed);
  }

  took(bytes: number): void {
    if (this.piece) this.piece.took(bytes);
    else this.landed += bytes;
  }

  follow(piece: Piece): void {
    this.piece = piece;
    if (this.landed > 0) piece.took(this.landed);
  }
}
