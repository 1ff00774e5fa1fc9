/** What a client has open: files that it reads or writes, folders that it lists. */
import { posix } from 'node:path';
import type { Entry, Listing, Outcome, Reading, Writing } from '../../files/account-files';
import { BrokenOff } from '../../files/progress';
import { type WireReader, WireWriter } from '../wire';
import { Refused, statuses } from './protocol';
import type { ReadingFile } from './reading-file';
import type { SftpSession } from './session';

/** Handles that one session may have open, on all its channels together. */
export const MOST_HANDLES = 64;

export interface ReadHandle {
  readonly kind: 'read';
  readonly path: string;
  readonly reading: Reading;
  /** The same, read ahead. */
  readonly file: ReadingFile;
  /** Tells the session that it is over. */
  readonly over: () => void;
}

export interface WriteHandle {
  readonly kind: 'write';
  readonly path: string;
  readonly writing: Writing;
  readonly over: () => void;
  /** Whether it was opened to be read as well. */
  readonly reads: boolean;
  /** Once it was read. */
  reading?: Reading;
  modified: Date | undefined;
  /** Where it ended before it was closed: who renames a file that is being written has said that this was all. */
  ended?: Outcome;
}

export interface FolderHandle {
  readonly kind: 'folder';
  readonly path: string;
  readonly batches: AsyncIterator<readonly Entry[]>;
  rest: readonly Entry[];
  readonly listing: Listing;
  /** Ends the listing, with an error where it was broken off. Fulfilled when it is told. */
  readonly end: (error?: Error) => Promise<unknown>;
}

export type Handle = ReadHandle | WriteHandle | FolderHandle;

export class Handles {
  private readonly open = new Map<number, Handle>();
  private next = 1;

  constructor(private readonly session: Pick<SftpSession, 'takeHandle' | 'giveHandleBack'>) {}

  /** Takes a place for a handle that is to be opened, which `add` fills or `giveBack` empties. */
  takePlace(): void {
    if (!this.session.takeHandle()) throw new Refused(statuses.failure, 'Too many files are open; close some.');
  }

  giveBack(): void {
    this.session.giveHandleBack();
  }

  /** Answers the handle as the client is to say it. */
  add(handle: Handle): Buffer {
    const number = this.next;
    this.next += 1;
    this.open.set(number, handle);
    return new WireWriter(4).uint32(number).done();
  }

  /** The handle that comes next in a request. */
  read(reader: WireReader): Handle {
    const handle = this.open.get(numberIn(reader));
    if (!handle) throw new Refused(statuses.failure, 'There is no such handle.');
    return handle;
  }

  /** The same, which is not open any more then. Its place is given back by `released`. */
  take(reader: WireReader): Handle {
    const number = numberIn(reader);
    const handle = this.open.get(number);
    if (!handle) throw new Refused(statuses.failure, 'There is no such handle.');
    this.open.delete(number);
    return handle;
  }

  /** What this client is writing under a path: to itself it is there already, as far as it has come. */
  writtenAt(path: string): WriteHandle | undefined {
    for (const handle of this.open.values()) if (handle.kind === 'write' && !handle.ended && handle.path === path) return handle;
    return undefined;
  }

  /** Gives back what a handle holds of the session, whatever comes of its end. */
  async released(handle: Handle, end: () => Promise<void>): Promise<void> {
    this.giveBack();
    try {
      await end();
    } finally {
      if (handle.kind !== 'folder') handle.over();
    }
  }

  /** What takes long is not gone on with. */
  abort(): void {
    for (const handle of this.open.values()) {
      if (handle.kind === 'write') handle.writing.progress.abort();
      else if (handle.kind === 'read') handle.reading.progress.abort();
    }
  }

  /** What is still open was not closed by the client: that is no end. */
  async giveUpAll(): Promise<void> {
    for (const [number, handle] of [...this.open]) {
      this.open.delete(number);
      await this.released(handle, () => giveUp(handle)).catch(() => {});
    }
  }
}

async function giveUp(handle: Handle): Promise<void> {
  if (handle.kind === 'read') await handle.file.abort();
  else if (handle.kind === 'write') {
    await handle.reading?.abort();
    if (!handle.ended) await handle.writing.abort();
  } else await endListing(handle, new BrokenOff('The client left before the listing was over.'));
}

export async function endListing({ batches, end }: FolderHandle, error?: Error): Promise<void> {
  await batches.return?.();
  await end(error);
}

/** What is known of a file that is being written. */
export function entryOf({ path, writing, modified }: WriteHandle): Entry {
  return { name: posix.basename(path), type: 'file', size: writing.size, modified: modified ?? new Date() };
}

/** By which a file can be read. */
export function readingOf(handle: Handle): Reading {
  if (handle.kind === 'read') return handle.reading;
  if (handle.kind !== 'write' || !handle.reads || handle.ended) throw new Refused(statuses.permissionDenied, 'It was not opened to be read.');
  handle.reading ??= handle.writing.openReading('READ');
  return handle.reading;
}

export function writingOf(handle: Handle): Writing {
  if (handle.kind !== 'write') throw new Refused(statuses.permissionDenied, 'It was not opened to be written.');
  if (handle.ended) throw new Refused(statuses.failure, 'It was closed when it was renamed.');
  return handle.writing;
}

function numberIn(reader: WireReader): number {
  const bytes = reader.string();
  return bytes.length === 4 ? bytes.readUInt32BE(0) : 0;
}
