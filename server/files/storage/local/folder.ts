/**
 * One folder of the disk, held open, with operations on the names in it. Node has no `openat`; on Linux `/proc/self/fd/N/name`
 * is the same step, so that nobody can swap a folder for a link between the look and the use. Elsewhere (laptops) the path is
 * used, and every part of it is looked at for links first: good against mistakes, not against a local attacker who races.
 */
import { constants, existsSync, lstat as lstatCallback, lstatSync, openSync, type Stats } from 'node:fs';
import { type FileHandle, link, mkdir, open, opendir, rename, rmdir, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../storage';
import { asStorageError, storageError } from './errors';
import { RecentLooks } from './recent-looks';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const byDescriptor = existsSync('/proc/self/fd');

/** File systems of disks of this machine, and of its memory, by what statfs(2) says: ext, XFS, Btrfs, tmpfs. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);

/** Names that are read and looked at together. */
const MANY = 256;
/** Looks that show whether they wait for a disk. */
const SOME = 32;
/** What each of those takes at most where nothing waits, the way to the thread pool and back by code that runs for the first time. Milliseconds. */
const QUICK_IN_POOL_MS = 0.2;
/** Looks without the thread pool between two glances at the clock. */
const LOOKS = 4;
/** What each of those takes at most; one that takes longer has waited for a disk or a network. Milliseconds. */
const QUICK_MS = 0.05;

export class Folder {
  /** Whether looks at what is in it are answered from memory. */
  private isCached = false;
  private onLocalDisk: Promise<boolean> | undefined;
  /** What was looked at in it a moment ago. */
  private looks = new RecentLooks();
  /** How many have it open. */
  private users = 1;

  private constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
  ) {}

  /** Opens a folder that the operator named; links in its path are the operator's own. */
  static async open(path: string): Promise<Folder> {
    return new Folder(await open(path, O_RDONLY | O_DIRECTORY).catch(storageError), path);
  }

  /** Opens the folder at the end of the parts, one step at a time and never through a link. */
  static async walk(root: string, parts: readonly string[]): Promise<Folder> {
    let folder = await Folder.open(root);
    for (const part of parts) {
      const next = folder.folder(part);
      await next.catch(() => {}).finally(() => folder.close());
      folder = await next;
    }
    return folder;
  }

  /** The path by which the operating system reaches a name in this folder; with '' the folder itself. */
  at(name: string): string {
    return byDescriptor ? `/proc/self/fd/${this.handle.fd}/${name}` : join(this.path, name);
  }

  async folder(name: string): Promise<Folder> {
    if (!byDescriptor && (await this.stat(name)).isSymbolicLink()) throw new StorageError('not-directory', 'Not a directory.');
    return new Folder(await open(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(storageError), join(this.path, name));
  }

  /** Opens a file, never through a link. */
  async file(name: string, flags: number): Promise<FileHandle> {
    return open(this.at(name), flags | O_NOFOLLOW | constants.O_NONBLOCK, 0o640).catch(storageError);
  }

  /** The path of a file that is open already, so that it is this very file even if its name was given to another meanwhile. */
  pathOf(file: FileHandle, name: string): string {
    return byDescriptor ? `/proc/self/fd/${file.fd}` : this.at(name);
  }

  async stat(name: string): Promise<Stats> {
    // What was looked at a moment ago is in memory, where the disk is a local one.
    if (this.looks.has(name) && (await this.isOnLocalDisk())) {
      try {
        return this.looks.by(() => lstatSync(this.at(name), quietly)) ?? missing();
      } catch (error) {
        if (error instanceof StorageError) throw error;
        // looked at once more, which says why
      }
    }
    return (await this.find(name)) ?? missing();
  }

  /**
   * The same, undefined where nothing has the name: most uploads are of new files, and an error that is made and thrown away costs more than the look. Always
   * by the thread pool: basic-ftp ends an empty upload before its own handshake is done where 150 comes ahead of it, as it would in the same turn.
   */
  async find(name: string): Promise<Stats | undefined> {
    const found = await this.lookInPool(name);
    this.looks.add(name);
    return found;
  }

  /** The same without the thread pool where files are being put into the folder, one after the other, on a local disk. */
  async findSoon(name: string): Promise<Stats | undefined> {
    if (this.looks.isBeingFilled && (await this.isOnLocalDisk())) {
      try {
        const found = this.looks.by(() => lstatSync(this.at(name), quietly));
        this.looks.add(name);
        return found;
      } catch {
        // looked at once more, which says why
      }
    }
    return this.find(name);
  }

  /** Notes that a file was put into it. */
  filled(): void {
    this.looks.filled();
  }

  /**
   * Opens a file without the thread pool, never through a link; undefined where that may have to wait for a disk, for nobody has looked at it a moment ago, or
   * could not be done. To be called for folders on a local disk.
   */
  openNow(name: string, flags: number): number | undefined {
    if (!this.looks.has(name)) return undefined;
    try {
      return this.looks.by(() => openSync(this.at(name), flags | O_NOFOLLOW | constants.O_NONBLOCK));
    } catch {
      return undefined; // tried once more, which says why
    }
  }

  private lookInPool(name: string): Promise<Stats | undefined> {
    return new Promise((resolve, reject) => {
      lstatCallback(this.at(name), (error, stats) => {
        if (!error) resolve(stats);
        else if (error.code === 'ENOENT') resolve(undefined);
        else reject(asStorageError(error));
      });
    });
  }

  /**
   * What the names stand for, in their order; undefined where one is gone. A trip to the thread pool costs more than the look itself: once
   * some looks have shown that nothing waits for a disk, the next are made without, until one shows that it does.
   */
  async stats(names: readonly string[]): Promise<(Stats | undefined)[]> {
    const found: (Stats | undefined)[] = [];
    if (byDescriptor && !this.isCached && names.length > SOME) {
      const begin = performance.now();
      found.push(...(await this.statsInPool(names.slice(0, SOME))));
      this.isCached = performance.now() - begin < SOME * QUICK_IN_POOL_MS;
    }
    if (this.isCached) this.look(names, found);
    const rest = names.slice(found.length);
    return rest.length > 0 ? [...found, ...(await this.statsInPool(rest))] : found;
  }

  /**
   * Looks without the thread pool, at all names that are not looked at yet or until a look was slow. By the working directory, which saves
   * the way through /proc on each of them; it is the process's own, so it is as it was when anybody else can run, and no path of the
   * settings is relative when a server has started.
   */
  private look(names: readonly string[], found: (Stats | undefined)[]): void {
    const before = workingDirectory();
    try {
      process.chdir(this.at(''));
    } catch {
      this.isCached = false; // a folder that may be read but not entered
      return;
    }
    try {
      let from = performance.now();
      let slow = 0;
      while (this.isCached && found.length < names.length) {
        for (const name of names.slice(found.length, found.length + LOOKS)) found.push(lookAt(name));
        const now = performance.now();
        // Once it may have been a collection of garbage, or another process's turn.
        slow = now - from < LOOKS * QUICK_MS ? 0 : slow + 1;
        this.isCached = slow < 2;
        from = now;
      }
    } finally {
      returnTo(before);
    }
  }

  /** One promise for many: one each costs as much as the look itself. */
  private statsInPool(names: readonly string[]): Promise<(Stats | undefined)[]> {
    return new Promise((resolve) => {
      const found = new Array<Stats | undefined>(names.length);
      let left = names.length;
      names.forEach((name, index) => {
        lstatCallback(this.at(name), (error, stats) => {
          if (!error) found[index] = stats;
          left -= 1;
          if (left === 0) resolve(found);
        });
      });
    });
  }

  /** The names in it, as many at a time as MANY but for the last; without an order. The next are read while these are used. */
  async *names(): AsyncIterable<string[]> {
    const dir = await opendir(this.at(''), { bufferSize: MANY }).catch(storageError);
    let next = dir.read();
    try {
      for (let entry = await next; entry; entry = await next) {
        const names: string[] = [];
        // One read fills Node's buffer, and what is in there needs no waiting for.
        for (; entry; entry = names.length < MANY ? dir.readSync() : null) names.push(entry.name);
        next = dir.read();
        next.catch(() => {}); // awaited in the next turn, if there is one
        yield names;
      }
    } finally {
      await dir.close();
    }
  }

  async mkdir(name: string): Promise<void> {
    await mkdir(this.at(name), { mode: 0o750 }).catch(storageError);
  }

  async rmdir(name: string): Promise<void> {
    await rmdir(this.at(name)).catch(storageError);
  }

  async remove(name: string): Promise<void> {
    await unlink(this.at(name)).catch(storageError);
  }

  /** Puts a file from another folder here, replacing what has that name. */
  async adopt(from: Folder, oldName: string, newName: string): Promise<void> {
    await rename(from.at(oldName), this.at(newName)).catch(storageError);
  }

  /** The same, but fails with `exists` where the name is taken, also when it is taken at this very moment. */
  async adoptNew(from: Folder, oldName: string, newName: string): Promise<void> {
    await this.link(from, oldName, newName);
    await from.remove(oldName);
  }

  private async link(from: Folder, oldName: string, newName: string): Promise<void> {
    await link(from.at(oldName), this.at(newName)).catch(storageError);
  }

  async setModified(name: string, time: Date): Promise<void> {
    const handle = await this.file(name, O_RDONLY);
    try {
      const found = await handle.stat();
      if (!found.isFile() && !found.isDirectory()) throw new StorageError('not-found', 'No such file or directory.');
      await handle.utimes(time, time).catch(storageError);
    } finally {
      await handle.close();
    }
  }

  /** What stands for a name in this very folder, under whatever path it is reached. */
  async keyOf(name: string): Promise<string> {
    const { dev, ino } = await this.handle.stat().catch(storageError);
    return `${dev}:${ino}/${name}`;
  }

  /**
   * Whether what an open file is (fstat) is always answered from memory. Over a network the answer may have to be asked for, and must not be waited
   * for by everybody.
   */
  isOnLocalDisk(): Promise<boolean> {
    this.onLocalDisk ??= statfs(this.at('')).then(
      ({ type }) => byDescriptor && LOCAL.has(type),
      () => false,
    );
    return this.onLocalDisk;
  }

  /** Bytes that are free on its file system for who is not root. */
  async available(): Promise<number> {
    const { bavail, bsize } = await statfs(this.at('')).catch(storageError);
    return bavail * bsize;
  }

  /** Flushes the names in the folder to the disk. */
  async sync(): Promise<void> {
    await this.handle.sync().catch(storageError);
  }

  /** Goes on with what was looked at when it was opened before. */
  remember(looks: RecentLooks): this {
    this.looks = looks;
    return this;
  }

  /** The same folder for one more user, who closes it as well. */
  share(): Folder {
    this.users += 1;
    return this;
  }

  /** By which the kernel can be asked about it, on systems that have /proc. */
  get descriptor(): number | undefined {
    return byDescriptor ? this.handle.fd : undefined;
  }

  /** Closes it for one of its users. */
  async close(): Promise<void> {
    this.users -= 1;
    if (this.users === 0) await this.handle.close();
  }
}

/** The working directory; the root where it is gone meanwhile. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** Enters a folder that was the working directory; the root where this user may not. */
function returnTo(path: string): void {
  try {
    process.chdir(path);
  } catch {
    process.chdir('/');
  }
}

const quietly = { throwIfNoEntry: false } as const;

function missing(): never {
  throw new StorageError('not-found', 'No such file or directory.');
}

function lookAt(name: string): Stats | undefined {
  try {
    return lstatSync(name, quietly);
  } catch {
    return undefined;
  }
}
