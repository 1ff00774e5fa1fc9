/**
 * Puts small files into place, in a thread beside the event loop: written through to the disk, renamed and the folder flushed for one message. By the thread
 * pool each step wakes another thread, and this one when it is done, which takes longer than the steps.
 */
import { constants } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { StorageError } from '../storage';
import { asStorageError } from './errors';
import type { Folder } from './folder';
import code from './whole-files.thread.js';

/** Up to so many bytes a file is small. */
export const LARGEST_WHOLE = 64 * 1024;
/** Two small uploads within that are taken for a row. Milliseconds. */
const ROW_MS = 250;
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_DSYNC;
const HEAP = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

interface Asker {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One for the process, from the first row of small uploads. */
let thread: Worker | undefined;
/** In the order of asking. */
let waiting: Asker[] = [];
let askedAt = Number.NEGATIVE_INFINITY;

function start(): Worker {
  const started = new Worker(code, { eval: true, name: 'small-files', resourceLimits: HEAP, execArgv: [], stdin: false });
  const lost = () => {
    if (thread !== started) return;
    thread = undefined; // the next file has another one
    const all = waiting;
    waiting = [];
    for (const { reject } of all) reject(new StorageError('unavailable', 'The storage had an error; try again.'));
  };
  started.on('message', ({ code }: { readonly code?: string }) => {
    const one = waiting.shift();
    if (code === undefined) one?.resolve();
    else one?.reject(asStorageError({ code }));
  });
  started.on('error', lost).on('exit', lost);
  started.unref();
  return started;
}

/** Whether the next small file goes that way: one of a row, while the thread has no other. The thread pool has several threads for those that come at once. */
export function isForThread(folder: Folder): boolean {
  const now = performance.now();
  const isRow = now - askedAt < ROW_MS;
  askedAt = now;
  return isRow && waiting.length === 0 && folder.descriptor !== undefined;
}

/**
 * Puts a file with these bytes into a folder, through a name in staging, in the place of what has its name. Fulfilled when all of it is safe. Where it fails,
 * it may lie in staging, or be in place.
 */
export function putWhole(staging: Folder, stagingName: string, bytes: Uint8Array<ArrayBuffer>, folder: Folder, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    thread ??= start();
    waiting.push({ resolve, reject });
    const message = { path: staging.at(stagingName), flags: FLAGS, mode: 0o640, bytes, target: folder.at(name), folder: folder.descriptor };
    thread.postMessage(message, [bytes.buffer]);
  });
}
