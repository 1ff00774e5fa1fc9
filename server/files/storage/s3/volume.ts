/**
 * One account's files in S3. A folder is what keys have before a slash; one made by MKD is an empty object whose key ends with a
 * slash, so that it is there while nothing is in it.
 */
import type { FairTurns } from '../../fair-turns';
import { canBeNamed, checkNew, DEEPEST, partsOf, tooDeep } from '../../virtual-path';
import { holding, type NameLocks } from '../name-locks';
import type { DraftableHandle, Entry, FoundFile, ReadHandle, RenameOptions, Volume, WriteHandle, WriteMode } from '../storage';
import { StorageError } from '../storage';
import type { Usage } from '../usage';
import { type Bucket, type Condition, eachOf, type Found, type Listed, type Metadata } from './bucket';
import { DraftableUpload } from './draft';
import { isConflict, storageError } from './errors';
import type { Memory } from './memory';
import { readPieces } from './pieces';
import type { HoldingPlace } from './quarantine';
import type { Spool } from './spool';
import { lockOf, openUpload, type UploadPlace } from './upload';

/** S3 takes keys of at most that many bytes in UTF-8. */
const LONGEST_KEY = 1024;
/** Requests for the files of a folder that is renamed, at once. */
const AT_ONCE = 16;
/** Metadata with the time of a file, seconds since 1970, as rclone and s3fs write it. */
const MTIME = 'mtime';

export interface VolumePlace {
  readonly bucket: Bucket;
  /** What every key of the home begins with; empty, or with a slash at the end. */
  readonly prefix: string;
  readonly memory: Memory;
  readonly usage: Usage;
  readonly user: string;
  /** Whether the account may replace what is there. */
  readonly overwrite: boolean;
  readonly locks: NameLocks;
  /** Places for copying what an upload keeps. */
  readonly copies: FairTurns;
  /** Where drafts lie. */
  readonly spool: Spool;
  readonly newId: () => string;
  /** Where an upload waits for a verdict; undefined where nobody asks for one. */
  readonly hold: (id: string, path: string, key: string) => HoldingPlace | undefined;
}

export class S3Volume implements Volume {
  constructor(private readonly place: VolumePlace) {}

  async stat(path: string, preferred: Entry['type'] = 'file'): Promise<Entry> {
    const { file, folder } = await this.look(path);
    const name = partsOf(path).at(-1) ?? '/';
    if (file && !(folder && preferred === 'directory')) return { name, type: 'file', size: file.size, modified: timeOf(file) };
    if (folder) return { name, type: 'directory', size: 0, modified: new Date(0) };
    throw missing();
  }

  async *list(path: string): AsyncIterable<readonly Entry[]> {
    const prefix = this.folderKey(path);
    let empty = true;
    try {
      for await (const { objects, prefixes } of this.place.bucket.list(prefix, { folders: true })) {
        if (objects.length + prefixes.length > 0) empty = false;
        yield [
          ...prefixes.map((key) => ({ name: key.slice(prefix.length, -1), type: 'directory' as const, size: 0, modified: new Date(0) })),
          ...objects.map(({ key, size, modified }) => ({ name: key.slice(prefix.length), type: 'file' as const, size, modified })),
        ].filter(({ name }) => canBeNamed(name));
      }
    } catch (error) {
      storageError(error);
    }
    if (empty && path !== '/') throw (await this.look(path)).file ? new StorageError('not-directory', 'Not a directory.') : missing();
  }

  async *files(signal?: AbortSignal): AsyncIterable<readonly FoundFile[]> {
    const { bucket, prefix } = this.place;
    try {
      for await (const { objects } of bucket.list(prefix, { folders: false })) {
        signal?.throwIfAborted();
        const named = objects.map(({ key, ...rest }) => ({ path: `/${key.slice(prefix.length)}`, ...rest }));
        yield named.filter(({ path }) => path.slice(1).split('/').every(canBeNamed));
      }
    } catch (error) {
      storageError(error);
    }
  }

  async openRead(path: string, offset: number): Promise<ReadHandle> {
    const key = this.key(path);
    const { bucket, memory } = this.place;
    const found = await bucket.find(key).catch(storageError);
    if (!found) throw (await this.isFolder(path)) ? isDirectory() : missing();
    if (offset > found.size) throw beyond(found.size);
    const from = (first: number) => readPieces({ bucket, key, etag: found.etag, first, size: found.size, memory });
    let pieces = from(offset);
    let piece: Buffer | undefined;
    return {
      size: found.size,
      async read(into) {
        if (!piece || piece.length === 0) piece = (await pieces.next()).value as Buffer | undefined;
        if (!piece) return 0;
        const copied = piece.copy(into);
        piece = piece.subarray(copied);
        return copied;
      },
      async seek(next) {
        await pieces.return(undefined);
        pieces = from(next);
        piece = undefined;
      },
      async close() {
        await pieces.return(undefined);
      },
    };
  }

  async openWrite(path: string, mode: WriteMode): Promise<WriteHandle> {
    return openUpload(await this.newUpload(path, mode));
  }

