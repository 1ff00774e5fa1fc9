/** One account's files on the local disk or on EFS. */
import type { Stats } from 'node:fs';
import type { FairTurns } from '../../fair-turns';
import { canBeNamed, checkNew, DEEPEST, partsOf, tooDeep } from '../../virtual-path';
import { holding, type NameLocks } from '../name-locks';
import type { DraftableHandle, Entry, FoundFile, ReadHandle, RenameOptions, Volume, WriteMode } from '../storage';
import { StorageError } from '../storage';
import type { Usage } from '../usage';
import { Folder } from './folder';
import type { KeptFolders } from './kept-folders';
import type { LocalPrepared } from './prepared';
import type { LocalQuarantine } from './quarantine';
import { openToRead } from './reading';
import type { Staging } from './staging';
import { filesBelow, isDeeperThan } from './tree';
import { type LocalUpload, openUpload } from './upload';

/** What a volume works with. */
export interface VolumePlace {
  readonly root: string;
  readonly folders: KeptFolders;
  /** The home, below the root. */
  readonly home: readonly string[];
  readonly user: string;
  /** Whether the account may replace what is there. */
  readonly overwrite: boolean;
  readonly staging: Staging;
  readonly prepared: LocalPrepared;
  readonly quarantine: LocalQuarantine;
  readonly fsync: boolean;
  readonly usage: Usage;
  readonly locks: NameLocks;
  readonly copies: FairTurns;
}

export class LocalVolume implements Volume {
  private readonly root: string;
  private readonly home: readonly string[];

  constructor(private readonly place: VolumePlace) {
    this.root = place.root;
    this.home = place.home;
  }

  async stat(path: string): Promise<Entry> {
    if (path === '/') return this.inFolder([], async (folder) => entryOf('/', await folder.stat('.'))!);
    return this.at(path, async (folder, name) => entryOf(name, await folder.stat(name)) ?? missing());
  }

  async *list(path: string): AsyncIterable<readonly Entry[]> {
    const parts = [...this.home, ...partsOf(path)];
    const folder = await Folder.walk(this.root, parts);
    try {
      for await (const names of folder.names()) yield await entries(folder, names.filter(canBeNamed));
      this.place.folders.listed(parts);
    } finally {
      await folder.close();
    }
  }

  openRead(path: string, offset: number): Promise<ReadHandle> {
    return this.at(path, (folder, name) => openToRead(folder, name, offset));
  }

  /** Never in the same turn: FTPS has a data connection beside its command (TLS 1.3), and would be ahead of it. */
  openWrite(path: string, mode: WriteMode): Promise<LocalUpload> {
    return this.open(path, mode, false);
  }

  openDraftable(path: string, mode: WriteMode): Promise<DraftableHandle> {
    return this.open(path, mode, true);
  }

