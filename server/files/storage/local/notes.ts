/** Notes on the local disk. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Notes } from '../storage';
import { storageError } from './errors';
import { Hidden, linked } from './hidden';

export class LocalNotes implements Notes {
  private readonly files: Hidden;

  constructor(root: string) {
    this.files = new Hidden(root);
  }

  create(name: string, text: string): Promise<boolean> {
    return this.put(name, text, linked);
  }

  replace(name: string, text: string): Promise<void> {
    return this.put(name, text, (unfinished, path) => rename(unfinished, path).catch(storageError));
  }

  async read(name: string): Promise<string | undefined> {
    return (await this.files.read(name))?.toString('utf8');
  }

  async remove(name: string): Promise<void> {
    await rm(this.files.pathOf(name), { force: true }).catch(storageError);
  }

  list(folder: string): Promise<string[]> {
    return this.files.list(folder);
  }

  clear(folder: string): Promise<void> {
    return this.files.clear(folder);
  }

  /** Flushed, and the folder as well: what was written down before something else was done is there after a crash of the host. */
  private put<T>(name: string, text: string, place: (unfinished: string, path: string) => Promise<T>): Promise<T> {
    return this.files.put(name, text, true, async (unfinished, path) => {
      const placed = await place(unfinished, path);
      const folder = await open(dirname(path), 'r').catch(storageError);
      await folder
        .sync()
        .catch(storageError)
        .finally(() => folder.close());
      return placed;
    });
  }
}
