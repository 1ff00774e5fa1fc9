/** Folders of a partner's, and names in them. */
import { type AccountFiles, StorageError } from '../files/account-files';
import { virtualPath } from '../files/virtual-path';

export const COMMAND = 'AS2';

/** The largest number behind a name that is taken. */
const MOST_TRIES = 1_000_000;
/** Room for such a number within what a file system takes. Bytes. */
const LONGEST_NAME = 240;

/** Makes the folder, and those above it, where they are missing. */
export async function makeFolders(files: AccountFiles, folder: string): Promise<void> {
  if (await isThere(files, folder)) return;
  const parts = folder.split('/').slice(1);
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const path = `/${parts.slice(0, depth).join('/')}`;
    await files.makeFolder(COMMAND, path).catch((error: unknown) => {
      if (!(error instanceof StorageError) || error.code !== 'exists') throw error;
    });
  }
}

export async function isThere(files: AccountFiles, path: string): Promise<boolean> {
  try {
    await files.find('stat', path);
    return true;
  } catch (error) {
    if (error instanceof StorageError && (error.code === 'not-found' || error.code === 'not-directory')) return false;
    throw error;
  }
}

/**
 * A path in the folder that nothing has: by the name that was wished for, with a number where that is taken. `take`: takes one that is free, and is false where it is
 * about to be somebody else's.
 */
export async function freePath(files: AccountFiles, folder: string, wished: string, take: (path: string) => boolean = () => true): Promise<string> {
  const name = Buffer.byteLength(wished) > LONGEST_NAME ? `${[...wished].slice(0, 60).join('')}` : wished;
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  const pathOf = (number: number) => virtualPath(folder, number === 1 ? name : `${stem}-${number}${extension}`);
  const isTaken = (number: number) => isThere(files, pathOf(number));
  for (let number = await firstFree(isTaken); number <= MOST_TRIES; number += 1) {
    const path = pathOf(number);
    if (!(await isTaken(number)) && take(path)) return path;
  }
  throw new StorageError('exists', 'There are too many files of that name.');
}

/**
 * A number that is free behind one that is taken, or 1. Not one after the other: a partner that gives all its files one name has thousands in an inbox, and each look
 * may be a request.
 */
async function firstFree(isTaken: (number: number) => Promise<boolean>): Promise<number> {
  let taken = 0;
  let free = 1;
  while (free <= MOST_TRIES && (await isTaken(free))) {
    taken = free;
    free *= 2;
  }
  while (free - taken > 1) {
    const between = Math.floor((taken + free) / 2);
    if (await isTaken(between)) taken = between;
    else free = between;
  }
  return free;
}

/** The name of a file for what has none that can be used. */
export function nameFromId(messageId: string): string {
  return `${
    messageId
      .replace(/[<>]/g, '')
      .replaceAll(/[^\w.@-]/g, '_')
      .replace(/^\.+/, '')
      .slice(0, 120) || 'message'
  }.msg`;
}
