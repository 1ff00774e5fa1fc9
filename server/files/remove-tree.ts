/** Removes a folder with everything in it, entry by entry: the storage has no other way, and the audit has a line for each. */
import { posix } from 'node:path';
import { type Entry, StorageError, type Volume } from './storage/storage';

/** Entries that are removed side by side: on S3 each is a request. */
const AT_ONCE = 8;

export interface TreeRemoval {
  readonly volume: Pick<Volume, 'list' | 'remove' | 'rmdir'>;
  /** Entries that are removed at most. */
  readonly most: number;
  readonly signal: AbortSignal;
  /** Told of each entry that is gone. */
  removed(path: string, type: Entry['type']): void;
}

/** Answers how many are gone, and whether that is all. What is thrown, or the signal, leaves what is not gone yet. */
export async function removeTree(folder: string, removal: TreeRemoval): Promise<{ readonly removed: number; readonly isAll: boolean }> {
  const counted = { removed: 0 };
  const isAll = await removeFolder(folder, removal, counted);
  return { removed: counted.removed, isAll };
}

/** Whether the folder is gone. */
async function removeFolder(folder: string, removal: TreeRemoval, counted: { removed: number }): Promise<boolean> {
  const { volume, most, signal } = removal;
  const gone = (path: string, type: Entry['type']) => {
    counted.removed += 1;
    removal.removed(path, type);
  };
  for await (const batch of volume.list(folder)) {
    const files = batch.filter(({ type }) => type === 'file').map(({ name }) => posix.join(folder, name));
    while (files.length > 0) {
      signal.throwIfAborted();
      if (counted.removed >= most) return false;
      // All are waited for: of what is gone, nothing is left untold.
      const ends = await Promise.allSettled(
        files.splice(0, Math.min(AT_ONCE, most - counted.removed)).map(async (path) => {
          await volume.remove(path).catch(ignoreMissing);
          gone(path, 'file');
        }),
      );
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    }
    for (const { name, type } of batch) {
      if (type !== 'directory') continue;
      signal.throwIfAborted();
      if (counted.removed >= most || !(await removeFolder(posix.join(folder, name), removal, counted))) return false;
    }
  }
  signal.throwIfAborted();
  if (counted.removed >= most) return false;
  await volume.rmdir(folder);
  gone(folder, 'directory');
  return true;
}

/** Somebody else was faster. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof StorageError) || error.code !== 'not-found') throw error;
}
