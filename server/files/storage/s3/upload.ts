/**
 * One upload to S3. What fits into one part is kept in memory and put at the end; more goes in parts while it comes. Either way S3
 * shows nothing before the last request, and then the whole. Where a scanner has a say, the bytes wait in the quarantine meanwhile.
 */
import { setMaxListeners } from 'node:events';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { copyBytes } from '../../copy-bytes';
import type { FairTurns } from '../../fair-turns';
import { bytesOf } from '../chunks';
import { holding, type NameLocks } from '../name-locks';
import { type Finding, type PreparableHandle, StorageError, type UploadFacts } from '../storage';
import type { UploadRoom } from '../upload-room';
import type { Bucket, Condition, Found, MultipartUpload } from './bucket';
import { isConflict, isMissing, storageError } from './errors';
import { type Memory, SLAB, type Taker } from './memory';
import { preparedId } from './prepared';
import type { HoldingPlace, RecordState } from './quarantine';
import { copyRanges, partSize, type Range, SMALLEST_PART } from './ranges';
import { ObjectReader } from './reader';
import { UPLOAD_ID } from './upload-id';

export interface UploadPlace {
  readonly id: string;
  readonly bucket: Bucket;
  readonly key: string;
  /** What must hold when the file is put into place. */
  readonly condition: Condition | undefined;
  /** What is kept: the first bytes of what is there. */
  readonly kept: { readonly from: Found; readonly bytes: number } | undefined;
  /** Size of what the upload replaces; undefined where nothing is there. */
  readonly known: number | undefined;
  readonly hold: HoldingPlace | undefined;
  readonly memory: Memory;
  readonly room: UploadRoom;
  readonly locks: NameLocks;
  /** Places for copying what is kept. */
  readonly copies: FairTurns;
  /** Whose turn a copy is. */
  readonly user: string;
}

/** A file up to that size is kept in memory of its own. Bytes. */
const SMALL = 64 * 1024;
/** What is kept is read in pieces of that size, where it has to be. Bytes. */
const KEPT_PIECE = 256 * 1024;

/** No byte is copied or sent before the first one is written. */
export function openUpload(place: UploadPlace): PreparableHandle {
  return new S3Upload(place);
}

/** What stands for a key among the locks on names. */
export function lockOf(bucket: Bucket, key: string): string {
  return `s3://${bucket.name}/${key}`;
}

class S3Upload implements PreparableHandle, Taker {
  private readonly leave: () => void;
  private readonly metadata: Record<string, string>;
  size: number;
  private beginning: Promise<void> | undefined;
  /** The copy of what is kept, beside what comes in. */
  private copying: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  /** The part that is being filled, in slabs; before there is one, a small beginning that may be all. */
  private slabs: Buffer[] = [];
  private small: Buffer[] = [];
  filled = 0;
  private parts: Promise<MultipartUpload> | undefined;
  private nextPart = 1;
  private readonly done: CompletedPart[] = [];
  private readonly sending = new Set<Promise<void>>();
  /** How long the part that is being filled will be. */
  private partBytes = 0;
  private failure: unknown;
  /** All of it is there, in parts. */
  private isPrepared = false;
  /** The scanner has found it good: what is done from now on is done where it belongs. */
  private isReleased = false;
  /** All of it is an object in the quarantine. */
  private isInHold = false;

  constructor(private readonly place: UploadPlace) {
    this.leave = place.memory.enter();
    setMaxListeners(0, this.stopping.signal); // one for each part under way
    this.metadata = { [UPLOAD_ID]: place.id };
    this.size = place.kept?.bytes ?? 0;
  }

  /** Brings what is kept into the upload, when there is something to put behind it. */
  private begin(): Promise<void> {
    this.beginning ??= this.keepBeginning();
    return this.beginning;
  }

