/** The hash of a file that is there: in turns with other accounts' hashes, at the pace of a download, until nobody wants it any more. */

import type { Pace } from '../limits/bandwidth';
import { borrowBuffer, returnBuffer } from './buffers';
import type { FairTurns } from './fair-turns';
import { FileHash } from './hashing/file-hash';
import type { Progress } from './progress';
import type { ReadHandle } from './storage/storage';

export type HashAlgorithm = 'sha256' | 'sha384' | 'sha512';

export interface HashOptions {
  readonly turns: FairTurns;
  /** Whose turn it is. */
  readonly owner: string;
  /** Absent where nothing limits the bandwidth. */
  readonly pace?: Pace;
}

/** In hexadecimal digits. Closes the source, whatever happens. */
export async function hashOfFile(source: ReadHandle, algorithm: HashAlgorithm, progress: Progress, { turns, owner, pace }: HashOptions): Promise<string> {
  const hash = new FileHash(algorithm);
  try {
    progress.total = source.size;
    const giveBack = await turns.take(owner, progress.signal);
    try {
      return await hashAll(source, hash, progress, pace);
    } finally {
      giveBack();
    }
  } catch (error) {
    hash.abandon();
    throw error;
  } finally {
    await source.close();
  }
}

/** Up to so many bytes the hash looks at what it was given only at its end. */
const LOOKED_AT_LATER = 64 * 1024;

async function hashAll(source: ReadHandle, hash: FileHash, progress: Progress, pace: Pace | undefined): Promise<string> {
  const { signal } = progress;
  const whole = borrowBuffer(source.size);
  try {
    const piece = whole.subarray(0, pace?.piece ?? whole.length);
    for (;;) {
      await pace?.before(piece.length, signal);
      signal.throwIfAborted();
      const filled = await source.read(piece);
      if (filled === 0) break;
      progress.bytes += filled;
      const bytes = piece.subarray(0, filled);
      await hash.update([progress.bytes <= LOOKED_AT_LATER ? Buffer.from(bytes) : bytes]);
    }
    return await hash.digest();
  } finally {
    returnBuffer(whole);
  }
}
