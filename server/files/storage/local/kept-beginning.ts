/** What an upload keeps of the file that is there: shared with it where the file system can, and copied piece by piece where it can't. */
import { constants } from 'node:fs';
import { copyFile, type FileHandle } from 'node:fs/promises';
import type { FairTurns } from '../../fair-turns';
import { StorageError } from '../storage';
import { storageError } from './errors';
import type { Folder } from './folder';

/** Copied at once; between two pieces others have their turn in the thread pool. Bytes. */
const PIECE = 1024 * 1024;

/**
 * Makes the file in staging by reference (reflink: XFS, Btrfs), which costs nothing however large it is, and cuts it to its first bytes.
 * False where the file system has no such thing; then nothing is there.
 */
export async function reflink(sourcePath: string, staging: Folder, stagingName: string, bytes: number): Promise<boolean> {
  try {
    await copyFile(sourcePath, staging.at(stagingName), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
  } catch {
    await staging.remove(stagingName).catch(() => {}); // most often it was removed already
    return false;
  }
  const copy = await staging.file(stagingName, constants.O_WRONLY);
  try {
    await copy.truncate(bytes).catch(storageError);
    await copy.chmod(0o640).catch(storageError);
  } finally {
    await copy.close();
  }
  return true;
}

/** Copies the first bytes when it is the owner's turn, and closes the source. Rejected with the signal's reason as soon as it is aborted. */
export async function copyBeginning(
  source: FileHandle,
  target: FileHandle,
  bytes: number,
  { turns, owner, signal }: { readonly turns: FairTurns; readonly owner: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const giveBack = await turns.take(owner, signal);
    try {
      const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, bytes));
      for (let at = 0; at < bytes; ) {
        signal.throwIfAborted();
        const { bytesRead } = await source.read(piece, 0, Math.min(piece.length, bytes - at), at).catch(storageError);
        if (bytesRead === 0) throw new StorageError('unavailable', 'The file was changed by somebody else meanwhile; try again.');
        for (let done = 0; done < bytesRead; ) done += (await target.write(piece, done, bytesRead - done, at + done).catch(storageError)).bytesWritten;
        at += bytesRead;
      }
    } finally {
      giveBack();
    }
  } finally {
    await source.close();
  }
}