  private async keepBeginning(): Promise<void> {
    const { kept, room } = this.place;
    if (!kept || kept.bytes === 0) return;
    await room.grow(kept.bytes);
    if (kept.bytes < SMALLEST_PART) {
      for await (const piece of this.kept()) await this.add(piece);
      return;
    }
    const ranges = copyRanges(kept.bytes);
    this.nextPart = ranges.length + 1;
    const parts = await this.multipart().catch(storageError);
    this.copying = this.copy(parts, kept.from.etag, ranges);
    this.copying.catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  private async copy(parts: MultipartUpload, etag: string, ranges: readonly Range[]): Promise<void> {
    const { bucket, key, copies, user } = this.place;
    const { signal } = this.stopping;
    const giveBack = await copies.take(user, signal);
    try {
      const copied = await this.staged.bucket.copyParts(parts, { bucket, key, etag }, ranges, signal);
      for (const [index, part] of copied.entries()) this.done[index] = part;
    } finally {
      giveBack();
    }
  }

  async *kept(): AsyncIterable<Buffer> {
    const { kept, bucket, key, memory } = this.place;
    if (!kept) return;
    const reader = ObjectReader.of({ bucket, key, memory }, kept.from, kept.bytes);
    try {
      const piece = Buffer.allocUnsafeSlow(KEPT_PIECE);
      for (let filled = await reader.read(piece); filled > 0; filled = await reader.read(piece)) yield piece.subarray(0, filled);
    } finally {
      await reader.close();
    }
  }

  async write(chunks: readonly Buffer[], isLast = false): Promise<void> {
    await this.begin();
    const bytes = bytesOf(chunks);
    this.size += bytes;
    await this.place.room.grow(this.size);
    // Most files are small, and need no slab.
    if (isLast && this.filled + bytes <= SMALL && this.slabs.length === 0) {
      this.small.push(Buffer.concat(chunks));
      this.filled += bytes;
    } else for (const chunk of chunks) await this.add(chunk);
    if (this.failure) storageError(this.failure);
  }

  private async add(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.filled === 0) this.partBytes = this.nextSize();
      if (this.filled === this.slabs.length * SLAB) this.slabs.push(await this.slab());
      const slab = this.slabs.at(-1)!;
      const copied = copyBytes(chunk, slab, this.filled % SLAB, at, at + Math.min(this.partBytes - this.filled, chunk.length - at));
      at += copied;
      this.filled += copied;
      if (this.filled === this.partBytes) await this.sendPart();
    }
  }

  /** One is its own; for more it waits until there is room. */
  private async slab(): Promise<Buffer> {
    const { memory } = this.place;
    return this.slabs.length === 0 && this.sending.size === 0 ? memory.own() : memory.take(this, this.stopping.signal);
  }

  stop(): void {
    this.stopping.abort(new StorageError('unavailable', 'The upload was given up.'));
  }

  /** A small file as well is sent in parts then, one of them: a request that makes an object of all leaves no trace of itself when the object is gone. */
  async prepare(): Promise<string | undefined> {
    const { hold } = this.place;
    try {
      await this.begin();
      if (hold?.judge === 'now' && this.parts && !(await this.partsFromHold(hold))) return undefined;
      this.isReleased = hold?.judge === 'now';
      if (!this.parts || this.filled > 0) {
        if (this.filled === 0) this.partBytes = SMALLEST_PART;
        await this.sendPart();
      }
      await this.sendRest();
      this.isPrepared = true;
      return preparedId(this.staged.bucket, await this.parts!);
    } catch (error) {
      storageError(error);
    }
  }

  /** Makes parts, where it belongs, out of what waited for the scanner. False where the storage can't (versitygw): it stays in the quarantine until it is copied as a whole. */
  private async partsFromHold(hold: HoldingPlace): Promise<boolean> {
    const { bucket, key } = this.place;
    await this.finishParts();
    this.isInHold = true;
    const whole = await hold.bucket.find(hold.key);
    if (!whole) throw new Error('an upload is gone from the quarantine');
    const parts = await bucket.beginParts(key, this.metadata);
    try {
      const from = { bucket: hold.bucket, key: hold.key, etag: whole.etag };
      const copied = await bucket.copyParts(parts, from, copyRanges(whole.size), this.stopping.signal);
      this.done.splice(0, this.done.length, ...copied);
    } catch {
      await bucket.abortParts(parts).catch(() => {}); // the sweep finds it
      return false;
    }
    this.isReleased = true;
    this.parts = Promise.resolve(parts);
    await this.leaveHold(hold);
    return true;
  }

  private async leaveHold(hold: HoldingPlace): Promise<void> {
    this.isInHold = false;
    await hold.bucket.remove(hold.key).catch(() => {}); // what is left is swept
  }

  async commit(facts?: UploadFacts, mayAppear?: () => void): Promise<'visible' | 'held'> {
    const { bucket, key, kept, known, hold, room, locks } = this.place;
    try {
      // Nothing came that would change what is there.
      if (!this.isPrepared && !this.beginning && kept && kept.bytes > 0 && kept.bytes === known) {
        room.give();
        this.end();
        return 'visible';
      }
      await this.begin();
      if (room.counts) await holding(locks, [lockOf(bucket, key)], () => this.putIntoPlace(facts, mayAppear));
      else await this.putIntoPlace(facts, mayAppear);
      this.end();
      return hold?.judge === 'later' ? 'held' : 'visible';
    } catch (error) {
      await this.abort();
      const { condition } = this.place;
      if (isConflict(error) && condition && 'absent' in condition) throw new StorageError('exists', 'The name is taken.');
      storageError(error);
    }
  }

  private async putIntoPlace(facts: UploadFacts | undefined, mayAppear: (() => void) | undefined): Promise<void> {
    const { bucket, key, condition, hold, room, known } = this.place;
    const replaced = room.counts ? (await bucket.find(key))?.size : known;
    await room.cover(this.size, replaced);
    // In parts, what was filled is sent before the request that puts the whole into place.
    if (this.parts) await this.sendRest();
    mayAppear?.();
    if (hold?.judge === 'later') await this.putAt(hold, 'waiting', facts);
    else if (hold && (this.parts || this.isInHold) && !this.isReleased) {
      if (!this.isInHold) await this.finishParts();
      await this.fromHold(hold, mayAppear);
    } else if (this.parts) await this.finishParts(condition);
    else await this.surely(this.place, () => bucket.putWhole(key, this.content(), this.metadata, condition));
    room.filled(this.size, replaced);
  }

  async abort(): Promise<void> {
    this.stop();
    this.place.room.give();
    this.failure ??= new Error('aborted');
    await this.beginning?.catch(() => {});
    await this.copying.catch(() => {});
    await Promise.all(this.sending);
    const { parts } = this;
    this.end();
    // Where S3 does not answer now, the sweep finds it.
    if (!this.isPrepared) await parts?.then((begun) => this.staged.bucket.abortParts(begun)).catch(() => {});
    if (this.isInHold) await this.leaveHold(this.place.hold!);
  }

  async quarantine(finding: Finding): Promise<string> {
    const { hold } = this.place;
    try {
      if (!hold) throw new StorageError('unsupported', 'There is no quarantine.');
      await this.begin();
      await this.putAt(hold, 'infected', finding);
      this.place.room.give();
      this.end();
      return hold.id;
    } catch (error) {
      await this.abort();
      storageError(error);
    }
  }

  /** Puts the file into the quarantine. Its record comes first: who looks at the file there finds out what it is. */
  private async putAt(hold: HoldingPlace, state: RecordState, facts: Partial<Finding> | undefined): Promise<void> {
    await hold.record(state, this.size, facts);
    try {
      if (this.parts) await this.finishParts();
      else await this.surely(hold, () => hold.bucket.putWhole(hold.key, this.content(), this.metadata));
    } catch (error) {
      await hold.forget().catch(() => {}); // the first error is the one to tell
      throw error;
    }
  }

  /** Copies the file from where it waited to where it belongs. */
  private async fromHold(hold: HoldingPlace, mayAppear: (() => void) | undefined): Promise<void> {
    const { bucket, key, condition } = this.place;
    try {
      const whole = await hold.bucket.find(hold.key);
      if (!whole) throw new Error('an upload is gone from the quarantine');
      mayAppear?.();
      await this.surely(this.place, () => bucket.copy({ bucket: hold.bucket, key: hold.key, ...whole }, key, this.metadata, condition));
    } finally {
      await this.leaveHold(hold);
    }
  }

  /** Does the request that makes an object. One that seems to fail may have been carried out, its answer lost: then it is done. */
  private async surely({ bucket, key }: { readonly bucket: Bucket; readonly key: string }, request: () => Promise<void>): Promise<void> {
    await request().catch(async (error: unknown) => {
      const there = await bucket.find(key).catch(() => undefined);
      if (there?.metadata[UPLOAD_ID] !== this.place.id) throw error;
    });
  }

  /** Sends what is left of a file in parts. Fulfilled when all parts are there. */
  private async sendRest(): Promise<void> {
    if (this.filled > 0) await this.sendPart();
    await Promise.all(this.sending);
    await this.copying;
    if (this.failure) throw this.failure;
  }

  private async finishParts(condition?: Condition): Promise<void> {
    await this.sendRest();
    const parts = await this.parts!;
    await this.surely(this.staged, () => this.staged.bucket.completeParts(parts, this.done, condition)).catch((error: unknown) => {
      // Of what is prepared the storage can tell: parts that are no more were put together by the request whose answer was lost, and the object is gone already.
      if (!this.isPrepared || !isMissing(error)) throw error;
    });
    this.parts = undefined;
  }

  /** What was filled, in order. */
  private content(): Buffer[] {
    const full = this.slabs.map((slab, index) => slab.subarray(0, Math.min(SLAB, this.filled - index * SLAB)));
    return this.slabs.length === 0 ? this.small : full;
  }

  private get staged(): { readonly bucket: Bucket; readonly key: string } {
    return this.isReleased ? this.place : (this.place.hold ?? this.place);
  }

  private multipart(): Promise<MultipartUpload> {
    this.parts ??= this.staged.bucket.beginParts(this.staged.key, this.metadata);
    return this.parts;
  }

  /** Small parts while there is little memory, for as long as there are many to go. */
  private nextSize(): number {
    const { memory } = this.place;
    const size = partSize(this.nextPart, memory.piece);
    if (size === undefined) throw new StorageError('quota', 'The file is too large for the storage.');
    return memory.isScarce && size === memory.piece ? SMALLEST_PART : size;
  }

  /** Begins to send the part that was filled; waits while as many are under way as memory allows. */
  private async sendPart(): Promise<void> {
    const { memory } = this.place;
    const [slabs, body, number] = [this.slabs, this.content(), this.nextPart];
    this.slabs = [];
    this.small = [];
    this.filled = 0;
    this.nextPart += 1;
    memory.fly(this, slabs.length);
    const one = this.multipart()
      .then((parts) => this.staged.bucket.putPart(parts, number, body, this.stopping.signal))
      .then(
        (part) => {
          this.done[number - 1] = part;
        },
        (error: unknown) => {
          this.failure ??= error;
        },
      )
      .finally(() => {
        this.sending.delete(one);
        memory.giveBack(slabs);
        memory.land(slabs.length);
      });
    this.sending.add(one);
    while (this.sending.size >= memory.ahead(this.partBytes)) await Promise.race(this.sending);
    if (this.failure) storageError(this.failure);
  }

  private end(): void {
    this.place.memory.giveBack(this.slabs);
    this.slabs = [];
    this.parts = undefined;
    this.leave();
  }
}
