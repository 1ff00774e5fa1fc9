/** Which permission each thing to do with files needs, and what an account that may neither list nor read learns of what is there: nothing but what it uploaded itself. */
import type { Permission } from '../config';

/** What can be done with files. */
export type Operation = 'download' | 'upload' | 'list' | 'stat' | 'set-time' | 'hash' | 'remove' | 'rename' | 'make-folder' | 'remove-folder' | 'available';

/** The permissions of which the account needs one; the first is named where it has none. */
const needed: Readonly<Record<Operation, readonly [Permission, ...Permission[]]>> = {
  download: ['read'],
  upload: ['write'],
  list: ['list'],
  stat: ['list', 'read', 'write'],
  'set-time': ['write'],
  hash: ['read'],
  remove: ['delete'],
  rename: ['rename'],
  'make-folder': ['mkdir'],
  'remove-folder': ['delete'],
  available: ['write', 'list', 'read'],
};

const refusals: Readonly<Record<Permission, string>> = {
  read: 'This account may not download.',
  write: 'This account may not upload.',
  list: 'This account may not list.',
  delete: 'This account may not delete.',
  rename: 'This account may not rename.',
  mkdir: 'This account may not make folders.',
};

/** Why an account with these permissions may not do it; undefined where it may. */
export function lacking(operation: Operation, permissions: readonly Permission[]): string | undefined {
  const wanted = needed[operation];
  return wanted.some((permission) => permissions.includes(permission)) ? undefined : refusals[wanted[0]];
}

/** Whether an account may know which names there are, and how large and old what they stand for is. */
export function maySee(permissions: readonly Permission[]): boolean {
  return permissions.includes('list') || permissions.includes('read');
}
