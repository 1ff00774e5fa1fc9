/** Stretches on the local disk: files below `<root>/.ftps-notes`, as notes are. */
import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { NOTES } from '../../virtual-path';
import { checkedName } from '../notes';
import type { Stretch, Stretches } from '../storage';
import { storageError } from './errors';

/** Begins the names of what is being written. */
const UNFINISHED = '.';

export class LocalStretches implements Stretches {
  private readonly folder: string;

  constructor(
    private readonly root: string,
    private readonly fsync: boolean,
  ) {
    this.folder = join(root, NOTES);
  }

  /** A second name for a whole file, as a note gets it. The folder is not flushed: a name that is lost with the host is a stretch that was never there. */
  async create(name: string, bytes: Buffer): Promise<boolean> {
    const path = this.pathOf(name);
    const unfinished = join(dirname(path), `${UNFINISHED}${randomUUID()}`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(storageError);
    try {
      await writeFile(unfinished, bytes, { mode: 0o600, flag: 'wx', flush: this.fsync }).catch(storageError);
      return await link(unfinished, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : storageError(error)),
      );
    } finally {
      await rm(unfinished, { force: true }).catch(() => {}); // nobody reads it, and the folder goes some day
    }
  }

  read(name: string): Promise<Buffer | undefined> {
    return readFile(this.pathOf(name)).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : storageError(error)));
  }

  async list(folder: string): Promise<Stretch[]> {
    const path = this.pathOf(folder);
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? [] : storageError(error),
    );
    const found: Stretch[] = [];
    for (const entry of entries) {
      if (!entry.isFile() || entry.name.startsWith(UNFINISHED)) continue;
      const at = join(entry.parentPath, entry.name);
      const stats = await lstat(at).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : storageError(error)));
      if (stats) found.push({ name: relative(path, at), bytes: stats.size, modified: stats.mtime });
    }
    return found;
  }

  async clear(folder: string): Promise<void> {
    await rm(this.pathOf(folder), { recursive: true, force: true }).catch(storageError);
  }

  async room(): Promise<number> {
    const { bavail, bsize } = await statfs(this.root).catch(storageError);
    return bavail * bsize;
  }

  private pathOf(name: string): string {
    return join(this.folder, checkedName(name));
  }
}
