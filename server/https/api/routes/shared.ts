/** What somebody without an account does by a link. */
import { posix } from 'node:path';
import { z } from 'zod';
import { StorageError } from '../../../files/account-files';
import { virtualPath } from '../../../files/virtual-path';
import { passwordCookie } from '../../links/proof';
import { Problem, problemOf } from '../problem';
import { type LinkAsked, linkRoute, openRoute, type Route } from '../route';
import { dropped, sharedLink } from '../schemas';
import { refusal } from './account';
import { bytes, DOWNLOAD_HEADERS, sendFile } from './files';
import { beginHeaders, beginning, goingOn, numberIn, type Resuming } from './uploads';

type Asked = Omit<LinkAsked<unknown, unknown>, 'query' | 'body'>;

/** Names that are tried where one is taken: who uploads is not told what is there. */
const MOST_NAMES = 100;
const OVER = 'What this link was for is not there any more.';

export function noLink(): Problem {
  return new Problem(404, 'not-found', 'There is no such link.');
}

function wrongKind(): Problem {
  return new Problem(409, 'kind', 'This link is not for that.');
}

async function download({ exchange, files, record, use }: Asked) {
  if (record.kind !== 'download') throw wrongKind();
  return sendFile(exchange, files, record.path, use).catch((error: unknown) => {
    throw error instanceof StorageError && error.code === 'not-found' ? new Problem(410, 'link-over', OVER) : error;
  });
}

/** Opens what nobody has the name of yet: the name itself, or one beside it. */
async function underFreeName<T>({ path }: { readonly path: string }, name: string, open: (path: string) => Promise<T>): Promise<T> {
  const [, stem = name, end = ''] = /^(.+?)((?:\.[A-Za-z0-9]{1,8}){1,2})?$/.exec(name) ?? [];
  for (let number = 1; ; number += 1) {
    const tried = number === 1 ? name : `${stem} (${number})${end}`;
    try {
      return await open(posix.join(path, tried));
    } catch (error) {
      const isTaken = error instanceof StorageError && (error.code === 'exists' || error.code === 'is-directory');
      if (isTaken && number < MOST_NAMES) continue;
      if (isTaken) throw new Problem(409, 'name', 'Choose another name.');
      throw error instanceof StorageError && error.code === 'not-found' ? new Problem(410, 'link-over', OVER) : error;
    }
  }
}

function checkedName({ kind }: { readonly kind: string }, text: string): string {
  if (kind !== 'drop') throw wrongKind();
  const path = virtualPath('/', text);
  if (text.includes('/') || path !== `/${text}`) throw new StorageError('invalid-name', 'A name has no slash in it.');
  return text;
}

async function drop({ exchange, files, record, at, use }: Asked) {
  const { body, caller } = exchange;
  const name = checkedName(record, at);
  const taken = await use();
  let isKept = false;
  try {
    const { upload, path } = await underFreeName(record, name, async (path) => ({ path, upload: await files.openUpload('PUT', path, { kind: 'create' }) }));
    upload.progress.total = body.length;
    const over = caller.begins('PUT', path, upload.progress);
    const outcome = await upload.receive(async () => body.source(caller.stallSeconds));
    over();
    if (outcome.outcome !== 'success') throw droppedProblem(outcome.error);
    isKept = true;
    return {
      status: outcome.held ? 202 : 201,
      json: { name, size: upload.progress.bytes, sha256: outcome.sha256, held: outcome.held === true } satisfies z.output<typeof dropped>,
    };
  } finally {
    if (!isKept) await taken.giveBack();
  }
}

/** Another one may have taken the name meanwhile; that it is there is nobody's business. */
function droppedProblem(error: unknown): Problem {
  if (error instanceof StorageError && error.code === 'exists') return new Problem(503, 'again', 'Try again.');
  return problemOf(error);
}

function resuming({ exchange, files, uploads, at, link, record }: Asked): Resuming {
  if (record.kind !== 'drop') throw wrongKind();
  return { exchange, files, uploads, at, owner: `link ${record.id}`, address: `/api/v1/shared/${link}/uploads`, reaches: () => {}, problem: droppedProblem };
}

