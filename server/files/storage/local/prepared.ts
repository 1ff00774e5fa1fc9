/**
 * Uploads that are about to appear, in a folder of their own: no sweep takes them for those of a dead process. A file leaves it by the very step with which it appears:
 * by a rename, or by a second name (where no other file may lose its name) that the first one follows. Between these two steps of the latter it has the name here as well; the
 * system has noted the change then (`st_ctime`, which link(2) sets), and the id tells what it was before.
 */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { STAGING } from '../../virtual-path';
import type { Prepared } from '../storage';
import { storageError } from './errors';
import { Folder } from './folder';

/** Its name in the folder of what is staged. */
export const PREPARED = 'prepared';
/** What is older is nobody's any more. */
const ABANDONED_MS = 24 * 3_600_000;
/** The clock of the system's notes goes in steps that are no longer: of a kernel with 100 ticks a second, and of NFS. */
const TICK_MS = 12;

/** A file in the folder. */
export interface PreparedFile {
  readonly id: string;
  readonly folder: Folder;
  readonly name: string;
  /** Fulfilled when the system's notes tell what happens next from what was before. */
  settled(): Promise<void>;
}

export class LocalPrepared implements Prepared {
  private folder: Promise<Folder> | undefined;

  private readonly path: string;

  constructor(root: string) {
    this.path = join(root, STAGING, PREPARED);
  }

  /** Takes in a file that is written and flushed. */
  async take(from: Folder, name: string, fsync: boolean): Promise<PreparedFile> {
    const folder = await this.open();
    const own = randomUUID();
    await folder.adopt(from, name, own);
    if (fsync) await folder.sync();
    const { ctimeNs } = await lstat(folder.at(own), { bigint: true }).catch(storageError);
    const since = performance.now();
    return { id: `${own}.${ctimeNs}`, folder, name: own, settled: () => sleep(Math.max(0, TICK_MS - (performance.now() - since))) };
  }

  async isWaiting(id: string): Promise<boolean> {
    const [name, changed] = partsOf(id);
    if (name === undefined) return false;
    const found = await lstat((await this.open()).at(name), { bigint: true }).catch(goneOr);
    return found !== undefined && found.nlink === 1n && String(found.ctimeNs) === changed;
  }

  async withdraw(id: string): Promise<boolean> {
    const [name] = partsOf(id);
    if (name === undefined) return false;
    const folder = await this.open();
    const was = await this.isWaiting(id);
    const file = await open(folder.at(name)).catch(goneOr);
    try {
      await folder.remove(name).catch(() => {}); // it may have gone meanwhile
      // Held open, it tells whether it got its second name just before.
      return was && file !== undefined && (await file.stat()).nlink === 0;
    } finally {
      await file?.close();
    }
  }

  /** Removes what nobody asks for any more. */
  async *sweep(): AsyncGenerator<void> {
    const folder = await Folder.open(this.path).catch(() => undefined);
    if (!folder) return; // nothing was ever prepared
    try {
      for await (const names of folder.names())
        for (const name of names) {
          const found = await folder.find(name);
          if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await folder.remove(name).catch(() => {}); // another process sweeps as well
          yield;
        }
    } finally {
      await folder.close();
    }
  }

  async close(): Promise<void> {
    await (await this.folder?.catch(() => undefined))?.close();
  }

  private open(): Promise<Folder> {
    this.folder ??= this.make().catch((error: unknown) => {
      this.folder = undefined; // what was wrong may have passed when it is asked for again
      throw error;
    });
    return this.folder;
  }

  private async make(): Promise<Folder> {
    await mkdir(this.path, { recursive: true, mode: 0o700 }).catch(storageError);
    return Folder.open(this.path);
  }
}

/** Nothing where it is the id of another storage. */
function partsOf(id: string): readonly [name: string, changed: string] | readonly [] {
  const found = /^([\w-]{36})\.(\d+)$/.exec(id);
  return found ? [found[1]!, found[2]!] : [];
}

function goneOr(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') storageError(error);
}
