/** What a client finds under a path: files that are there, those that it is writing, and those that a scanner holds. */
import type { AccountFiles, Entry } from '../../files/account-files';
import { namesFolder, virtualPath } from '../../files/virtual-path';
import { entryOf, type Handles } from './handles';
import { Refused, statuses } from './protocol';

/** Paths whose files were sent but are not there yet, for a scanner has them: a client that looks after it finds what it sent. */
const MOST_HELD = 1_000;

/** The path that an argument means. */
export function pathOf(argument: string): string {
  return virtualPath('/', argument);
}

/** The same for what can be no folder. */
export function filePathOf(argument: string): string {
  if (namesFolder(argument)) throw new Refused(statuses.failure, 'A path that ends like this one names a folder.');
  return pathOf(argument);
}

export class Names {
  private readonly held = new Map<string, Entry>();

  constructor(
    private readonly files: AccountFiles,
    private readonly handles: Handles,
  ) {}

  async entryAt(argument: string): Promise<Entry> {
    const path = pathOf(argument);
    const isFolder = namesFolder(argument);
    const open = isFolder ? undefined : this.handles.writtenAt(path);
    if (open) return entryOf(open);
    try {
      return await this.files.find('stat', path, isFolder ? 'directory' : undefined);
    } catch (error) {
      const held = this.held.get(path);
      if (held) return held;
      throw error;
    }
  }

  isHeld(path: string): boolean {
    return this.held.has(path);
  }

  /** An upload has ended: its file is there, or held for a scanner. */
  ended(path: string, held: Entry | undefined): void {
    this.held.delete(path);
    if (!held) return;
    this.held.set(path, held);
    if (this.held.size > MOST_HELD) this.held.delete(this.held.keys().next().value!);
  }

  renamed(from: string, to: string): void {
    const held = this.held.get(from);
    this.held.delete(from);
    if (held) this.held.set(to, held);
  }
}
