/** One upload on the local disk: written to staging, flushed, and renamed into place, or gone without a trace. */
import { constants, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { FairTurns } from '../../fair-turns';
import { bytesOf } from '../chunks';
import { holding, type NameLocks } from '../name-locks';
import { type Draft, type DraftableHandle, type Finding, type PreparableHandle, StorageError, type UploadFacts, type WriteMode } from '../storage';
import type { UploadRoom } from '../upload-room';
import type { Usage } from '../usage';
import { LocalDraft } from './draft';
import { storageError } from './errors';
import type { Folder } from './folder';
import { copyBeginning, reflink } from './kept-beginning';
import type { LocalPrepared, PreparedFile } from './prepared';
import { isForThread, LARGEST_WHOLE, putWhole } from './whole-files';

/** Size in which a kept beginning is read for a scanner. Bytes. */
const PIECE = 1024 * 1024;

export interface UploadPlace {
  /** Where the file is to appear. Closed by the upload when it is over. */
  readonly folder: Folder;
  readonly name: string;
  /** The folder's path below the home, for the quota. */
  readonly parts: readonly string[];
  readonly mode: WriteMode;
  readonly staging: Folder;
  readonly stagingName: string;
  readonly prepared: LocalPrepared;
  readonly fsync: boolean;
  /** Whether it may be answered in the same turn as it was asked for. */
  readonly soon: boolean;
  readonly usage: Usage;
  readonly locks: NameLocks;
  /** Places for copying what is kept. */
  readonly copies: FairTurns;
  /** Whose turn a copy is. */
  readonly user: string;
  /** Takes the staged file into quarantine. */
  readonly putAway: (stagingName: string, size: number, finding: Finding) => Promise<string>;
}

/** Looks at what is there, and reserves a name. No byte is copied or written before the first one is sent. */
export async function openUpload(place: UploadPlace): Promise<LocalUpload> {
  const { folder, name, parts, mode, usage, soon } = place;
  const before = soon ? await folder.findSoon(name) : await folder.find(name);
  if (before?.isDirectory()) throw new StorageError('is-directory', 'That is a directory.');
  // A link or a device, which no listing shows: neither written through nor replaced.
  if (before && !before.isFile()) throw new StorageError('denied', 'The name is taken.');
  if (mode.kind === 'create' && before) throw new StorageError('exists', 'The name is taken.');
  const known = before?.size ?? 0;
  if (mode.kind === 'resume' && mode.offset > known) throw new StorageError('offset', `The file has ${known} bytes, and this is beyond its end.`);
  const keep = mode.kind === 'append' ? known : mode.kind === 'resume' ? mode.offset : 0;
  return new LocalUpload(place, before, keep, await usage.begin(parts, before?.size));
}

export class LocalUpload implements DraftableHandle, PreparableHandle {
  size: number;
  private file: FileHandle | undefined;
  private beginning: Promise<FileHandle> | undefined;
  /** All of a small file, which is written when it is put into place. */
  private whole: Uint8Array<ArrayBuffer> | undefined;
  /** Whether everything was flushed when it was written. */
  private flushed = false;
  /** Where it lies by then. */
  private prepared: PreparedFile | undefined;
  /** The copy of what is kept, beside what comes in. */
  private copying: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();

  constructor(
    private readonly place: UploadPlace,
    private readonly before: Stats | undefined,
    private readonly keep: number,
    private readonly room: UploadRoom,
  ) {
    this.size = keep;
  }

  async write(chunks: readonly Buffer[], isLast = false): Promise<void> {
    if (this.whole) await this.writeOut(); // more has come than was said
    // All of a small file at once: to write it through to the disk is one trip, to write and then to flush it would be two.
    this.flushed = isLast && this.place.fsync && !this.beginning && this.keep === 0;
    const bytes = bytesOf(chunks);
    const at = this.size;
    this.size += bytes;
    if (this.flushed && bytes <= LARGEST_WHOLE && this.place.mode.kind === 'replace') {
      await this.room.grow(this.size);
      this.whole = joined(chunks, bytes);
    } else {
      const file = await this.begin();
      await this.room.grow(this.size);
      await this.writeAt(file, chunks, bytes, at);
    }
  }

  /** Writes what was kept until now. */
  private async writeOut(): Promise<void> {
    const { whole } = this;
    if (!whole) return;
    this.whole = undefined;
    await this.writeAt(await this.begin(), [Buffer.from(whole.buffer)], whole.length, 0);
  }

  private async writeAt(file: FileHandle, chunks: readonly Buffer[], bytes: number, at: number): Promise<void> {
    const { bytesWritten } = await file.writev(chunks, at).catch(storageError);
    if (bytesWritten < bytes) await this.writeRest(file, chunks, bytesWritten, at);
  }

  /** A short write: the rest goes piece by piece, until the disk says what is wrong. */
  private async writeRest(file: FileHandle, chunks: readonly Buffer[], written: number, start: number): Promise<void> {
    let [done, at] = [written, start + written];
    for (const chunk of chunks) {
      if (done >= chunk.length) {
        done -= chunk.length;
        continue;
      }
      for (let from = done; from < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, from, chunk.length - from, at).catch(storageError);
        from += bytesWritten;
        at += bytesWritten;
      }
      done = 0;
    }
  }

  async *kept(): AsyncIterable<Buffer> {
    if (this.keep === 0) return;
    await this.begin();
    await this.copying;
    const { staging, stagingName } = this.place;
    const file = await staging.file(stagingName, constants.O_RDONLY);
    try {
      for (let at = 0; at < this.keep; ) {
        this.stopping.signal.throwIfAborted();
        const piece = Buffer.allocUnsafe(Math.min(PIECE, this.keep - at));
        const { bytesRead } = await file.read(piece, 0, piece.length, at).catch(storageError);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  /** From now on the staged file itself is written anywhere. */
  async toDraft(): Promise<Draft> {
    await this.writeOut();
    await this.begin();
    await this.copying;
    const { staging, stagingName } = this.place;
    const file = await staging.file(stagingName, constants.O_RDWR);
    await this.close();
    this.file = file;
    this.beginning = Promise.resolve(file);
    this.flushed = false;
    return new LocalDraft(file, staging, this.room, this);
  }

  stop(): void {
    this.stopping.abort(new StorageError('unavailable', 'The upload was given up.'));
  }

  async prepare(): Promise<string> {
    const { staging, stagingName, prepared, fsync } = this.place;
    await this.writeOut();
    await this.finishFile();
    this.prepared = await prepared.take(staging, stagingName, fsync);
    return this.prepared.id;
  }

  async commit(_facts?: UploadFacts, mayAppear?: () => void): Promise<'visible'> {
    const { folder, fsync, locks, name } = this.place;
    try {
      // Nothing came that would change what is there.
      if (!this.prepared && !this.beginning && !this.whole && this.before && this.keep === this.before.size && this.place.mode.kind !== 'replace') {
        this.room.give();
        return 'visible';
      }
      if (this.whole && !isForThread(folder)) await this.writeOut();
      if (!this.whole && !this.prepared) await this.finishFile();
      await this.prepared?.settled();
      if (this.room.counts) await holding(locks, [await folder.keyOf(name)], () => this.putIntoPlace(mayAppear));
      else await this.putIntoPlace(mayAppear);
      if (fsync && !this.whole) await folder.sync();
      return 'visible';
    } catch (error) {
      await this.close();
      this.room.give();
      await this.removeStaged(); // it may be in place already, or never have been made
      throw error;
    } finally {
      await folder.close();
    }
  }

  /** What is prepared is withdrawn by others. */
  private async removeStaged(): Promise<void> {
    if (!this.prepared) await this.place.staging.remove(this.place.stagingName).catch(() => {});
  }

  /** Of what is prepared it is known whether it has appeared, though something failed: it has, unless it still waits or was withdrawn. */
  private async hasFailed(error: unknown): Promise<void> {
    const { prepared } = this;
    if (!prepared || (error as StorageError).code === 'not-found' || (await this.place.prepared.isWaiting(prepared.id))) throw error;
  }

  /** The folder in which it lies meanwhile, and its name there. */
  private get staged(): readonly [Folder, string] {
    return this.prepared ? [this.prepared.folder, this.prepared.name] : [this.place.staging, this.place.stagingName];
  }

  /** Sees to it that all is written. */
  private async finishFile(): Promise<void> {
    const { fsync } = this.place;
    const file = await this.begin();
    await this.copying;
    if (fsync && !this.flushed) await file.datasync().catch(storageError);
    this.file = undefined;
    // Some file systems write only when a file is closed, and say only then what went wrong. What is flushed is safe already, and nobody waits for it.
    const closed = file.close();
    if (fsync) closed.catch(() => {});
    else await closed.catch(storageError);
  }

  private async putIntoPlace(mayAppear: (() => void) | undefined): Promise<void> {
    const { folder, name, mode, staging, stagingName } = this.place;
    const replaced = this.room.counts ? await folder.find(name).catch(() => undefined) : this.before;
    await this.room.cover(this.size, replaced?.size);
    mayAppear?.();
    if (this.whole) await putWhole(staging, stagingName, this.whole, folder, name);
    else await (mode.kind === 'create' ? folder.adoptNew(...this.staged, name) : folder.adopt(...this.staged, name)).catch((error) => this.hasFailed(error));
    folder.filled();
    this.room.filled(this.size, replaced?.size);
  }

  async abort(): Promise<void> {
    this.stop();
    await this.close();
    this.room.give();
    if (this.beginning) await this.removeStaged(); // it may not have come to be
    await this.place.folder.close();
  }

  async quarantine(finding: Finding): Promise<string> {
    const { staging, stagingName, folder, putAway } = this.place;
    try {
      await this.writeOut();
      await this.begin();
      await this.copying;
      await this.close();
      return await putAway(stagingName, this.size, finding);
    } catch (error) {
      await this.close();
      await staging.remove(stagingName).catch(() => {}); // it may be put away already
      throw error;
    } finally {
      this.room.give();
      await folder.close();
    }
  }

  /** Makes the staged file, when there is something to put into it. */
  private begin(): Promise<FileHandle> {
    this.beginning ??= this.makeFile().then((file) => {
      this.file = file;
      return file;
    });
    return this.beginning;
  }

  private async makeFile(): Promise<FileHandle> {
    const { staging, stagingName, folder, name } = this.place;
    const { keep, before } = this;
    if (keep === 0 || !before)
      return staging.file(stagingName, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (this.flushed ? constants.O_DSYNC : 0));
    await this.room.grow(keep);
    const source = await folder.file(name, constants.O_RDONLY);
    let handedOver = false;
    try {
      const now = await source.stat();
      if (now.ino !== before.ino || now.dev !== before.dev || now.size < keep)
        throw new StorageError('unavailable', 'The file was changed by somebody else meanwhile; try again.');
      if (await reflink(folder.pathOf(source, name), staging, stagingName, keep)) return await staging.file(stagingName, constants.O_WRONLY);
      if ((await staging.available()) < keep) throw new StorageError('no-space', 'The storage is full.');
      const file = await staging.file(stagingName, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
      handedOver = true;
      const { copies, user } = this.place;
      this.copying = copyBeginning(source, file, keep, { turns: copies, owner: user, signal: this.stopping.signal });
      this.copying.catch(() => {}); // told by who waits for it
      return file;
    } finally {
      if (!handedOver) await source.close();
    }
  }

  /** Closes the staged file when nothing writes to it any more. */
  private async close(): Promise<void> {
    await this.beginning?.catch(() => {});
    await this.copying.catch(() => {});
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }
}

/** A copy, in memory of its own. */
function joined(chunks: readonly Buffer[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
