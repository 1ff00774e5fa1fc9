/** Several files and folders in one download. */
import { posix } from 'node:path';
import { z } from 'zod';
import { type AccountFiles, type Entry, type Outlet, StorageError } from '../../../files/account-files';
import { Progress } from '../../../files/progress';
import { Problem } from '../problem';
import { type Answer, type KnownAsked, type Route, route } from '../route';
import { pathText } from '../schemas';
import { Zip } from '../zip';
import { attachment } from './files';

/** Files and folders of one archive. */
const MOST_ENTRIES = 100_000;

const archiveQuery = z.object({
  path: z
    .union([pathText, z.array(pathText).min(1).max(1_000)])
    .transform((value) => [value].flat())
    .describe('What is to be in it; once for each file and folder.'),
});

async function archive({ exchange, files, path, query }: KnownAsked<z.output<typeof archiveQuery>, undefined>): Promise<Answer> {
  const { reply, caller } = exchange;
  const refused = files.refusal('download') ?? files.refusal('list');
  if (refused !== undefined) throw new StorageError('denied', refused);
  const paths = [...new Set(query.path.map(path))];
  const entries = await Promise.all(paths.map(async (one) => ({ path: one, entry: await files.find('download', one) })));
  const base = commonFolder(paths);
  const progress = new Progress();
  const name = paths.length === 1 && paths[0] !== '/' ? posix.basename(paths[0]!) : base === '/' ? 'files' : posix.basename(base);
  // Pace is kept where the files are sent; the archive has none of its own.
  const out = reply.stream(
    200,
    { 'content-type': 'application/zip', 'content-disposition': attachment(`${name}.zip`) },
    { length: undefined, progress, stallSeconds: caller.stallSeconds, pace: files.downloadPace },
  );
  const zip = new Zip(out);
  const sending: Sending = { files, zip, base, out, begins: caller.begins.bind(caller), left: MOST_ENTRIES };
  const over = caller.begins('GET', base, progress);
  try {
    for (const { path: one, entry } of entries) await add(sending, one, entry);
    await zip.end();
  } catch (error) {
    out.abandon();
    // The head is gone: that it broke off is all that the client can be told.
    if (!(error instanceof StorageError) && !(error instanceof Problem) && !progress.signal.aborted && !caller.gone.aborted)
      process.emitWarning(error as Error);
  } finally {
    over();
  }
  return 'answered';
}

interface Sending {
  readonly files: AccountFiles;
  readonly zip: Zip;
  readonly base: string;
  readonly out: Outlet;
  left: number;
  readonly begins: (command: string, path: string, progress: Progress) => () => void;
}

async function add(sending: Sending, path: string, entry: Pick<Entry, 'type' | 'modified'>): Promise<void> {
  sending.left -= 1;
  if (sending.left < 0) throw new StorageError('unsupported', 'The archive would have too many files.');
  if (entry.type === 'file') return addFile(sending, path, entry.modified);
  const name = posix.relative(sending.base, path);
  if (name !== '') await sending.zip.folder(name, entry.modified);
  for await (const batch of sending.files.list(path)) for (const one of batch) await add(sending, posix.join(path, one.name), one);
}

async function addFile({ files, zip, base, begins }: Sending, path: string, modified: Date): Promise<void> {
  const download = await files.openDownload('GET', path, 0).catch((error: unknown) => {
    if (error instanceof StorageError && error.code === 'not-found') return undefined; // it has gone meanwhile
    throw error;
  });
  if (!download) return;
  const over = begins('GET', path, download.progress);
  const { outcome, error } = await download.send(async () => counting(await zip.file(posix.relative(base, path), modified), download.progress));
  over();
  if (outcome !== 'success') throw error;
}

function counting(out: Outlet, progress: Progress): Outlet {
  return {
    send: async (bytes) => {
      progress.signal.throwIfAborted();
      await out.send(bytes);
      progress.bytes += bytes.length;
    },
    end: () => out.end(),
    abandon: () => out.abandon(),
  };
}

/** The deepest folder that has all of them. */
function commonFolder(paths: readonly string[]): string {
  let folder = posix.dirname(paths[0]!);
  for (const path of paths) while (folder !== '/' && !path.startsWith(`${folder}/`)) folder = posix.dirname(folder);
  return folder;
}

export const archiveRoutes: readonly Route[] = [
  route({
    method: 'GET',
    at: '/archive',
    id: 'archive',
    summary: 'Downloads files and folders as one ZIP archive, made as it is sent',
    query: archiveQuery,
    answers: { 200: { description: 'The archive.', type: 'application/zip' } },
    handle: archive,
  }),
];
