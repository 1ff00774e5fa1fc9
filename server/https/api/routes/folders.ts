/** Folders, and what is in them. */
import { posix } from 'node:path';
import { z } from 'zod';
import type { Entry } from '../../../files/account-files';
import { Progress } from '../../../files/progress';
import { Disconnected } from '../../../http/inflow';
import { type EntryJson, entryJson } from '../entries';
import { LongLists } from '../long-lists';
import { Problem } from '../problem';
import { type Route, route } from '../route';
import { entry, listing, pathText } from '../schemas';
import { sortedInTurns } from '../sorting';

/** A folder with more entries is listed over the other protocols. */
const MOST_ENTRIES = 200_000;
/** Files and folders that one request removes. */
const MOST_REMOVED = 50_000;

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000).describe('Entries of a page.'),
  cursor: z.coerce.number().int().min(0).max(MOST_ENTRIES).default(0).describe('`next` of the page before.'),
  sort: z.enum(['name', 'size', 'modified']).default('name'),
  order: z.enum(['ascending', 'descending']).default('ascending'),
  search: z.string().max(255).optional().describe('Only names with this in them, upper and lower case alike.'),
});

/** As the answer has it: a folder has no size. */
const sizeOf = ({ type, size }: Entry) => (type === 'file' ? size : 0);
const comparisons: Readonly<Record<'name' | 'size' | 'modified', (one: Entry, other: Entry) => number>> = {
  name: (one, other) => Number(other.type === 'directory') - Number(one.type === 'directory') || compare(one.name, other.name),
  size: (one, other) => sizeOf(one) - sizeOf(other) || compare(one.name, other.name),
  modified: (one, other) => one.modified.getTime() - other.modified.getTime() || compare(one.name, other.name),
};

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

const folderBodies = {
  method: 'GET',
  summary: 'Lists a folder, page by page',
  description: 'By name, folders come first.',
  query: listQuery,
  answers: { 200: { description: 'A page.', schema: listing } },
} as const;

/** Those of this process. */
const longLists = new LongLists();

const list = async ({
  files,
  path,
  at,
  query,
  exchange: { caller },
  visitor,
}: Parameters<Parameters<typeof route<typeof listQuery, undefined>>[0]['handle']>[0]): Promise<{ status: number; json: z.output<typeof listing> }> => {
  const where = path(at);
  const { limit, cursor, sort, order, search } = query;
  await files.enter(where);
  const opened = files.openListing('LIST', where);
  const over = caller.begins('LIST', where, opened.progress);
  const wanted = search?.toLowerCase();
  const fits = ({ name }: Entry) => wanted === undefined || name.toLowerCase().includes(wanted);
  const compared = comparisons[sort];
  let json!: z.output<typeof listing>;
  const outcome = await opened.send(async () => {
    const signal = AbortSignal.any([caller.gone, opened.progress.signal]);
    await longLists.gather(files.list(where), { fits, most: MOST_ENTRIES, owner: visitor.account.user, signal }, async (found) => {
      opened.progress.bytes = found.length;
      const sorted = await sortedInTurns(found, order === 'descending' ? (one, other) => compared(other, one) : compared);
      const end = cursor + limit;
      json = {
        path: where,
        entries: sorted.slice(cursor, end).map((one) => entryJson(posix.join(where, one.name), one)),
        total: sorted.length,
        ...(end < sorted.length ? { next: String(end) } : {}),
      };
    });
  });
  over();
  if (outcome.outcome !== 'success') throw caller.gone.aborted ? new Disconnected() : outcome.error;
  return { status: 200, json };
};

export const folderRoutes: readonly Route[] = [
  route({ ...folderBodies, at: '/folders', id: 'listRoot', handle: list }),
  route({ ...folderBodies, at: '/folders/{path}', id: 'listFolder', handle: list }),
  route({
    method: 'PUT',
    at: '/folders/{path}',
    id: 'makeFolder',
    isKeyed: true,
    summary: 'Makes a folder',
    answers: { 201: { description: 'It is there.', schema: entry } },
    async handle({ files, at, path }) {
      const where = path(at);
      await files.makeFolder('MKDIR', where);
      return {
        status: 201,
        json: { path: where, name: posix.basename(where), type: 'directory', size: 0, modified: new Date().toISOString() } satisfies EntryJson,
      };
    },
  }),
  route({
    method: 'DELETE',
    at: '/folders/{path}',
    id: 'deleteFolder',
    isKeyed: true,
    summary: 'Deletes a folder',
    description: 'One that is empty, or with `recursive` one with everything in it. Where the client leaves meanwhile, what is not gone yet stays.',
    query: z.object({ recursive: z.enum(['true', 'false']).default('false').describe('`true`: with everything in it.') }),
    answers: {
      200: {
        description: 'With `recursive`: so many files and folders are gone.',
        schema: z
          .strictObject({
            removed: z.number().int().min(0),
            isAll: z.boolean().describe('Whether the folder is gone; where it is too large for one request, ask again.'),
          })
          .meta({ id: 'Removed' }),
      },
      204: { description: 'It is gone.' },
    },
    async handle({ exchange: { caller, body: received }, files, at, path, query }) {
      const where = path(at);
      if (query.recursive === 'true') {
        received.hearEnd();
        const progress = new Progress();
        const over = caller.begins('RMTREE', where, progress);
        try {
          const signal = AbortSignal.any([caller.gone, progress.signal]);
          return { status: 200, json: await files.removeTree({ file: 'DELETE', folder: 'RMDIR' }, where, { most: MOST_REMOVED, signal }) };
        } catch (error) {
          throw caller.gone.aborted ? new Disconnected() : error;
        } finally {
          over();
        }
      }
      await files.removeFolder('RMDIR', where);
      return { status: 204 };
    },
  }),
  route({
    method: 'GET',
    at: '/entries/{path}',
    id: 'getEntry',
    summary: 'What is known of a file or folder',
    answers: { 200: { description: 'The entry.', schema: entry } },
    async handle({ files, at, path }) {
      const where = path(at);
      return { status: 200, json: entryJson(where, await files.find('stat', where)) };
    },
  }),
  route({
    method: 'PATCH',
    at: '/entries/{path}',
    id: 'setModified',
    summary: 'Sets the time of a file',
    body: z.strictObject({ modified: z.iso.datetime({ offset: true }) }),
    answers: { 200: { description: 'As the storage kept it, which may be coarser.', schema: entry } },
    async handle({ files, at, path, body }) {
      const where = path(at);
      return { status: 200, json: entryJson(where, await files.setModified('SETTIME', where, new Date(body.modified))) };
    },
  }),
  route({
    method: 'POST',
    at: '/moves',
    id: 'move',
    isKeyed: true,
    summary: 'Renames or moves a file or folder',
    body: z.strictObject({
      from: pathText.describe('Its path.'),
      to: pathText.describe('The path that it is to have.'),
      replace: z.boolean().default(false).describe('Whether a file may take the place of another one.'),
    }),
    answers: { 200: { description: 'It has the new path.', schema: z.strictObject({ path: z.string() }).meta({ id: 'Moved' }) } },
    async handle({ exchange, files, path, body }) {
      const [from, to] = [path(body.from), path(body.to)];
      if (from === '/' || to === '/') throw new Problem(409, 'exists', 'The top folder stays where it is.');
      exchange.body.hearEnd();
      await files.rename('MOVE', from, to, { replace: body.replace, signal: exchange.caller.gone });
      return { status: 200, json: { path: to } };
    },
  }),
];
