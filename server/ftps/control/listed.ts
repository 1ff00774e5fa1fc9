/** What the argument of LIST, NLST, MLSD and STAT means: a folder, some of its entries, or one file. */
import { posix } from 'node:path';
import type { Entry } from '../../files/account-files';
import { isPattern, patternOf } from '../../files/glob';
import { entryAt, resolvePath } from './paths';
import type { Session } from './session';

/** What is to be listed: a folder, some of its entries, or one file. */
export interface Listed {
  readonly path: string;
  readonly isFolder: boolean;
  readonly batches: AsyncIterable<readonly Entry[]>;
  /** The folder part as the client wrote it, so that NLST answers with paths that can be used as they are. */
  readonly prefix: string;
}

/** Finds what the argument means. Throws a StorageError where it means nothing, before any data connection is used. */
export async function find(session: Session, written: string): Promise<Listed> {
  const argument = await withoutFlags(session, written);
  const files = session.files!;
  const path = resolvePath(session, argument === '' ? '.' : argument);
  const folderPart = argument.slice(0, argument.lastIndexOf('/') + 1);
  if (isPattern(posix.basename(argument))) {
    const exact = await files.find('list', path).catch(() => undefined);
    const fits = patternOf(posix.basename(argument));
    if (!exact)
      return {
        path,
        isFolder: false,
        prefix: folderPart,
        batches: filtered(files.list(resolvePath(session, folderPart || '.')), ({ name }) => fits(name)),
      };
  }
  const { entry } = await entryAt(session, 'list', argument === '' ? '.' : argument, 'directory');
  if (entry.type === 'file') return { path, isFolder: false, prefix: folderPart, batches: once(entry) };
  return {
    path,
    isFolder: true,
    prefix: argument === '' || argument === '.' ? '' : argument.endsWith('/') ? argument : `${argument}/`,
    batches: files.list(path),
  };
}

async function* filtered(batches: AsyncIterable<readonly Entry[]>, keep: (entry: Entry) => boolean): AsyncIterable<readonly Entry[]> {
  for await (const batch of batches) yield batch.filter(keep);
}

async function* once(entry: Entry): AsyncIterable<readonly Entry[]> {
  yield [entry];
}

/** Flags of `ls` that many clients send, `-la`, `-a -l`, `-1 --`. They mean nothing here: hidden files are always shown, and nothing is sorted. */
const FLAGS = /^ *(?:-(?:-|[A-Za-z1]+)(?: +|$))+/;

/** The path behind the flags. Where something has exactly the name that was sent, it is meant: `-l` may be a file. */
async function withoutFlags(session: Session, argument: string): Promise<string> {
  if (!FLAGS.test(argument)) return argument;
  const isThere = await session.files!.find('list', resolvePath(session, argument)).then(
    () => true,
    () => false,
  );
  return isThere ? argument : argument.replace(FLAGS, '');
}
