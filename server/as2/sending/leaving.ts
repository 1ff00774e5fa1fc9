/** The way of a message out of the outbox: to what was sent, to what failed, or away. Done again after a crash, it goes on where that one stood, and touches no other message of the same name. */
import { type AccountFiles, StorageError } from '../../files/account-files';
import { COMMAND, freePath, makeFolders } from '../folders';
import { type Job, nameOf, payloadsOf, type Stamp } from './job';
import { isSame, LIST, stampAt } from './outbox';

export interface Leaving {
  readonly files: AccountFiles;
  /** A folder, or `remove`. */
  readonly to: string;
  /** Writes down where it goes, before it does. */
  readonly keepTarget: (target: string) => Promise<void>;
}

export function leave(job: Job, leaving: Leaving): Promise<void> {
  return job.list ? leaveAsFolder(job, job.list, leaving) : leaveAsFile(job, leaving);
}

async function leaveAsFile(job: Job, { files, to, keepTarget }: Leaving): Promise<void> {
  if (!isSame(job, await stampAt(files, job.path))) return; // a file that came meanwhile by the same name is another message
  // It may be there already, and have its old name as well: a crash came between.
  const isThere = job.target !== undefined && isSame(job, await stampAt(files, job.target));
  if (to === 'remove' || isThere) return ignoring(['not-found'], files.remove(COMMAND, job.path));
  await moveTo(job, { files, to, keepTarget });
}

/** A folder goes as it is, with whatever else is in it. */
async function leaveAsFolder(job: Job, list: Stamp, { files, to, keepTarget }: Leaving): Promise<void> {
  const hasList = async (folder: string) => isSame(list, await stampAt(files, `${folder}/${LIST}`));
  const isHere = await hasList(job.path);
  if (to === 'remove') {
    if (isHere) await removeFolder(job, files);
    return;
  }
  if (job.target !== undefined && (isHere || (await hasList(job.target)))) {
    // Where a storage moves a folder file by file, the same rename goes on with what a crash has cut.
    const outcome = await renamed(files, job.path, job.target);
    if (outcome !== 'exists' || !isHere) return;
  }
  if (isHere) await moveTo(job, { files, to, keepTarget });
}

/** The list last: without it the folder is no message. What nobody has named stays. */
async function removeFolder(job: Job, files: AccountFiles): Promise<void> {
  for (const one of payloadsOf(job)) if (isSame(one, await stampAt(files, one.path))) await ignoring(['not-found'], files.remove(COMMAND, one.path));
  await ignoring(['not-found'], files.remove(COMMAND, `${job.path}/${LIST}`));
  await ignoring(['not-found', 'not-empty'], files.removeFolder(COMMAND, job.path));
}

async function moveTo(job: Job, { files, to, keepTarget }: Leaving): Promise<void> {
  await makeFolders(files, to);
  const target = await freePath(files, to, nameOf(job.path));
  await keepTarget(target);
  await ignoring(['not-found'], files.rename(COMMAND, job.path, target, { replace: false }));
}

async function renamed(files: AccountFiles, from: string, to: string): Promise<'renamed' | 'gone' | 'exists'> {
  try {
    await files.rename(COMMAND, from, to, { replace: false });
    return 'renamed';
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === 'not-found') return 'gone';
    if (error.code === 'exists') return 'exists';
    throw error;
  }
}

async function ignoring(codes: readonly string[], done: Promise<void>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!(error instanceof StorageError) || !codes.includes(error.code)) throw error;
  });
}
