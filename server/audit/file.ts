/**
 * The file of the audit: written in order, begun anew by size and by time, and kept within its share of the disk, so that nobody can stop the
 * service by making it write. Rotated files are named after the moment (`audit-20260501T120000.000Z.json`), so that their names sort as they were written.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { ServerConfig } from '../config';
import type { Target } from './target';

export interface RotatedFile {
  readonly path: string;
  readonly bytes: number;
  /**
   * Whether it is taken for shipped: somebody has read it since its last line was written (its time of access is later, where the file system keeps
   * one), or it has had an hour for that. An agent takes seconds; one that is an hour behind has set off the alarm on silence long ago.
   */
  readonly shipped: boolean;
}

/** What became of the files, for whoever has to hear of it. */
export interface FileEvents {
  /** Called before a rotated file is deleted, with the reason; its lines can still be read. */
  dropping(file: RotatedFile, why: 'keepBytes' | 'freeBytes' | 'full'): Promise<void>;
  /** Free bytes of the file system, after each look. */
  free(bytes: number): void;
}

/** So often the disk is looked at, at most. Milliseconds. */
const LOOK_EVERY_MS = 10_000;
const SHIPPED_WITHIN_MS = 3_600_000;
const NEWLINE = 0x0a;

/** Where lines go and how; without `rotate`, something else rotates the file. */
export type FileSettings = Pick<ServerConfig['audit'], 'destination' | 'sync'> & Partial<Pick<ServerConfig['audit'], 'rotate'>>;

/** Throws where it can't be written. */
export async function openFile({ destination: path, sync, rotate = false }: FileSettings, events?: FileEvents): Promise<Target> {
  const openNow = (): Promise<FileHandle> => open(path, 'a', 0o640);
  let file = await openNow().catch((error: NodeJS.ErrnoException) => {
    throw new Error(`audit.destination: ${path} can't be written (${error.code})`);
  });
  let { size, birthtimeMs: since } = await file.stat();
  if (size === 0) since = Date.now();
  let turn: Promise<void> = Promise.resolve();
  let lookAt = 0;
  /** A line was cut short, by a full disk or a crash: what comes next begins a line of its own. */
  let isTorn = await endsWithinLine(path, size);

  /** One after the other: lines of several processes never mix. */
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const done = turn.then(act);
    turn = done.catch(() => {});
    return done;
  };

  const reopen = async () => {
    const before = file;
    file = await openNow();
    await before.close();
    ({ size } = await file.stat());
    isTorn = await endsWithinLine(path, size);
    since = Date.now();
  };

  const append = async (text: string) => {
    const bytes = Buffer.from(isTorn ? `\n${text}` : text);
    for (let at = 0; at < bytes.length; ) {
      try {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, null);
        at += bytesWritten;
        size += bytesWritten;
        if (bytesWritten > 0) isTorn = bytes[at - 1] !== NEWLINE;
      } catch (error) {
        // A full disk is the last moment to give up what was rotated. What is left of the line goes where its beginning went.
        const full = (error as NodeJS.ErrnoException).code === 'ENOSPC' || (error as NodeJS.ErrnoException).code === 'EDQUOT';
        if (!full || !rotate || !(await dropOldest(await rotatedFiles(path), 'full'))) throw error;
      }
    }
    if (sync) await file.datasync();
  };

  const dropOldest = async (files: readonly RotatedFile[], why: 'keepBytes' | 'freeBytes' | 'full'): Promise<RotatedFile | undefined> => {
    const oldest = files.find(({ shipped }) => shipped) ?? (why === 'keepBytes' ? undefined : files[0]);
    if (!oldest) return undefined;
    await events?.dropping(oldest, why).catch(() => {}); // a file that can't be read is no reason to keep it
    await rm(oldest.path, { force: true });
    return oldest;
  };

  /** Keeps the rotated files within their share, and the disk from filling up. */
  const look = async ({ keepBytes, freeBytes }: Exclude<typeof rotate, false>) => {
    lookAt = Date.now() + LOOK_EVERY_MS;
    let files = await rotatedFiles(path);
    for (;;) {
      const { bavail, bsize } = await statfs(dirname(path));
      const free = bavail * bsize;
      const kept = files.reduce((sum, { bytes }) => sum + bytes, 0);
      const why = free < freeBytes ? 'freeBytes' : kept > keepBytes ? 'keepBytes' : undefined;
      const dropped = why && (await dropOldest(files, why));
      if (!dropped) return events?.free(free);
      files = files.filter((one) => one !== dropped);
    }
  };

  return {
    write: (text) =>
      inTurn(async () => {
        if (rotate && size > 0 && (size >= rotate.bytes || Date.now() - since >= rotate.minutes * 60_000)) {
          await rename(path, await nextName(path, new Date()));
          await reopen();
          lookAt = 0;
        }
        await append(text);
        // What could not be looked at is looked at again; what can't be written says so by itself.
        if (rotate && Date.now() >= lookAt) await look(rotate).catch(() => {});
      }),
    reopen: () => inTurn(reopen),
    close: () => inTurn(() => file.close()),
  };
}

/** Whether the last line of the file has no end. To look is not to ship: the time of access stays. A file that can't be read is believed to be whole. */
async function endsWithinLine(path: string, size: number): Promise<boolean> {
  if (size === 0) return false;
  const file = await open(path, constants.O_RDONLY | (constants.O_NOATIME ?? 0)).catch(() => undefined);
  try {
    const last = await file?.read(Buffer.alloc(1), 0, 1, size - 1);
    return last?.bytesRead === 1 && last.buffer[0] !== NEWLINE;
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}

/** `audit.json` becomes `audit-20260501T120000.000Z.json`, which sorts before it. */
function rotatedName(path: string, at: Date): string {
  const { stem, ending } = partsOf(path);
  return join(dirname(path), `${stem}-${at.toISOString().replaceAll(/[-:]/g, '')}${ending}`);
}

/** Behind all that there are, also where the clock was set back: their order is that of the lines, the oldest goes first, and no name is taken twice. */
async function nextName(path: string, now: Date): Promise<string> {
  const newest = (await rotatedFiles(path)).at(-1)?.path;
  const name = rotatedName(path, now);
  return newest === undefined || name > newest ? name : rotatedName(path, new Date(momentOf(newest).getTime() + 1));
}

/** The moment that a rotated file is named after. */
function momentOf(rotated: string): Date {
  const [, date, hour, minute, second] = /(\d{8})T(\d{2})(\d{2})(\d{2}\.\d{3})Z\.?[^.]*$/.exec(rotated)!;
  return new Date(`${date!.replace(/(....)(..)(..)/, '$1-$2-$3')}T${hour}:${minute}:${second}Z`);
}

/** The oldest first. */
async function rotatedFiles(path: string): Promise<RotatedFile[]> {
  const { stem, ending } = partsOf(path);
  const folder = dirname(path);
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(`${stem}-`) && name.endsWith(ending) && /^\d{8}T\d{6}\.\d{3}Z$/.test(name.slice(stem.length + 1, name.length - ending.length)),
  );
  const files = await Promise.all(
    names.sort().map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined); // taken away meanwhile
      return found && { path: join(folder, name), bytes: found.size, shipped: found.atimeMs > found.mtimeMs || Date.now() - found.mtimeMs > SHIPPED_WITHIN_MS };
    }),
  );
  return files.filter((file) => file !== undefined);
}

function partsOf(path: string): { stem: string; ending: string } {
  const ending = extname(path);
  return { stem: basename(path, ending), ending };
}
