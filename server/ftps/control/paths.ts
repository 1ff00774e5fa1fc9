/** The path that a command's argument means for a session. */
import { type Entry, StorageError } from '../../files/storage/storage';
import { namesFolder, virtualPath } from '../../files/virtual-path';
import type { Session } from './session';

/** Normalised and absolute; throws a StorageError where the argument can be no path. */
export function resolvePath(session: Session, argument: string): string {
  return virtualPath(session.cwd, argument);
}

/** The same for a command that is about a file: `inbox/` must never become a file `inbox`. */
export function resolveFile(session: Session, argument: string): string {
  if (namesFolder(argument)) throw new StorageError('is-directory', 'A path that ends like this one names a folder.');
  return resolvePath(session, argument);
}

/** What is there under a path as a client wrote it; `folder/` is never a file. */
export async function entryAt(session: Session, argument: string, preferred?: Entry['type']): Promise<{ readonly path: string; readonly entry: Entry }> {
  const path = resolvePath(session, argument);
  const entry = await session.volume!.stat(path, namesFolder(argument) ? 'directory' : preferred);
  if (namesFolder(argument) && entry.type !== 'directory') throw new StorageError('not-directory', 'Not a directory.');
  return { path, entry };
}
