/** Tells of changes of a file. The folder is watched, because editors and secret agents replace a file rather than write into it. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A file is written in several steps; it is read when it has been quiet for that long. */
const SETTLE_MS = 100;

export function watchFile(file: string, changed: () => void): FSWatcher {
  let timer: NodeJS.Timeout | undefined;
  const name = basename(file);
  return watch(dirname(file), { persistent: false }, (_event, which) => {
    if (which !== null && which !== name) return;
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MS).unref();
  });
}
