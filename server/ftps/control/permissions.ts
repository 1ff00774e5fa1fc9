/** Which permission a command needs, and what an account that may neither list nor read learns of what is there: nothing but what it uploaded itself. */
import type { Permission } from '../../config';
import type { Command } from './command';

const refusals: Readonly<Record<Permission, string>> = {
  read: 'This account may not download.',
  write: 'This account may not upload.',
  list: 'This account may not list.',
  delete: 'This account may not delete.',
  rename: 'This account may not rename.',
  mkdir: 'This account may not make folders.',
};

/** Why an account with these permissions may not use a command; undefined where it may. */
export function lacking({ needs = [] }: Command, argument: string, permissions: readonly Permission[]): string | undefined {
  const wanted = typeof needs === 'function' ? needs(argument) : needs;
  const [first] = wanted;
  return first === undefined || wanted.some((permission) => permissions.includes(permission)) ? undefined : refusals[first];
}

/** Whether an account may know which names there are, and how large and old what they stand for is. */
export function maySee(permissions: readonly Permission[]): boolean {
  return permissions.includes('list') || permissions.includes('read');
}

/** What a session remembers of its own uploads, the newest. */
const MOST_REMEMBERED = 1_000;

/** The files that a session has uploaded: their size and time are no news to it, and it may go on with them. */
export class OwnUploads {
  private readonly paths = new Set<string>();

  add(path: string): void {
    this.paths.delete(path);
    this.paths.add(path);
    if (this.paths.size > MOST_REMEMBERED) this.paths.delete(this.paths.values().next().value!);
  }

  has(path: string): boolean {
    return this.paths.has(path);
  }

  renamed(from: string, to: string): void {
    if (this.paths.delete(from)) this.add(to);
  }

  clear(): void {
    this.paths.clear();
  }
}
