/**
 * Events of uploads on disk, one file each, from before the upload becomes visible until EventBridge has taken the event. A name tells the
 * place of the worker that keeps it, when it was written, and how far it is: `3-mb0x2c-UUID.begun` before the upload is visible, `.due` from
 * then on. What a crash leaves is found again by whoever has that place next.
 */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
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

const NAME = /^(\d+)-[0-9a-z]+-[0-9a-f-]{36}\.(begun|due)$/;

export class Outbox {
  private readonly begunBefore: string[] = [];
  private readonly dueBefore: string[] = [];
  private kept = 0;

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
      for (const name of (await readdir(folder)).sort()) {
        const [, index, state] = NAME.exec(name) ?? [];
        if (index === undefined || !outbox.isMine(Number(index))) continue;
        (state === 'due' ? outbox.dueBefore : outbox.begunBefore).push(name);
        outbox.kept += 1;
      }
    } catch (error) {
      throw new Error(`afterRelease.outbox: ${folder} can't be used (${(error as NodeJS.ErrnoException).code}); name a folder that the server may write`);
    }
    return outbox;
  }

  /** Events that are kept, those of uploads that are just ending included. */
  get size(): number {
    return this.kept;
  }

  /** What was found when it was opened, the oldest first: what is due, and what nobody knows to have become visible. */
  get left(): { readonly due: readonly string[]; readonly begun: readonly string[] } {
    return { due: this.dueBefore, begun: this.begunBefore };
  }

  /** Writes it down. Throws a StorageError where that can't be done, so that no upload becomes visible of which nobody would be told. */
  async begin(begun: Begun): Promise<string> {
    if (this.kept >= this.most)
      throw new StorageError('unavailable', 'Uploads are not taken at the moment: what follows them could not be told. Try again later.');
    this.kept += 1;
    const name = `${this.place.index}-${Date.now().toString(36)}-${begun.detail.id}.begun`;
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

  /** The upload is visible. Answers with the name that it has from now on. */
  async due(name: string): Promise<string> {
    const due = name.replace(/begun$/, 'due');
    await rename(join(this.folder, name), join(this.folder, due));
    return due;
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
    this.kept -= 1;
    await rm(join(this.folder, name), { force: true });
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
