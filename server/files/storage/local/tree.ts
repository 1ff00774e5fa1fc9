/**
 * Goes through everything below a folder with one folder open at a time, however deep it is: down by name, and up by `..`, which is looked
 * at for being the folder that was left. Where it is not, because somebody moved a folder meanwhile, the way is walked again from the top.
 */
import type { Stats } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isReserved } from '../../virtual-path';
import { StorageError } from '../storage';
import { Folder } from './folder';

/** Some of the files in one folder. */
export interface FilesFound {
  /** The folder, in names from the top. */
  readonly parts: readonly string[];
  readonly files: readonly { readonly name: string; readonly stats: Stats }[];
}

/** A folder on the way down. */
interface Level {
  readonly name: string;
  /** What tells it from any other. */
  readonly key: string;
  /** The folders in it that are still to be gone into. */
  readonly folders: string[];
}

/** All files, in batches; each folder comes at least once, also without files. Folders that go meanwhile, or that this process may not read, are left out. */
export async function* filesBelow(root: string, top: readonly string[], signal?: AbortSignal): AsyncGenerator<FilesFound> {
  let here = await Folder.walk(root, top);
  try {
    const levels: Level[] = [{ name: '', key: await here.keyOf(''), folders: [] }];
    yield* filesIn(here, levels, signal);
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      signal?.throwIfAborted();
      const name = level.folders.pop();
      const next = name === undefined ? await above(here, levels, root, top) : await here.folder(name).catch(ignoreGone);
      if (!next) continue;
      await here.close();
      here = next;
      if (name === undefined) continue;
      levels.push({ name, key: await here.keyOf(''), folders: [] });
      yield* filesIn(here, levels, signal);
    }
  } finally {
    await here.close();
  }
}

async function* filesIn(here: Folder, levels: readonly Level[], signal: AbortSignal | undefined): AsyncGenerator<FilesFound> {
  const parts = levels.slice(1).map(({ name }) => name);
  const { folders } = levels.at(-1)!;
  yield { parts, files: [] };
  try {
    for await (const names of here.names()) {
      signal?.throwIfAborted();
      const found = await here.stats(names);
      const files: { name: string; stats: Stats }[] = [];
      for (const [index, name] of names.entries()) {
        const stats = isReserved(name) ? undefined : found[index];
        if (stats?.isFile()) files.push({ name, stats });
        else if (stats?.isDirectory()) folders.push(name);
      }
      if (files.length > 0) yield { parts, files };
      await nextTurn(); // names and looks may all have come from memory
    }
  } catch (error) {
    ignoreGone(error);
  }
}

/** Leaves the last level. The folder of the one before; undefined where there is none. */
async function above(here: Folder, levels: Level[], root: string, top: readonly string[]): Promise<Folder | undefined> {
  levels.pop();
  let found = levels.length > 0 ? await here.folder('..').catch(ignoreGone) : undefined;
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    if (found && (await found.keyOf('')) === level.key) return found;
    await found?.close();
    found = await Folder.walk(root, [...top, ...levels.slice(1).map(({ name }) => name)]).catch(ignoreGone);
    if (found && (await found.keyOf('')) === level.key) return found;
    levels.pop(); // it is elsewhere now
  }
  await found?.close();
  return undefined;
}

/** Whether folders lie more than so many levels below a folder. */
export async function isDeeperThan(root: string, top: readonly string[], levels: number, signal?: AbortSignal): Promise<boolean> {
  for await (const { parts } of filesBelow(root, top, signal)) if (parts.length > levels) return true;
  return false;
}

function ignoreGone(error: unknown): undefined {
  if (error instanceof StorageError && ['not-found', 'not-directory', 'denied'].includes(error.code)) return undefined;
  throw error;
}
