/** One upload on the local disk: written to staging, flushed, and renamed into place, or gone without a trace. */
import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { bytesOf } from '../chunks';
import { type Finding, StorageError, type WriteHandle, type WriteMode } from '../storage';
import type { Usage } from '../usage';
import { storageError } from './errors';
import type { Folder } from './folder';

/** Size in which a kept beginning is read. Bytes. */
const PIECE = 1024 * 1024;

export interface UploadPlace {
  /** Where the file is to appear. Closed by the upload when it is over. */
  readonly folder: Folder;
  readonly name: string;
  readonly mode: WriteMode;
  readonly staging: Folder;
  readonly stagingName: string;
  readonly fsync: boolean;
  readonly usage: Usage | undefined;
  /** Takes the staged file into quarantine. */
  readonly putAway: (stagingName: string, size: number, finding: Finding) => Promise<string>;
}

export async function openUpload({ folder, name, mode, staging, stagingName, fsync, usage, putAway }: UploadPlace): Promise<WriteHandle> {
  const before = await folder.stat(name).catch((error: unknown) => {
    if (error instanceof StorageError && error.code === 'not-found') return undefined;
    throw error;
  });
  if (before?.isDirectory()) throw new StorageError('is-directory', 'That is a directory.');
  // A link or a device, which no listing shows: neither written through nor replaced.
  if (before && !before.isFile()) throw new StorageError('denied', 'The name is taken.');
  if (mode.kind === 'create' && before) throw new StorageError('exists', 'The name is taken.');
  const known = before?.size ?? 0;
  if (mode.kind === 'resume' && mode.offset > known) throw new StorageError('offset', `The file has ${known} bytes; REST went beyond its end.`);
  const keep = mode.kind === 'append' ? known : mode.kind === 'resume' ? mode.offset : 0;

  const files = before ? 0 : 1;
  // An upload that replaces a file may use the room that the file has already.
  let size = keep;
  let taken = 0;
  await usage?.take(0, files);
  try {
    if (keep > 0) await copyBeginning(folder, name, staging, stagingName, keep);
    const file = await staging.file(stagingName, constants.O_WRONLY | constants.O_CREAT | (keep > 0 ? constants.O_APPEND : constants.O_EXCL));
    return {
      get size() {
        return size;
      },
      kept: () => beginning(staging, stagingName, keep),
      async write(chunks) {
        const bytes = bytesOf(chunks);
        size += bytes;
        const more = Math.max(0, size - known) - taken;
        await usage?.take(more, 0);
        taken += more;
        let { bytesWritten } = await file.writev(chunks).catch(storageError);
        if (bytesWritten === bytes) return;
        // A short write: the rest goes piece by piece, until the disk says what is wrong.
        for (const chunk of chunks) {
          if (bytesWritten >= chunk.length) bytesWritten -= chunk.length;
          else {
            for (let at = bytesWritten; at < chunk.length; ) at += (await file.write(chunk, at).catch(storageError)).bytesWritten;
            bytesWritten = 0;
          }
        }
      },
      async commit() {
        try {
          if (fsync) await file.datasync().catch(storageError);
          await file.close();
          const replaced = usage && (await folder.stat(name).catch(() => undefined));
          if (mode.kind === 'create') await folder.adoptNew(staging, stagingName, name);
          else await folder.adopt(staging, stagingName, name);
          if (fsync) await folder.sync();
          // What was taken while writing gives way to what is really more or less in the home now.
          usage?.give(taken - size + (replaced?.size ?? 0), replaced ? files : files - 1);
          taken = 0;
          return 'visible';
        } catch (error) {
          usage?.give(taken, files);
          await staging.remove(stagingName).catch(() => {}); // it may be in place already
          throw error;
        } finally {
          await folder.close();
        }
      },
      async abort() {
        usage?.give(taken, files);
        await file.close();
        await staging.remove(stagingName);
        await folder.close();
      },
      async quarantine(finding) {
        usage?.give(taken, files);
        try {
          await file.close();
          return await putAway(stagingName, size, finding);
        } catch (error) {
          await staging.remove(stagingName).catch(() => {}); // it may be put away already
          throw error;
        } finally {
          await folder.close();
        }
      },
    };
  } catch (error) {
    usage?.give(taken, files);
    await staging.remove(stagingName).catch(() => {}); // it may not be there yet
    throw error;
  }
}

/** The first bytes of a staged file. */
async function* beginning(staging: Folder, stagingName: string, bytes: number): AsyncIterable<Buffer> {
  if (bytes === 0) return;
  const file = await staging.file(stagingName, constants.O_RDONLY);
  try {
    for (let at = 0; at < bytes; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE, bytes - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at).catch(storageError);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Copies the first bytes of a file to staging; where the file system can, by reference (reflink) instead of byte by byte. */
async function copyBeginning(folder: Folder, name: string, staging: Folder, stagingName: string, bytes: number): Promise<void> {
  const source = await folder.file(name, constants.O_RDONLY);
  try {
    await copyFile(folder.pathOf(source, name), staging.at(stagingName), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(storageError);
  } finally {
    await source.close();
  }
  const copy = await staging.file(stagingName, constants.O_WRONLY);
  try {
    await copy.truncate(bytes).catch(storageError);
    await copy.chmod(0o640).catch(storageError);
  } finally {
    await copy.close();
  }
}
