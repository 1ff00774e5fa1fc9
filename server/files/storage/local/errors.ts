/** The operating system's errors in words for a client, without a path of the host. */
import { StorageError, type StorageErrorCode } from '../storage';

const known: Readonly<Record<string, readonly [StorageErrorCode, string]>> = {
  ENOENT: ['not-found', 'No such file or directory.'],
  EEXIST: ['exists', 'The name is taken.'],
  ENOTEMPTY: ['not-empty', 'The directory is not empty.'],
  EISDIR: ['is-directory', 'That is a directory.'],
  ENOTDIR: ['not-directory', 'Not a directory.'],
  ELOOP: ['not-found', 'No such file or directory.'],
  EACCES: ['denied', 'Permission denied.'],
  EPERM: ['denied', 'Permission denied.'],
  EROFS: ['denied', 'The storage is read-only.'],
  ENAMETOOLONG: ['invalid-name', 'The name is too long.'],
  EINVAL: ['invalid-name', 'The storage does not take this name or this move.'],
  EILSEQ: ['invalid-name', 'The storage does not take this name.'],
  ENOSPC: ['no-space', 'The storage is full.'],
  EDQUOT: ['quota', 'The quota is used up.'],
  EFBIG: ['quota', 'The file is too large for the storage.'],
  EXDEV: ['unsupported', 'The two places are on different file systems.'],
  ENXIO: ['denied', 'Not a regular file.'],
};

/** Throws the error again as a StorageError. */
export function storageError(error: unknown): never {
  throw asStorageError(error);
}

export function asStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const [code, message] = known[(error as NodeJS.ErrnoException).code ?? ''] ?? ['unavailable', 'The storage had an error; try again.'];
  return new StorageError(code, message, { cause: error });
}