export const sharedRoutes: readonly Route[] = [
  linkRoute({
    method: 'GET',
    at: '/shared/{link}',
    id: 'getShared',
    summary: 'What a link is for',
    answers: { 200: { description: 'It is good.', schema: sharedLink } },
    async handle({ files, record, links }) {
      const { kind, title, expires, uses, path } = record;
      const left = Math.max(0, uses - (await links.used(record)));
      if (kind === 'drop') return { status: 200, json: { kind, title, expires, left } satisfies z.output<typeof sharedLink> };
      const file = await files.find('download', path, 'file').catch((error: unknown) => {
        throw error instanceof StorageError && error.code === 'not-found' ? new Problem(410, 'link-over', OVER) : error;
      });
      const { size, modified } = file;
      return {
        status: 200,
        json: { kind, title, name: posix.basename(path), size, modified: modified.toISOString(), expires, left } satisfies z.output<typeof sharedLink>,
      };
    },
  }),
  openRoute({
    method: 'POST',
    at: '/shared/{link}/unlock',
    id: 'unlockShared',
    summary: 'Says the password of a link, for a browser',
    description: 'The answer sets a cookie. Programs send the password as that of Basic.',
    body: z.strictObject({ password: z.string().max(1_024) }),
    answers: { 204: { description: 'It is the right one, or the link has none.' } },
    async handle({ exchange, link, body }) {
      const entrance = await exchange.caller.byLink(link, { password: body.password });
      if (entrance.kind === 'entered') {
        const { link: record } = entrance.visitor;
        return { status: 204, headers: { 'set-cookie': record?.passwordHash === undefined ? undefined : passwordCookie(record, `/api/v1/shared/${link}`) } };
      }
      if ('isLast' in entrance && entrance.isLast) exchange.endsConnection();
      throw entrance.kind === 'refused' ? noLink() : refusal(entrance, '');
    },
  }),
  linkRoute({
    method: 'GET',
    at: '/shared/{link}/file',
    id: 'getSharedFile',
    summary: 'Downloads the file of a link, or a part of it',
    description: 'Each request is one use of the link.',
    headers: DOWNLOAD_HEADERS,
    answers: { 200: bytes, 206: bytes, 304: { description: 'The file is the one that the client has.' } },
    handle: download,
  }),
  linkRoute({
    method: 'HEAD',
    at: '/shared/{link}/file',
    id: 'headSharedFile',
    summary: 'What a download would say of the file of a link, without its bytes',
    description: 'It is no use of the link.',
    answers: { 200: { description: 'Its size, time and ETag.' }, 304: { description: 'The file is the one that the client has.' } },
    handle: download,
  }),
  linkRoute({
    method: 'PUT',
    at: '/shared/{link}/files/{name}',
    id: 'putSharedFile',
    summary: 'Uploads a file into the folder of a link',
    description: 'It takes no other file’s place. It is a use of the link where it is kept.',
    body: 'bytes',
    answers: {
      201: { description: 'It is there.', schema: dropped },
      202: { description: 'It is safe, and is let through when a scanner has found it clean.', schema: dropped },
    },
    handle: drop,
  }),
  linkRoute({
    method: 'POST',
    at: '/shared/{link}/uploads',
    id: 'beginSharedUpload',
    summary: 'Begins an upload into the folder of a link that can go on after a lost connection (tus 1.0)',
    headers: beginHeaders('filename'),
    answers: { 201: { description: 'It is begun; `Location` has its address.' } },
    async handle(asked) {
      const { files, uploads, record, use, exchange } = asked;
      const { owner } = resuming(asked);
      const under = `links of ${record.user}`;
      const length = numberIn(exchange.head.headers, 'upload-length');
      return beginning(resuming(asked), async (named) => {
        const name = checkedName(record, posix.basename(named));
        const taken = await use();
        try {
          const upload = await underFreeName(record, name, (path) => uploads.begin({ owner, under, files, path, length }, true));
          void upload.outcome.then(({ outcome }) => (outcome === 'success' ? undefined : taken.giveBack())).catch(() => {});
          return upload;
        } catch (error) {
          await taken.giveBack();
          throw error;
        }
      });
    },
  }),
  ...goingOn({
    at: '/shared/{link}/uploads/{id}',
    ids: { offset: 'sharedUploadOffset', append: 'continueSharedUpload', giveUp: 'giveSharedUpload' },
    make: linkRoute<undefined, 'bytes'>,
    resuming,
  }),
];
