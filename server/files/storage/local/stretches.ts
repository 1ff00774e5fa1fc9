/** Stretches on the local disk, where notes are. */
import { lstat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stretch, Stretches } from '../storage';
import { storageError } from './errors';
import { Hidden, linked } from './hidden';

export class LocalStretches implements Stretches {
  private readonly files: Hidden;

  constructor(
    private readonly root: string,
    private readonly fsync: boolean,
  ) {
    this.files = new Hidden(root);
  }

  /** The folder is not flushed: a name that is lost with the host is a stretch that was never there. */
  create(name: string, bytes: Buffer): Promise<boolean> {
    return this.files.put(name, bytes, this.fsync, linked);
  }

  read(name: string): Promise<Buffer | undefined> {
    return this.files.read(name);
  }

  async list(folder: string): Promise<Stretch[]> {
    const path = this.files.pathOf(folder);
    const found: Stretch[] = [];
    for (const name of await this.files.list(folder)) {
      const stats = await lstat(join(path, name)).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : storageError(error)));
      if (stats) found.push({ name, bytes: stats.size, modified: stats.mtime });
    }
    return found;
  }

  clear(folder: string): Promise<void> {
    return this.files.clear(folder);
  }

  async room(): Promise<number> {
    const { bavail, bsize } = await statfs(this.root).catch(storageError);
    return bavail * bsize;
  }
}
