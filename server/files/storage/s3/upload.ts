/**
 * One upload to S3. What fits into one part is kept in memory and put at the end; more goes in parts while it comes. Either way S3
 * shows nothing before the last request, and then the whole. Where a scanner has a say, the bytes wait in the quarantine meanwhile.
 */
import type { CompletedPart } from '@aws-sdk/client-s3';
import type { FairTurns } from '../../fair-turns';
import { bytesOf } from '../chunks';
import { holding, type NameLocks } from '../name-locks';
import { type Finding, StorageError, type UploadFacts, type WriteHandle } from '../storage';
import type { UploadRoom } from '../usage';
import type { Bucket, Condition, Found, MultipartUpload } from './bucket';
import { isConflict, storageError } from './errors';
import type { Memory } from './memory';
import { readPieces } from './pieces';
import type { HoldingPlace, RecordState } from './quarantine';
import { COPY_PART, copyRanges, partSize, type Range, SMALLEST_PART } from './ranges';
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

/** No byte is copied or sent before the first one is written. */
export function openUpload(place: UploadPlace): WriteHandle {
  return new S3Upload(place);
}

/** What stands for a key among the locks on names. */
export function lockOf(bucket: Bucket, key: string): string {
  return `s3://${bucket.name}/${key}`;
}

class S3Upload implements WriteHandle {
  private readonly leave: () => void;
  private readonly metadata: Record<string, string>;
  size: number;
  private beginning: Promise<void> | undefined;
  /** The copy of what is kept, beside what comes in. */
  private copying: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  /** The part that is being filled. */
  private buffer: Buffer | undefined;
  private filled = 0;
  private parts: MultipartUpload | undefined;
  private nextPart = 1;
  private readonly done: CompletedPart[] = [];
  private readonly sending = new Set<Promise<void>>();
  private failure: unknown;

  constructor(private readonly place: UploadPlace) {
    this.leave = place.memory.enter();
    this.metadata = { [UPLOAD_ID]: place.id };
    this.size = place.kept?.bytes ?? 0;
  }

  /** Brings what is kept into the upload, when there is something to put behind it. */
  private begin(): Promise<void> {
    this.beginning ??= this.keepBeginning();
    return this.beginning;
  }

  private async keepBeginning(): Promise<void> {
    const { kept, bucket, key, room, memory } = this.place;
    if (!kept || kept.bytes === 0) return;
    await room.grow(kept.bytes);
    if (kept.bytes < SMALLEST_PART) {
      this.buffer = memory.borrow(memory.piece);
      await bucket.read(key, kept.from.etag, { first: 0, last: kept.bytes - 1 }, this.buffer).catch(storageError);
      this.filled = kept.bytes;
      return;
    }
    const ranges = copyRanges(kept.bytes, COPY_PART);
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

  kept(): AsyncIterable<Buffer> {
    const { kept, bucket, key, memory } = this.place;
    return readPieces({ bucket, key, etag: kept?.from.etag ?? '', first: 0, size: kept?.bytes ?? 0, memory });
  }

  async write(chunks: readonly Buffer[]): Promise<void> {
    await this.begin();
    this.size += bytesOf(chunks);
    await this.place.room.grow(this.size);
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        this.buffer ??= this.place.memory.borrow(this.nextSize());
        const copied = chunk.copy(this.buffer, this.filled, at);
        at += copied;
        this.filled += copied;
        if (this.filled === this.buffer.length) await this.sendPart();
      }
    }
    if (this.failure) storageError(this.failure);
  }

  stop(): void {
    this.stopping.abort(new StorageError('unavailable', 'The upload was given up.'));
  }

  async commit(facts?: UploadFacts, mayAppear?: () => void): Promise<'visible' | 'held'> {
    const { bucket, key, kept, known, hold, room, locks } = this.place;
    try {
      // Nothing came that would change what is there.
      if (!this.beginning && kept && kept.bytes > 0 && kept.bytes === known) {
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
    else if (hold && this.parts) {
      await this.finishParts();
      await this.fromHold(hold, mayAppear);
    } else if (this.parts) await this.finishParts(condition);
    else await this.surely(this.place, () => bucket.put(key, this.content(), { metadata: this.metadata, condition }));
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
    if (parts) await this.staged.bucket.abortParts(parts).catch(() => {});
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
      else await this.surely(hold, () => hold.bucket.put(hold.key, this.content(), { metadata: this.metadata }));
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
      await hold.bucket.remove(hold.key).catch(() => {}); // what is left is swept
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
    const parts = this.parts!;
    await this.surely(this.staged, () => this.staged.bucket.completeParts(parts, this.done, condition));
    this.parts = undefined;
  }

  private content(): Buffer {
    return this.buffer?.subarray(0, this.filled) ?? Buffer.alloc(0);
  }

  private get staged(): { readonly bucket: Bucket; readonly key: string } {
    return this.place.hold ?? this.place;
  }

  private async multipart(): Promise<MultipartUpload> {
    this.parts ??= await this.staged.bucket.beginParts(this.staged.key, this.metadata);
    return this.parts;
  }

  private nextSize(): number {
    const size = partSize(this.nextPart, this.place.memory.piece);
    if (size === undefined) throw new StorageError('quota', 'The file is too large for the storage.');
    return size;
  }

  /** Begins to send the part that was filled; waits while as many are under way as memory allows. */
  private async sendPart(): Promise<void> {
    const { memory } = this.place;
    const [buffer, filled, number] = [this.buffer!, this.filled, this.nextPart];
    this.buffer = undefined;
    this.filled = 0;
    this.nextPart += 1;
    const parts = await this.multipart().catch(storageError);
    while (this.sending.size >= memory.ahead()) await Promise.race(this.sending);
    if (this.failure) storageError(this.failure);
    const one = this.staged.bucket
      .putPart(parts, number, buffer.subarray(0, filled))
      .then(
        (part) => {
          this.done[number - 1] = part;
        },
        (error: unknown) => {
          this.failure ??= error;
        },
      )
      .finally(() => {
        memory.giveBack(buffer);
        this.sending.delete(one);
      });
    this.sending.add(one);
  }

  private end(): void {
    if (this.buffer) this.place.memory.giveBack(this.buffer);
    this.buffer = undefined;
    this.parts = undefined;
    this.leave();
  }
}
