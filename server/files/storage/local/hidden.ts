/** Files of the server's own on the local disk, below `<root>/.ftps-notes`: each is whole or not there. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { NOTES } from '../../virtual-path';
import { checkedName } from '../notes';
import { storageError } from './errors';

/** Begins the names of what is being written. */
const UNFINISHED = '.';

export class Hidden {
  private readonly folder: string;

  constructor(root: string) {
    this.folder = join(root, NOTES);
  }

  /** Writes a file beside its name; `place` brings it there. */
  async put<T>(name: string, content: string | Buffer, flush: boolean, place: (unfinished: string, path: string) => Promise<T>): Promise<T> {
    const path = this.pathOf(name);
    const unfinished = join(dirname(path), `${UNFINISHED}${randomUUID()}`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(storageError);
    try {
      await writeFile(unfinished, content, { mode: 0o600, flag: 'wx', flush }).catch(storageError);
      return await place(unfinished, path);
    } finally {
      await rm(unfinished, { force: true }).catch(() => {}); // nobody reads it, and the folder goes some day
    }
  }

  read(name: string): Promise<Buffer | undefined> {
    return readFile(this.pathOf(name)).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : storageError(error)));
  }

  /** Names in a folder, and in those below it. */
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

  pathOf(name: string): string {
    return join(this.folder, checkedName(name));
  }
}

/** A second name for a whole file: nobody reads half of one, and of two who want the name one gets it, on NFS as well. False where something has it. */
export function linked(unfinished: string, path: string): Promise<boolean> {
  return link(unfinished, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : storageError(error)),
  );
}