  private async open(path: string, mode: WriteMode, soon: boolean): Promise<LocalUpload> {
    checkNew(path);
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw new StorageError('is-directory', 'That is a directory.');
    const { user, overwrite, quarantine, fsync, usage, locks, copies } = this.place;
    if (!overwrite && mode.kind === 'resume') throw takenError();
    const folder = await this.place.folders.open([...this.home, ...parts]);
    try {
      const staging = await this.place.staging.open();
      return await openUpload({
        folder,
        name,
        parts,
        mode: overwrite ? mode : { kind: 'create' },
        staging,
        stagingName: this.place.staging.newName(),
        prepared: this.place.prepared,
        fsync,
        soon,
        usage,
        locks,
        copies,
        user,
        putAway: (stagingName, size, finding) => quarantine.add(staging, stagingName, { ...finding, user, home: `/${this.home.join('/')}`, path, size }),
      });
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  async *files(signal?: AbortSignal): AsyncIterable<readonly FoundFile[]> {
    for await (const { parts, files } of filesBelow(this.root, this.home, signal))
      yield files.map(({ name, stats }) => ({ path: `/${[...parts, name].join('/')}`, size: stats.size, modified: new Date(stats.mtimeMs) }));
  }

  async rename(from: string, to: string, { replace = false, signal }: RenameOptions = {}): Promise<'renamed' | 'replaced'> {
    checkNew(to);
    await this.needRoomBelow(from, to, signal);
    return this.at(from, (source, oldName) =>
      this.at(to, async (target, newName) => {
        const names = [await source.keyOf(oldName), await target.keyOf(newName)];
        return holding(this.place.locks, names, () => this.move([source, oldName, from], [target, newName, to], replace && this.place.overwrite));
      }),
    );
  }

  /** A folder takes along what is in it, which may then lie too deep. */
  private async needRoomBelow(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
    const [before, after] = [partsOf(from), partsOf(to)];
    if (after.length <= before.length || (await this.stat(from)).type !== 'directory') return;
    if (await isDeeperThan(this.root, [...this.home, ...before], DEEPEST - after.length, signal)) throw tooDeep();
  }

  /** To be called while both names are held. */
  private async move(
    [source, oldName, from]: readonly [Folder, string, string],
    [target, newName, to]: readonly [Folder, string, string],
    replace: boolean,
  ): Promise<'renamed' | 'replaced'> {
    const moved = await source.stat(oldName);
    if (!entryOf(oldName, moved)) missing();
    const there = await target.find(newName);
    if (there && there.ino === moved.ino && there.dev === moved.dev) return 'renamed'; // onto itself
    if (there && !(replace && there.isFile() && moved.isFile())) throw takenError();
    // A name that is taken at this very moment, by another program, is not replaced either where nothing may be.
    if (moved.isFile() && !replace) await target.adoptNew(source, oldName, newName);
    else await target.adopt(source, oldName, newName);
    const [before, after] = [partsOf(from), partsOf(to)];
    this.place.usage.moved(before, after);
    if (there) await this.place.usage.changed(after.slice(0, -1), { bytes: -there.size, files: -1 });
    return there ? 'replaced' : 'renamed';
  }

  async remove(path: string): Promise<void> {
    await this.at(path, async (folder, name) => {
      const act = async () => {
        const found = await folder.stat(name);
        if (found.isDirectory()) throw new StorageError('is-directory', 'That is a directory.');
        if (!found.isFile()) missing();
        await folder.remove(name);
        return found.size;
      };
      const { usage, locks } = this.place;
      const parts = partsOf(path).slice(0, -1);
      // Where a quota counts, nothing else may come to have the name between the look and the removal.
      if (await usage.hasQuota()) await usage.changed(parts, { bytes: -(await holding(locks, [await folder.keyOf(name)], act)), files: -1 });
      else {
        await act();
        await usage.changed(parts, undefined);
      }
    });
  }

  async mkdir(path: string): Promise<void> {
    if (path === '/') throw takenError();
    checkNew(path);
    await this.at(path, (folder, name) => folder.mkdir(name));
  }

  async rmdir(path: string): Promise<void> {
    await this.at(path, (folder, name) => folder.rmdir(name));
  }

  async setModified(path: string, time: Date): Promise<void> {
    await this.at(path, (folder, name) => folder.setModified(name, time));
  }

  async available(): Promise<number> {
    const [onDisk, ofQuota = onDisk] = await Promise.all([this.inFolder([], (folder) => folder.available()), this.place.usage.left()]);
    return Math.min(onDisk, ofQuota);
  }

  private async inFolder<T>(parts: readonly string[], use: (folder: Folder) => Promise<T>): Promise<T> {
    const folder = await this.place.folders.open([...this.home, ...parts]);
    try {
      return await use(folder);
    } finally {
      await folder.close();
    }
  }

  /** Opens the folder a path lies in, and uses its last name there. */
  private at<T>(path: string, use: (folder: Folder, name: string) => Promise<T>): Promise<T> {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) return Promise.reject(new StorageError('denied', 'The home itself can not be changed.'));
    return this.inFolder(parts, (folder) => use(folder, name));
  }
}

async function entries(folder: Folder, names: readonly string[]): Promise<Entry[]> {
  const found = await folder.stats(names);
  return names.map((name, index) => entryOf(name, found[index])).filter((entry) => entry !== undefined);
}

/** Links, sockets and devices are not there for a client. */
function entryOf(name: string, found: Stats | undefined): Entry | undefined {
  const type = found?.isFile() ? 'file' : found?.isDirectory() ? 'directory' : undefined;
  return found && type && new LocalEntry(name, type, found);
}

/** Listings of large folders make very many of these: what few of them need is worked out when it is asked for. */
class LocalEntry implements Entry {
  readonly size: number;

  constructor(
    readonly name: string,
    readonly type: Entry['type'],
    private readonly found: Stats,
  ) {
    this.size = type === 'file' ? found.size : 0;
  }

  /** From the number: Node defines `mtime` on the object when it is first read, which would be a sixth of a listing. */
  get modified(): Date {
    return new Date(this.found.mtimeMs);
  }

  get unique(): string {
    return `${this.found.dev.toString(16)}g${this.found.ino.toString(16)}`;
  }
}

function takenError(): StorageError {
  return new StorageError('exists', 'The name is taken.');
}

function missing(): never {
  throw new StorageError('not-found', 'No such file or directory.');
}
