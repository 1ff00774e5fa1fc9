/** The path that a command's argument means for a session. */
import { type AccountFiles, type Entry, StorageError } from '../../files/account-files';
import type { Operation } from '../../files/permissions';
import { namesFolder, virtualPath } from '../../files/virtual-path';

/** Where a session stands, and what it works on once it has logged in. */
interface Place {
  readonly cwd: string;
  readonly files?: AccountFiles;
}

/** Normalised and absolute; throws a StorageError where the argument can be no path. */
export function resolvePath({ cwd }: Place, argument: string): string {
  return virtualPath(cwd, argument);
}

/** The same for a command that is about a file: `inbox/` must never become a file `inbox`. */
export function resolveFile(place: Place, argument: string): string {
  if (namesFolder(argument)) throw new StorageError('is-directory', 'A path that ends like this one names a folder.');
  return resolvePath(place, argument);
}

/** What is there under a path as a client wrote it, in order to do something with it; `folder/` is never a file. */
export async function entryAt(
  place: Place,
  operation: Operation,
  argument: string,
  preferred?: Entry['type'],
): Promise<{ readonly path: string; readonly entry: Entry }> {
  const path = resolvePath(place, argument);
  const entry = await place.files!.find(operation, path, namesFolder(argument) ? 'directory' : preferred);
  if (namesFolder(argument) && entry.type !== 'directory') throw new StorageError('not-directory', 'Not a directory.');
  return { path, entry };
}
