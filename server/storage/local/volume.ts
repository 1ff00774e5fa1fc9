/** One account's files on the local disk or on EFS. */
import { constants, type Stats } from 'node:fs';
import type { Entry, ReadHandle, Volume, WriteHandle, WriteMode } from '../storage';
import { StorageError } from '../storage';
import type { Usage } from '../usage';
import { canBeNamed, partsOf } from '../virtual-path';
import { storageError } from './errors';
import { Folder } from './folder';
import type { LocalQuarantine } from './quarantine';
import type { Staging } from './staging';
import { openUpload } from './upload';

export class LocalVolume implements Volume {
  constructor(
    private readonly root: string,
    private readonly home: readonly string[],
    private readonly user: string,
    private readonly staging: Staging,
    private readonly quarantine: LocalQuarantine,
    private readonly fsync: boolean,
    private readonly usage: Usage | undefined,
  ) {}

  async stat(path: string): Promise<Entry> {
    if (path === '/') return this.inFolder([], async (folder) => entryOf('/', await folder.stat('.'))!);
    return this.at(path, async (folder, name) => entryOf(name, await folder.stat(name)) ?? missing());
  }

  async *list(path: string): AsyncIterable<readonly Entry[]> {
    const folder = await Folder.walk(this.root, [...this.home, ...partsOf(path)]);
    try {
      for await (const names of folder.names()) yield await entries(folder, names.filter(canBeNamed));
    } finally {
      await folder.close();
    }
  }

  openRead(path: string, offset: number): Promise<ReadHandle> {
    return this.at(path, async (folder, name) => {
      const file = await folder.file(name, constants.O_RDONLY);
      const found = await file.stat();
      let position = offset;
      const problem = found.isDirectory()
        ? new StorageError('is-directory', 'That is a directory.')
        : !found.isFile()
          ? missingError()
          : offset > found.size
            ? beyond(found.size)
            : undefined;
      if (problem) {
        await file.close();
        throw problem;
      }
      return {
        size: found.size,
        async read(into) {
          const { bytesRead } = await file.read(into, 0, into.length, position).catch(storageError);
          position += bytesRead;
          return bytesRead;
        },
        close: () => file.close(),
      };
    });
  }

  async openWrite(path: string, mode: WriteMode): Promise<WriteHandle> {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw new StorageError('is-directory', 'That is a directory.');
    const folder = await Folder.walk(this.root, [...this.home, ...parts]);
    try {
      const staging = await this.staging.open();
      return await openUpload({
        folder,
        name,
        mode,
        staging,
        stagingName: this.staging.newName(),
        fsync: this.fsync,
        usage: this.usage,
        putAway: (stagingName, size, finding) =>
          this.quarantine.add(staging, stagingName, { ...finding, user: this.user, home: `/${this.home.join('/')}`, path, size }),
      });
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.at(from, (source, oldName) =>
      this.at(to, async (target, newName) => {
        if (!entryOf(oldName, await source.stat(oldName))) missing();
        // POSIX would replace a file without a word; a client that renames onto another file has made a mistake.
        if (await target.stat(newName).catch(() => undefined)) throw new StorageError('exists', 'The name is taken.');
        await target.adopt(source, oldName, newName);
      }),
    );
  }

  async remove(path: string): Promise<void> {
    await this.at(path, async (folder, name) => {
      const found = await folder.stat(name);
      if (found.isDirectory()) throw new StorageError('is-directory', 'That is a directory.');
      if (!found.isFile()) missing();
      await folder.remove(name);
      this.usage?.give(found.size, 1);
    });
  }

  async mkdir(path: string): Promise<void> {
    if (path === '/') throw new StorageError('exists', 'The name is taken.');
    await this.at(path, (folder, name) => folder.mkdir(name));
  }

  async rmdir(path: string): Promise<void> {
    await this.at(path, (folder, name) => folder.rmdir(name));
  }

  async setModified(path: string, time: Date): Promise<void> {
    await this.at(path, (folder, name) => folder.setModified(name, time));
  }

  async available(): Promise<number> {
    const [onDisk, ofQuota = onDisk] = await Promise.all([this.inFolder([], (folder) => folder.available()), this.usage?.left()]);
    return Math.min(onDisk, ofQuota);
  }

  private async inFolder<T>(parts: readonly string[], use: (folder: Folder) => Promise<T>): Promise<T> {
    const folder = await Folder.walk(this.root, [...this.home, ...parts]);
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

function missingError(): StorageError {
  return new StorageError('not-found', 'No such file or directory.');
}

function missing(): never {
  throw missingError();
}

function beyond(size: number): StorageError {
  return new StorageError('offset', `The file has ${size} bytes; REST went beyond its end.`);
}
