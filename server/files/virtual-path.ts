/** Paths as clients write them, made absolute and free of `..` before anything else sees them. */
import { StorageError } from './storage/storage';

/** Name of the folder that holds unfinished uploads. */
export const STAGING = '.ftps-staging';
/** Name of the folder that holds infected files. */
export const QUARANTINE = '.ftps-quarantine';
/** Name of the folder that says which accounts have a retention. */
export const RETENTION = '.ftps-retention';

/** Name of the folder of what everybody shares who serves the storage: `Notes`. */
export const NOTES = '.ftps-notes';

/** Names that no client can use or see, at any depth. */
export function isReserved(name: string): boolean {
  return name === STAGING || name === QUARANTINE || name === RETENTION || name === NOTES;
}

/** C0 and DEL, which no client can say in a command or read in a listing without harm (RFC 3659 section 2.2), and what XML, and so a listing of S3, can't hold. */
const CONTROL = /[\x00-\x1f\x7f\ufffe\uffff]/;

/** Whether clients see an entry of that name. Other programs may have made names that no command can say; those are hidden, never shown under another name. */
export function canBeNamed(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !CONTROL.test(name) && !isReserved(name);
}

/** Limits of Linux file systems, in bytes. */
export const LONGEST_NAME = 255;
const LONGEST_PATH = 4_000;
/** What is looked at, with all its `..` and `//`. Characters. */
const LONGEST_ARGUMENT = 8_192;

/**
 * The absolute path that `argument` means in the folder `cwd`: `/`, or `/a/b` without a slash at the end. `..` stops at `/`.
 * Throws StorageError `invalid-name` where it can be no path.
 */
export function virtualPath(cwd: string, argument: string): string {
  if (argument.length > LONGEST_ARGUMENT) throw new StorageError('invalid-name', 'The path is too long.');
  if (argument === '') throw new StorageError('invalid-name', 'The path is empty.');
  if (CONTROL.test(argument)) throw new StorageError('invalid-name', 'A path can have no control characters.');
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

/** Whether a path as a client wrote it can only mean a folder. */
export function namesFolder(argument: string): boolean {
  return /(^|\/)\.{0,2}$/.test(argument);
}

/** The deepest that anything new may lie, in names: every folder of a path has to be opened on the way, and trees are walked. */
export const DEEPEST = 100;

/** Throws StorageError `invalid-name` where nothing new may be put. What is there already stays within reach. */
export function checkNew(path: string): void {
  if (partsOf(path).length > DEEPEST) throw tooDeep();
}

export function tooDeep(): StorageError {
  return new StorageError('invalid-name', `The path has more than ${DEEPEST} names.`);
}

/** The parts of a path that `virtualPath` made; none for `/`. */
export function partsOf(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}
