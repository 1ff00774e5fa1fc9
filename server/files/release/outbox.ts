/**
 * Events of uploads on disk, one file each, from before the upload becomes visible until whoever is to be told has taken the event. A name tells the
 * place of the worker that keeps it, when it was written, and how far it is: `3-mb0x2c-UUID.begun` before the upload is visible; from then on `.due`
 * for EventBridge and `.due-NAME` for each webhook, a file for each. What a crash leaves is found again by whoever has that place next.
 */
import { chown, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../storage/storage';
import type { ReleaseDetail } from './event';

/** An upload that is about to become visible. */
export interface Begun {
  readonly detail: ReleaseDetail;
  /** Home of the account, below the storage root. */
  readonly home: string;
}

/** Which of the workers this is: what it does not finish, the next one in its place does. */
export interface Place {
  readonly index: number;
  readonly count: number;
}

const NAME = /^(\d+)-[0-9a-z]+-[0-9a-f-]{36}\.(?:begun|due(?:-([a-z0-9-]{1,40}))?)$/;

/** Whom an event is for: EventBridge, or a webhook by its name. */
export type Destination = '' | (string & {});

export class Outbox {
  private readonly begunBefore: string[] = [];
  private readonly dueBefore: string[] = [];
  /** Those that this process has heard of. */
  private readonly known = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly place: Place,
    private readonly most: number,
  ) {}

  /** `most`: events that all workers together keep. */
  static async open(folder: string, place: Place, most: number): Promise<Outbox> {
    const outbox = new Outbox(folder, place, Math.ceil(most / place.count));
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const name of await outbox.unknown()) {
        (name.endsWith('.begun') ? outbox.begunBefore : outbox.dueBefore).push(name);
        outbox.known.add(name);
      }
    } catch (error) {
      throw new Error(`afterRelease.outbox: ${folder} can't be used (${(error as NodeJS.ErrnoException).code}); name a folder that the server may write`);
    }
    return outbox;
  }

  /** Events that are kept, those of uploads that are just ending included. */
  get size(): number {
    return this.known.size;
  }

  /** What was found when it was opened, the oldest first: what is due, and what nobody knows to have become visible. */
  get left(): { readonly due: readonly string[]; readonly begun: readonly string[] } {
    return { due: this.dueBefore, begun: this.begunBefore };
  }

  /** Writes it down. Throws a StorageError where that can't be done, so that no upload becomes visible of which nobody would be told. */
  async begin(begun: Begun): Promise<string> {
    if (this.known.size >= this.most)
      throw new StorageError('unavailable', 'Uploads are not taken at the moment: what follows them could not be told. Try again later.');
    const name = `${this.place.index}-${Date.now().toString(36)}-${begun.detail.id}.begun`;
    this.known.add(name);
    try {
      const file = await open(join(this.folder, name), 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify(begun));
        await file.datasync();
      } finally {
        await file.close();
      }
      return name;
    } catch (error) {
      await this.remove(name).catch(() => {});
      throw new StorageError('unavailable', 'Uploads are not taken at the moment: what follows them could not be written down. Try again later.', {
        cause: error,
      });
    }
  }

  /** The upload is visible. Answers with the names that it has from now on, one for each that is to be told. */
  async due(name: string, destinations: readonly Destination[]): Promise<string[]> {
    const dues = destinations.map((destination) => name.replace(/begun$/, destination === '' ? 'due' : `due-${destination}`));
    for (const due of dues) this.known.add(due);
    try {
      await this.give(name, dues);
    } catch (error) {
      for (const due of dues) this.known.delete(due);
      throw error;
    }
    this.known.delete(name);
    return dues;
  }

  /** What a crash leaves in between is told once more to some, by the same id. */
  private async give(name: string, dues: readonly string[]): Promise<void> {
    const [only] = dues;
    if (dues.length === 1) return rename(join(this.folder, name), join(this.folder, only!));
    for (const due of dues)
      await link(join(this.folder, name), join(this.folder, due)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    await rm(join(this.folder, name), { force: true });
  }

  /** What others have put here since it was opened: an operator's command. */
  async found(): Promise<string[]> {
    const dues = (await this.unknown()).filter((name) => !name.endsWith('.begun'));
    for (const name of dues) this.known.add(name);
    return dues;
  }

  /** Gives what this process has written to whoever serves: an operator's command may be run by root. */
  async handOver(names: readonly string[]): Promise<void> {
    const { uid, gid } = await stat(this.folder);
    if (process.getuid?.() === 0) for (const name of names) await chown(join(this.folder, name), uid, gid);
  }

  /** Undefined where it can't be read: cut short by a crash, before its upload became visible. */
  async read(name: string): Promise<Begun | undefined> {
    try {
      return JSON.parse(await readFile(join(this.folder, name), 'utf8')) as Begun;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    this.known.delete(name);
    await rm(join(this.folder, name), { force: true });
  }

  private async unknown(): Promise<string[]> {
    return (await readdir(this.folder)).sort().filter((name) => {
      const [, index] = NAME.exec(name) ?? [];
      return index !== undefined && this.isMine(Number(index)) && !this.known.has(name);
    });
  }

  /** Places beyond those that there are now were of workers that there are no more. */
  private isMine(index: number): boolean {
    return index === this.place.index || (this.place.index === 0 && index >= this.place.count);
  }
}

/** When a record was begun. */
export function begunAt(name: string): Date {
  return new Date(Number.parseInt(name.split('-')[1] ?? '', 36));
}

/** Whom a due event is for. */
export function destinationOf(name: string): Destination {
  return NAME.exec(name)?.[2] ?? '';
}
