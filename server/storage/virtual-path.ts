/** Paths as clients write them, made absolute and free of `..` before anything else sees them. */
import { StorageError } from './storage';

/** Name of the folder that holds unfinished uploads. */
export const STAGING = '.ftps-staging';
/** Name of the folder that holds infected files. */
export const QUARANTINE = '.ftps-quarantine';
/** Name of the folder that says which accounts have a retention. */
export const RETENTION = '.ftps-retention';

/** Names that no client can use or see, at any depth. */
export function isReserved(name: string): boolean {
  return name === STAGING || name === QUARANTINE || name === RETENTION;
}

/** Limits of Linux file systems, in bytes. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 4_000;

/**
 * The absolute path that `argument` means in the folder `cwd`: `/`, or `/a/b` without a slash at the end. `..` stops at `/`.
 * Throws StorageError `invalid-name` where it can be no path.
 */
export function virtualPath(cwd: string, argument: string): string {
  if (argument === '') throw new StorageError('invalid-name', 'The path is empty.');
  if (argument.includes('\0')) throw new StorageError('invalid-name', 'A path can have no NUL.');
  const parts: string[] = [];
  for (const part of (argument.startsWith('/') ? argument : `${cwd}/${argument}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else {
      if (Buffer.byteLength(part) > LONGEST_NAME) throw new StorageError('invalid-name', 'The name is too long.');
      if (isReserved(part)) throw new StorageError('invalid-name', 'The name is reserved.');
      parts.push(part);
    }
  }
  const path = `/${parts.join('/')}`;
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new StorageError('invalid-name', 'The path is too long.');
  return path;
}

/** The parts of a path that `virtualPath` made; none for `/`. */
export function partsOf(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}
