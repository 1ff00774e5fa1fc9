/**
 * One account's files in S3. A folder is what keys have before a slash; one made by MKD is an empty object whose key ends with a
 * slash, so that it is there while nothing is in it.
 */
import type { FairTurns } from '../../fair-turns';
import { canBeNamed, checkNew, DEEPEST, partsOf, tooDeep } from '../../virtual-path';
import { holding, type NameLocks } from '../name-locks';
import type { DraftableHandle, Entry, FoundFile, PreparableHandle, ReadHandle, RenameOptions, Volume, WriteMode } from '../storage';
import { StorageError } from '../storage';
import type { Usage } from '../usage';
import { type Bucket, type Condition, eachOf, type Found, type Listed, type Metadata } from './bucket';
import { DraftableUpload } from './draft';
import { isConflict, isMissing, storageError } from './errors';
import type { KnownFolders } from './known-folders';
import type { Memory } from './memory';
import type { Moves } from './moves';
import type { HoldingPlace } from './quarantine';
import { ObjectReader } from './reader';
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
  readonly folders: KnownFolders;
  readonly moves: Moves;
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
    const name = partsOf(path).at(-1) ?? '/';
    const asFolder = async () => ((await this.isFolder(path)) ? ({ name, type: 'directory', size: 0, modified: new Date(0) } as const) : undefined);
    const asFile = async () => {
      const file = path === '/' ? undefined : await this.file(path);
      return file && ({ name, type: 'file', size: file.size, modified: timeOf(file) } as const);
    };
    // Mostly it is what it is asked for as: the other question is one to save.
    const [first, second] = preferred === 'directory' ? [asFolder, asFile] : [asFile, asFolder];
    const entry = (await first()) ?? (await second());
    if (!entry) throw missing();
    return entry;
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
    const { bucket, memory } = this.place;
    const reader = path === '/' ? undefined : await ObjectReader.open({ bucket, key: this.key(path), memory }, offset).catch(storageError);
    if (!reader) throw (await this.isFolder(path)) ? isDirectory() : missing();
    if (offset <= reader.size) return reader;
    await reader.close();
    throw beyond(reader.size);
  }

  async openWrite(path: string, mode: WriteMode): Promise<PreparableHandle> {
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
    // Without a quota and when all is replaced, it does not matter whether there is a file.
    const matters = mode.kind !== 'replace' || (await usage.hasQuota());
    const [file, folder] = await Promise.all([matters ? this.file(path) : undefined, this.namesFolder(path)]);
    if (!file && folder && (matters || !(await this.file(path)))) throw isDirectory();
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
    const staysIn = parentOf(from) === parentOf(to); // its folder is there before and after
    const [source, target] = await Promise.all([this.lookFirst(from), this.look(to), staysIn ? undefined : this.needParent(to)]);
    if (!source.file && !source.folder) throw missing();
    if (from === to) return 'renamed';
    const { file: there } = target;
    const goesOn = target.folder && !there && !source.file && (await this.place.moves.isUnderWay(this.folderKey(from), this.folderKey(to)));
    if ((target.folder && !goesOn) || (there && !(replace && source.file))) throw taken();
    try {
      if (source.file) await this.move({ ...source.file, key: this.key(from) }, this.key(to), there ? { etag: there.etag } : { absent: true }, signal);
      else await this.moveFolder(from, to, goesOn, signal);
      this.place.usage.moved(partsOf(from), partsOf(to));
      if (there) await this.place.usage.changed(partsOf(parentOf(to)), { bytes: -there.size, files: -1 });
      if (!staysIn) await this.keepParent(from);
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
    const { file, folder } = await this.lookFirst(path);
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
    this.place.folders.made(this.folderKey(parentOf(path)), partsOf(path).at(-1)!);
    this.place.folders.saw(this.folderKey(path), []);
  }

  async rmdir(path: string): Promise<void> {
    if (path === '/') throw homeItself();
    const key = this.folderKey(path);
    try {
      const inside = await this.place.bucket.firstKeys(key, 2);
      if (inside.length === 0) throw (await this.look(path)).file ? new StorageError('not-directory', 'Not a directory.') : missing();
      if (inside.some((one) => one !== key)) throw new StorageError('not-empty', 'The directory is not empty.');
      this.place.folders.changed(key);
      await this.place.bucket.remove(key);
      await this.keepParent(path);
    } catch (error) {
      storageError(error);
    }
  }

  async setModified(path: string, time: Date): Promise<void> {
    const { bucket } = this.place;
    const key = this.key(path);
    const { file, folder } = await this.lookFirst(path);
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
    const [file, folder] = await Promise.all([this.file(path), this.isFolder(path)]);
    return { file, folder };
  }

  /** The same, for what is taken for a file where there is one. */
  private async lookFirst(path: string): Promise<{ readonly file?: Found; readonly folder: boolean }> {
    const file = path === '/' ? undefined : await this.file(path);
    return { file, folder: !file && (await this.isFolder(path)) };
  }

  private file(path: string): Promise<Found | undefined> {
    return this.place.bucket.find(this.key(path)).catch(storageError);
  }

  private async isFolder(path: string): Promise<boolean> {
    return path === '/' || (await this.place.bucket.firstKeys(this.folderKey(path), 1).catch(storageError)).length > 0;
  }

  /** Whether a folder has the path of what is to be put there; fails where it would lie in none. One look at the folder around it is enough for many. */
  private async namesFolder(path: string): Promise<boolean> {
    const { bucket, folders } = this.place;
    const [parent, name] = [parentOf(path), partsOf(path).at(-1)!];
    const key = this.folderKey(parent);
    let known = folders.of(key);
    if (!known) {
      const { objects, prefixes, next } = await bucket.page(key, { folders: true }).catch(storageError);
      if (parent !== '/' && objects.length + prefixes.length === 0) throw missing();
      folders.saw(key, next === undefined ? prefixes.map((prefix) => prefix.slice(key.length, -1)) : undefined);
      known = folders.of(key);
    }
    return known?.folders ? known.folders.has(name) && this.isFolder(path) : this.isFolder(path);
  }

  private async needParent(path: string): Promise<void> {
    if (!(await this.isFolder(parentOf(path)))) throw missing();
  }

  /** A folder stays when the last file in it goes, as people expect. */
  private async keepParent(path: string): Promise<void> {
    const parent = parentOf(path);
    if (!(await this.isFolder(parent))) await this.place.bucket.put(this.folderKey(parent), '');
  }

  /**
   * Everything is copied before anything is removed: whatever happens, nothing is lost. What was copied goes again where not all can be. A note says
   * what is under way, so that the same rename, asked for again after a crash, goes on with it.
   */
  private async moveFolder(fromPath: string, toPath: string, goesOn: boolean, signal: AbortSignal | undefined): Promise<void> {
    const { bucket, folders, moves } = this.place;
    const [from, to] = [this.folderKey(fromPath), this.folderKey(toPath)];
    await this.needRoomBelow(from, to, signal);
    if (!goesOn) await moves.begin(from, to);
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
          await this.copy({ ...found, key }, target, { absent: true }, signal);
        }
        made.push(target);
        moved.push(key);
      });
    } catch (error) {
      // The first error is the one to tell. Where S3 does not answer now, the note stays, and the rename can be asked for again.
      await bucket
        .removeAll(made)
        .then(() => (goesOn ? undefined : moves.end(from, to)))
        .catch(() => {});
      throw error;
    } finally {
      folders.changed(from);
      folders.changed(to);
    }
    await bucket.removeAll(moved);
    await moves.end(from, to);
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

  private async move(from: Found & { readonly key: string }, to: string, condition: Condition, signal: AbortSignal | undefined): Promise<void> {
    await this.copy(from, to, condition, signal);
    await this.place.bucket.remove(from.key);
  }

  /** The copy keeps the time of the file. One that seems to fail may have been made, by a request whose answer was lost, or before a crash. */
  private async copy(from: Found & { readonly key: string }, to: string, condition: Condition, signal: AbortSignal | undefined): Promise<void> {
    const { bucket } = this.place;
    const metadata: Metadata = { ...from.metadata, [MTIME]: from.metadata[MTIME] ?? String(from.modified.getTime() / 1000) };
    await bucket.copy({ bucket, ...from }, to, metadata, condition, signal).catch(async (error: unknown) => {
      // Once its parts are put together, S3 may say that it knows no such upload.
      const there = isConflict(error) || isMissing(error) ? await bucket.find(to).catch(() => undefined) : undefined;
      const isCopy = there?.size === from.size && Object.entries(metadata).every(([name, value]) => there.metadata[name] === value);
      if (!isCopy) throw error;
    });
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