  async openDraftable(path: string, mode: WriteMode, { whole }: { readonly whole: boolean }): Promise<DraftableHandle> {
    const place = await this.newUpload(path, mode);
    const fresh = async () => {
      const next = await this.newUpload(path, { kind: mode.kind === 'create' ? 'create' : 'replace' });
      // What is kept of the file that is there is of that very file.
      return { room: next.room, open: () => openUpload({ ...next, condition: place.condition }) };
    };
    return new DraftableUpload(openUpload(place), { spool: this.place.spool, whole, fresh });
  }

  private async newUpload(path: string, wanted: WriteMode): Promise<UploadPlace> {
    if (path === '/') throw isDirectory();
    checkNew(path);
    const { bucket, memory, usage, user, overwrite, locks, copies } = this.place;
    if (!overwrite && wanted.kind === 'resume') throw taken();
    const mode: WriteMode = overwrite ? wanted : { kind: 'create' };
    const key = this.key(path);
    const [{ file, folder }] = await Promise.all([this.look(path), this.needParent(path)]);
    if (!file && folder) throw isDirectory();
    if (mode.kind === 'create' && file) throw taken();
    const size = file?.size ?? 0;
    if (mode.kind === 'resume' && mode.offset > size) throw beyond(size);
    const bytes = mode.kind === 'append' ? size : mode.kind === 'resume' ? mode.offset : 0;
    const id = this.place.newId();
    const hold = this.place.hold(id, path, key);
    if (hold?.judge === 'later' && (mode.kind === 'append' || mode.kind === 'resume'))
      throw new StorageError('unsupported', 'Uploads are looked at as a whole here, so none can be continued; send the file anew.');
    // Two that continue one file don't mix: it must be as it was when the upload began.
    const condition = mode.kind === 'create' ? ({ absent: true } as const) : bytes > 0 ? { etag: file!.etag } : undefined;
    const room = await usage.begin(partsOf(parentOf(path)), file?.size);
    return { id, bucket, key, condition, kept: file && { from: file, bytes }, known: file?.size, hold, memory, room, user, locks, copies };
  }

  async rename(from: string, to: string, { replace = false, signal }: RenameOptions = {}): Promise<'renamed' | 'replaced'> {
    if (from === '/' || to === '/') throw homeItself();
    checkNew(to);
    if (`${to}/`.startsWith(`${from}/`) && from !== to) throw new StorageError('invalid-name', 'A directory can not be moved into itself.');
    return holding(this.place.locks, [this.lockOf(from), this.lockOf(to)], () => this.moveTo(from, to, replace && this.place.overwrite, signal));
  }

  /** To be called while both names are held. */
  private async moveTo(from: string, to: string, replace: boolean, signal: AbortSignal | undefined): Promise<'renamed' | 'replaced'> {
    const [source, target] = await Promise.all([this.look(from), this.look(to), this.needParent(to)]);
    if (!source.file && !source.folder) throw missing();
    if (from === to) return 'renamed';
    const { file: there } = target;
    if (target.folder || (there && !(replace && source.file))) throw taken();
    try {
      if (source.file) await this.move({ ...source.file, key: this.key(from) }, this.key(to), there ? { etag: there.etag } : { absent: true });
      else await this.moveFolder(from, to, signal);
      this.place.usage.moved(partsOf(from), partsOf(to));
      if (there) await this.place.usage.changed(partsOf(parentOf(to)), { bytes: -there.size, files: -1 });
      await this.keepParent(from);
    } catch (error) {
      if (isConflict(error) && !there) throw taken();
      storageError(error);
    }
    return there ? 'replaced' : 'renamed';
  }

  async remove(path: string): Promise<void> {
    if (path === '/') throw homeItself();
    const { usage, locks } = this.place;
    const counts = await usage.hasQuota();
    const removed = await (counts ? holding(locks, [this.lockOf(path)], () => this.removeFile(path)) : this.removeFile(path));
    await usage.changed(partsOf(parentOf(path)), counts ? { bytes: -removed, files: -1 } : undefined);
    await this.keepParent(path).catch(storageError);
  }

  /** Answers with its size. */
  private async removeFile(path: string): Promise<number> {
    const { file, folder } = await this.look(path);
    if (!file) throw folder ? isDirectory() : missing();
    await this.place.bucket.remove(this.key(path)).catch(storageError);
    return file.size;
  }

  async mkdir(path: string): Promise<void> {
    if (path === '/') throw taken();
    checkNew(path);
    const [{ file, folder }] = await Promise.all([this.look(path), this.needParent(path)]);
    if (file || folder) throw taken();
    await this.place.bucket.put(this.folderKey(path), '').catch(storageError);
  }

  async rmdir(path: string): Promise<void> {
    if (path === '/') throw homeItself();
    const key = this.folderKey(path);
    try {
      const inside = await this.place.bucket.firstKeys(key, 2);
      if (inside.length === 0) throw (await this.look(path)).file ? new StorageError('not-directory', 'Not a directory.') : missing();
      if (inside.some((one) => one !== key)) throw new StorageError('not-empty', 'The directory is not empty.');
      await this.place.bucket.remove(key);
      await this.keepParent(path);
    } catch (error) {
      storageError(error);
    }
  }

