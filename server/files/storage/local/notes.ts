/** Notes on the local disk: files below `<root>/.ftps-notes`. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { NOTES } from '../../virtual-path';
import { checkedName } from '../notes';
import type { Notes } from '../storage';
import { storageError } from './errors';

/** Begins the names of what is being written. */
const UNFINISHED = '.';

export class LocalNotes implements Notes {
  private readonly folder: string;

  constructor(root: string) {
    this.folder = join(root, NOTES);
  }

  /** A second name for a whole file: nobody reads half of one, and of two who want the name one gets it, on NFS as well. */
  create(name: string, text: string): Promise<boolean> {
    return this.put(name, text, (unfinished, path) =>
      link(unfinished, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : storageError(error)),
      ),
    );
  }

  async replace(name: string, text: string): Promise<void> {
    await this.put(name, text, async (unfinished, path) => {
      await rename(unfinished, path).catch(storageError);
      return true;
    });
  }

  /** Flushed, and the folder as well: what was written down before something else was done is there after a crash of the host. */
  private async put(name: string, text: string, place: (unfinished: string, path: string) => Promise<boolean>): Promise<boolean> {
    const path = this.pathOf(name);
    const unfinished = join(dirname(path), `${UNFINISHED}${randomUUID()}`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(storageError);
    try {
      await writeFile(unfinished, text, { mode: 0o600, flag: 'wx', flush: true }).catch(storageError);
      const isPlaced = await place(unfinished, path);
      const folder = await open(dirname(path), 'r').catch(storageError);
      await folder
        .sync()
        .catch(storageError)
        .finally(() => folder.close());
      return isPlaced;
    } finally {
      await rm(unfinished, { force: true }).catch(() => {}); // nobody reads it, and the folder goes some day
    }
  }

  read(name: string): Promise<string | undefined> {
    return readFile(this.pathOf(name), 'utf8').catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : storageError(error)));
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true }).catch(storageError);
  }

  async list(folder: string): Promise<string[]> {
    const path = this.pathOf(folder);
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? [] : storageError(error),
    );
    return entries.flatMap((entry) => (entry.isFile() && !entry.name.startsWith(UNFINISHED) ? [relative(path, join(entry.parentPath, entry.name))] : []));
  }

  async clear(folder: string): Promise<void> {
    await rm(this.pathOf(folder), { recursive: true, force: true }).catch(storageError);
  }

  private pathOf(name: string): string {
    return join(this.folder, checkedName(name));
  }
}
