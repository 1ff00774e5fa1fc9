/** Files: their bytes, down and up. */
import { posix } from 'node:path';
import type { z } from 'zod';
import { type Entry, StorageError } from '../../../files/account-files';
import type { Use } from '../../links/links';
import { etagOf, hasConditions, mayChange, rangeOf, readCondition } from '../conditions';
import { Problem, problemOf } from '../problem';
import { type Answer, type KnownAsked, type Route, route } from '../route';
import { uploaded } from '../schemas';

const CONDITIONS = {
  'If-Match': 'Only where the file is the one with this ETag; `*`: where there is one.',
  'If-None-Match': 'Only where the file is not the one with this ETag; `*`: where there is none.',
};

type Asked = KnownAsked<Record<string, never>, undefined>;

function download({ exchange, files, at, path }: Asked): Promise<Answer> {
  return sendFile(exchange, files, path(at));
}

/** `use` is taken before bytes are sent, and what that throws is the answer; it is given back where none are sent. */
export async function sendFile(exchange: Asked['exchange'], files: Asked['files'], where: string, use?: () => Promise<Use>): Promise<Answer> {
  const { head, reply, caller } = exchange;
  const entry = await files.find('download', where, 'file');
  if (entry.type !== 'file') throw new StorageError('is-directory', 'That is a folder.');
  const validators = { etag: etagOf(entry), 'last-modified': entry.modified.toUTCString() };
  const condition = readCondition(head.headers, entry);
  if (condition === 412) throw changed();
  if (condition === 304) return { status: 304, headers: validators };
  const range = head.method === 'GET' ? rangeOf(head.headers, entry) : undefined;
  if (range === 'unsatisfiable') throw new Problem(416, 'range', `The file has ${entry.size} bytes.`, { 'content-range': `bytes */${entry.size}` });
  const headers = {
    ...validators,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-disposition': attachment(posix.basename(where)),
    ...(range ? { 'content-range': `bytes ${range.first}-${range.first + range.length - 1}/${entry.size}` } : {}),
  };
  const status = range ? 206 : 200;
  if (head.method === 'HEAD') return { status, headers: { ...headers, 'content-length': String(entry.size) } };
  const used = await use?.();
  const opened = await openedAs(entry, files, where, range).catch(async (error: unknown) => {
    await used?.giveBack();
    throw error;
  });
  const over = caller.begins('GET', where, opened.progress);
  const length = range?.length ?? entry.size;
  await opened.send(async () =>
    reply.stream(status, headers, { length, progress: opened.progress, stallSeconds: caller.stallSeconds, pace: files.downloadPace }),
  );
  over();
  return 'answered';
}

/** Throws where it is another one than was looked at. */
async function openedAs({ size }: Entry, files: Asked['files'], where: string, range: { readonly first: number; readonly length: number } | undefined) {
  const opened = await files.openDownload('GET', where, range?.first ?? 0, range?.length ?? size);
  if (opened.size === size) return opened;
  await opened.discard();
  throw new StorageError('unavailable', 'The file was changed meanwhile; try again.');
}

async function upload({ exchange, files, at, path }: Asked): Promise<Answer> {
  const { head, body, caller } = exchange;
  const where = path(at);
  if (head.headers.has('content-range')) throw new Problem(400, 'content-range', 'A part of a file can not be put; see uploads that go on.');
  const there = await entryAt(files, where);
  const check = () => {
    if (hasConditions(head.headers)) return entryAt(files, where).then((now) => checkChange(head.headers, now));
    return Promise.resolve();
  };
  checkChange(head.headers, there);
  const isNew = head.headers.get('if-none-match') === '*';
  const opened = await files.openUpload('PUT', where, { kind: isNew ? 'create' : 'replace' });
  opened.progress.total = body.length;
  const over = caller.begins('PUT', where, opened.progress);
  const outcome = await opened.receive(async () => body.source(caller.stallSeconds, check));
  over();
  if (outcome.outcome !== 'success') {
    if (isNew && outcome.error instanceof StorageError && outcome.error.code === 'exists') throw changed();
    throw problemOf(outcome.error);
  }
  const after = outcome.held ? undefined : await entryAt(files, where);
  const etag = after && etagOf(after);
  return {
    status: outcome.held ? 202 : there ? 200 : 201,
    json: { path: where, size: opened.progress.bytes, sha256: outcome.sha256, etag, held: outcome.held === true } satisfies z.output<typeof uploaded>,
    headers: { etag, ...(outcome.sha256 ? { 'repr-digest': `sha-256=:${Buffer.from(outcome.sha256, 'hex').toString('base64')}:` } : {}) },
  };
}

/** What is there, as far as the account may know. */
export async function entryAt(files: Asked['files'], path: string): Promise<Entry | undefined> {
  try {
    return await files.find('stat', path, 'file');
  } catch (error) {
    if (error instanceof StorageError && (error.code === 'not-found' || error.code === 'denied')) return undefined;
    throw error;
  }
}

function checkChange(headers: ReadonlyMap<string, string>, entry: Entry | undefined): void {
  if (!mayChange(headers, entry)) throw changed();
}

/** Headers of a request for the bytes of a file. */
export const DOWNLOAD_HEADERS = {
  Range: 'One part, as `bytes=0-999`.',
  'If-Range': 'The part only where the file has this ETag; else all of it.',
  ...CONDITIONS,
};

function changed(): Problem {
  return new Problem(412, 'changed', 'The file is another one than the request is about.');
}

/** RFC 6266: saved, never shown, under its own name. */
export function attachment(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

export const bytes = { description: 'The bytes of the file.', type: 'application/octet-stream' };

export const fileRoutes: readonly Route[] = [
  route({
    method: 'GET',
    at: '/files/{path}',
    id: 'getFile',
    summary: 'Downloads a file, or a part of it',
    headers: DOWNLOAD_HEADERS,
    answers: { 200: bytes, 206: bytes, 304: { description: 'The file is the one that the client has.' } },
    handle: download,
  }),
  route({
    method: 'HEAD',
    at: '/files/{path}',
    id: 'headFile',
    summary: 'What a download would say of a file, without its bytes',
    headers: CONDITIONS,
    answers: { 200: { description: 'Its size, time and ETag.' }, 304: { description: 'The file is the one that the client has.' } },
    handle: download,
  }),
  route({
    method: 'PUT',
    at: '/files/{path}',
    id: 'putFile',
    summary: 'Uploads a file in one request',
    description: 'It appears under its name when the last byte has come, whole, hashed and scanned, or not at all.',
    body: 'bytes',
    headers: CONDITIONS,
    answers: {
      200: { description: 'It took the place of another one.', schema: uploaded },
      201: { description: 'It is there.', schema: uploaded },
      202: { description: 'It is safe, and appears when a scanner has found it clean.', schema: uploaded },
    },
    handle: upload,
  }),
  route({
    method: 'DELETE',
    at: '/files/{path}',
    id: 'deleteFile',
    isKeyed: true,
    summary: 'Deletes a file',
    headers: CONDITIONS,
    answers: { 204: { description: 'It is gone.' } },
    async handle({ exchange, files, at, path }) {
      const where = path(at);
      if (hasConditions(exchange.head.headers)) checkChange(exchange.head.headers, await files.find('remove', where, 'file'));
      await files.remove('DELETE', where);
      return { status: 204 };
    },
  }),
];