  async setModified(path: string, time: Date): Promise<void> {
    const { bucket } = this.place;
    const key = this.key(path);
    const { file, folder } = await this.look(path);
    if (!file) throw folder ? new StorageError('unsupported', 'Directories have no time here.') : missing();
    // Metadata can't be changed; the object is copied onto itself, unless somebody has put another there meanwhile.
    await bucket.copy({ bucket, key, ...file }, key, { ...file.metadata, [MTIME]: String(time.getTime() / 1000) }, { etag: file.etag }).catch(storageError);
  }

  async available(): Promise<number | undefined> {
    return this.place.usage.left().catch(storageError);
  }

  /** What has the path: a file, a folder, both (other programs can make that), or nothing. */
  private async look(path: string): Promise<{ readonly file?: Found; readonly folder: boolean }> {
    if (path === '/') return { folder: true };
    const [file, folder] = await Promise.all([this.place.bucket.find(this.key(path)).catch(storageError), this.isFolder(path)]);
    return { file, folder };
  }

  private async isFolder(path: string): Promise<boolean> {
    return path === '/' || (await this.place.bucket.firstKeys(this.folderKey(path), 1).catch(storageError)).length > 0;
  }

  private async needParent(path: string): Promise<void> {
    if (!(await this.isFolder(parentOf(path)))) throw missing();
  }

  /** A folder stays when the last file in it goes, as people expect. */
  private async keepParent(path: string): Promise<void> {
    const parent = parentOf(path);
    if (!(await this.isFolder(parent))) await this.place.bucket.put(this.folderKey(parent), '');
  }

  /** Everything is copied before anything is removed: whatever happens, nothing is lost. What was copied goes again where not all can be. */
  private async moveFolder(fromPath: string, toPath: string, signal: AbortSignal | undefined): Promise<void> {
    const { bucket } = this.place;
    const [from, to] = [this.folderKey(fromPath), this.folderKey(toPath)];
    await this.needRoomBelow(from, to, signal);
    const moved: string[] = [];
    const made: string[] = [];
    try {
      await eachOf(this.below(from), AT_ONCE, async ({ key }) => {
        signal?.throwIfAborted();
        const target = to + key.slice(from.length);
        if (key.endsWith('/')) await bucket.put(target, '');
        else {
          const found = await bucket.find(key);
          if (!found) return; // removed meanwhile
          await this.copy({ ...found, key }, target, { absent: true });
        }
        made.push(target);
        moved.push(key);
      });
    } catch (error) {
      await eachOf(made, AT_ONCE, (key) => bucket.remove(key)).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    await eachOf(moved, AT_ONCE, (key) => bucket.remove(key));
  }

  /** A folder takes along what is in it, which may then have a key that is too long, or lie too deep. */
  private async needRoomBelow(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
    if (Buffer.byteLength(to) <= Buffer.byteLength(from) && to.split('/').length <= from.split('/').length) return;
    for await (const { key } of this.below(from)) {
      signal?.throwIfAborted();
      const target = to + key.slice(from.length);
      if (Buffer.byteLength(target) > LONGEST_KEY) throw tooLong();
      if (target.slice(this.place.prefix.length).split('/').filter(Boolean).length > DEEPEST) throw tooDeep();
    }
  }

  private async *below(prefix: string): AsyncIterable<Listed> {
    for await (const { objects } of this.place.bucket.list(prefix, { folders: false })) yield* objects;
  }

  private async move(from: Found & { readonly key: string }, to: string, condition: Condition): Promise<void> {
    await this.copy(from, to, condition);
    await this.place.bucket.remove(from.key);
  }

  /** The copy keeps the time of the file. */
  private copy(from: Found & { readonly key: string }, to: string, condition: Condition): Promise<void> {
    const { bucket } = this.place;
    const metadata: Metadata = { ...from.metadata, [MTIME]: from.metadata[MTIME] ?? String(from.modified.getTime() / 1000) };
    return bucket.copy({ bucket, ...from }, to, metadata, condition);
  }

  private key(path: string): string {
    const key = this.place.prefix + path.slice(1);
    if (Buffer.byteLength(key) > LONGEST_KEY) throw tooLong();
    return key;
  }

  private lockOf(path: string): string {
    return lockOf(this.place.bucket, this.key(path));
  }

  private folderKey(path: string): string {
    return path === '/' ? this.place.prefix : this.key(`${path}/`);
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function timeOf({ modified, metadata }: Found): Date {
  const seconds = Number(metadata[MTIME]);
  return metadata[MTIME] && Number.isFinite(seconds) ? new Date(seconds * 1000) : modified;
}

const missing = () => new StorageError('not-found', 'No such file or directory.');
const tooLong = () => new StorageError('invalid-name', 'The path is too long.');
const isDirectory = () => new StorageError('is-directory', 'That is a directory.');
const taken = () => new StorageError('exists', 'The name is taken.');
const homeItself = () => new StorageError('denied', 'The home itself can not be changed.');
const beyond = (size: number) => new StorageError('offset', `The file has ${size} bytes, and this is beyond its end.`);
