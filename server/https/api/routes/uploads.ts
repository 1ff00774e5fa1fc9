/** Uploads that go on after a lost connection: tus 1.0, its core with creation, expiration and termination (https://tus.io/protocols/resumable-upload). */
import type { Outcome } from '../../../files/account-files';
import { type OpenUpload, TooManyUploads } from '../../uploads';
import { Problem, problemOf } from '../problem';
import { type Answer, type Described, type KnownAsked, type Route, route } from '../route';

const VERSION = '1.0.0';
const CHUNK = 'application/offset+octet-stream';
const RESUMABLE = { 'tus-resumable': VERSION };

type Asked = Omit<KnownAsked<unknown, unknown>, 'query' | 'body'>;

/** Whose uploads these are, and where. */
export interface Resuming extends Pick<Asked, 'exchange' | 'files' | 'uploads' | 'at'> {
  readonly owner: string;
  /** Address below which an upload has its own. */
  readonly address: string;
  /** Throws where the upload of a path is none of who asks. */
  reaches(path: string): void;
  /** What is told of what an upload came to. */
  problem(error: unknown): Problem;
}

function resuming({ exchange, files, uploads, at, visitor, path }: Asked): Resuming {
  return { exchange, files, uploads, at, owner: visitor.account.user, address: '/api/v1/uploads', reaches: path, problem: problemOf };
}

/** `open` is given the path, or name, that the client said. */
export async function beginning(asked: Resuming, open: (named: string, keeps: boolean) => Promise<OpenUpload>): Promise<Answer> {
  const { exchange, uploads } = asked;
  const { headers } = exchange.head;
  checkVersion(headers);
  numberIn(headers, 'upload-length');
  const { path, filename, existing } = metadataOf(headers.get('upload-metadata'));
  const text = path ?? filename;
  if (text === undefined) throw new Problem(400, 'malformed', 'Upload-Metadata says no path.', RESUMABLE);
  const upload = await open(text, existing === 'keep').catch((error: unknown) => {
    throw error instanceof TooManyUploads ? new Problem(429, 'too-many-uploads', 'The account has too many uploads that were begun.', RESUMABLE) : error;
  });
  if (upload.length === 0) told(asked, await upload.finish());
  return {
    status: 201,
    headers: { ...RESUMABLE, location: `${asked.address}/${upload.id}`, 'upload-offset': '0', 'upload-expires': uploads.expiryOf(upload).toUTCString() },
  };
}

async function append(asked: Resuming): Promise<Answer> {
  const { exchange, uploads } = asked;
  const { head, body } = exchange;
  checkVersion(head.headers);
  if (head.headers.get('content-type') !== CHUNK) throw new Problem(415, 'media-type', `Send ${CHUNK}.`, RESUMABLE);
  if (body.length === undefined) throw new Problem(411, 'length', 'Say how long the part is.', RESUMABLE);
  const upload = found(asked);
  const offset = numberIn(head.headers, 'upload-offset');
  // Asked before a request that still brings bytes is ended for this one: whoever is wrong about the offset ends nobody.
  if (offset !== upload.offset || offset !== (await upload.settled())) throw otherOffset(upload);
  if (offset + body.length > upload.length) throw new Problem(413, 'too-long', `The upload has ${upload.length} bytes.`, RESUMABLE);
  const outcome = upload.isEnded ? await upload.finish() : await goOn(upload, offset, asked);
  if (outcome) told(asked, outcome);
  return {
    status: 204,
    headers: {
      ...RESUMABLE,
      'upload-offset': String(upload.offset),
      'upload-expires': uploads.expiryOf(upload).toUTCString(),
      'upload-held': outcome?.held ? '?1' : undefined,
    },
  };
}

/** Takes what has come, and waits for what becomes of it where that is all: until then the transfer is running, and a server that goes down waits for it. */
async function goOn(upload: OpenUpload, offset: number, { exchange: { body, caller } }: Resuming): Promise<Outcome | undefined> {
  const over = caller.begins('PUT', upload.path, upload.progress);
  try {
    if (!(await upload.take(body, caller.stallSeconds, offset))) throw otherOffset(upload);
    return upload.isEnded || upload.offset === upload.length ? await upload.finish() : undefined;
  } finally {
    over();
  }
}

function otherOffset({ offset }: OpenUpload): Problem {
  return new Problem(409, 'offset', `${offset} bytes have come.`, { ...RESUMABLE, 'upload-offset': String(offset) });
}

async function offsetOf(asked: Resuming): Promise<Answer> {
  checkVersion(asked.exchange.head.headers);
  const upload = found(asked);
  return { status: 200, headers: { ...RESUMABLE, 'upload-offset': String(await upload.settled()), 'upload-length': String(upload.length) } };
}

async function giveUp(asked: Resuming): Promise<Answer> {
  checkVersion(asked.exchange.head.headers);
  await found(asked).giveUp();
  return { status: 204, headers: RESUMABLE };
}

/** Throws what ended an upload that did not end well. */
function told(asked: Resuming, { outcome, error }: Outcome): void {
  if (outcome === 'success') return;
  const problem = asked.problem(error);
  throw new Problem(problem.status, problem.code, problem.message, RESUMABLE);
}

/** The upload that is meant. One of somebody else is none; a token reaches those in its folder, if it may upload. */
function found({ exchange, files, uploads, at, owner, reaches }: Resuming): OpenUpload {
  const refused = files.refusal('upload');
  if (refused !== undefined) throw new Problem(403, 'denied', refused, RESUMABLE);
  if (uploads.isElsewhere(at)) {
    // A new connection comes to another process; clients of tus try again by themselves.
    exchange.endsConnection();
    throw new Problem(423, 'elsewhere', 'Another process has this upload; connect again.', { ...RESUMABLE, 'retry-after': '0' });
  }
  const upload = uploads.find(at, owner);
  if (!upload) throw new Problem(404, 'not-found', 'There is no such upload, or none any more.', RESUMABLE);
  reaches(upload.path);
  return upload;
}

function checkVersion(headers: ReadonlyMap<string, string>): void {
  if (headers.get('tus-resumable') !== VERSION) throw new Problem(412, 'version', `Tus-Resumable: ${VERSION} is spoken here.`, { 'tus-version': VERSION });
}

export function numberIn(headers: ReadonlyMap<string, string>, name: string): number {
  const text = headers.get(name) ?? '';
  if (!/^\d{1,15}$/.test(text)) throw new Problem(400, 'malformed', `The header ${name} is no number.`, RESUMABLE);
  return Number(text);
}

/** A key, and behind a space its value in Base64 where it has one; `FORM` and `metadataPattern` say the same. */
const FORM = /^([!-+\--~]+)(?: ([A-Za-z0-9+/]+={0,2}))?$/;

function metadataOf(header = ''): Readonly<Record<string, string | undefined>> {
  const pairs = header === '' ? [] : header.split(',').map((pair) => FORM.exec(pair.trim()));
  try {
    const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return Object.fromEntries(pairs.map((pair) => [pair![1], utf8.decode(Buffer.from(pair![2] ?? '', 'base64'))]));
  } catch {
    throw new Problem(400, 'malformed', 'Upload-Metadata is not keys, each with a value in Base64.', RESUMABLE);
  }
}

const tus = { 'Tus-Resumable': { description: 'The version that is spoken.', value: VERSION, isRequired: true } } as const;
const NUMBER = { pattern: '^\\d{1,15}$', isRequired: true } as const;
const PAIR = '[!-+\\--~]+( [A-Za-z0-9+/]+={0,2})?';
const metadataPattern = (name: string) => `^(${PAIR},)*${name} [A-Za-z0-9+/]+={0,2}(,${PAIR})*$`;

/** Headers of the request that begins an upload. */
export const beginHeaders = (name: 'path' | 'filename', more = '') => ({
  ...tus,
  'Upload-Length': { ...NUMBER, description: 'Bytes of the whole file.' },
  'Upload-Metadata': { description: `\`${name}\` and its Base64${more}.`, pattern: metadataPattern(name), isRequired: true as const },
});

interface GoingOn<A> {
  /** Address of an upload. */
  readonly at: string;
  /** Of the operations. */
  readonly ids: Readonly<Record<'offset' | 'append' | 'giveUp', string>>;
  /** Makes a route for who comes there. */
  readonly make: (described: Described & { readonly body?: 'bytes'; readonly query?: undefined; handle(asked: A): Promise<Answer> }) => Route;
  readonly resuming: (asked: A) => Resuming;
}

/** The requests of an upload that was begun. */
export function goingOn<A>({ at, ids, make, resuming: of }: GoingOn<A>): readonly Route[] {
  return [
    make({
      method: 'HEAD',
      at,
      id: ids.offset,
      summary: 'How much of an upload has come',
      headers: tus,
      answers: { 200: { description: '`Upload-Offset` and `Upload-Length` say it.' } },
      handle: async (asked) => offsetOf(of(asked)),
    }),
    make({
      method: 'PATCH',
      at,
      id: ids.append,
      summary: 'Brings the next bytes of an upload',
      description: 'When the last one has come, the file appears, and the answer says so; or it says why not.',
      body: 'bytes',
      bodyType: CHUNK,
      headers: { ...tus, 'Upload-Offset': { ...NUMBER, description: 'Bytes that have come before.' } },
      answers: { 204: { description: 'They are taken.' } },
      handle: async (asked) => append(of(asked)),
    }),
    make({
      method: 'DELETE',
      at,
      id: ids.giveUp,
      summary: 'Gives an upload up',
      headers: tus,
      answers: { 204: { description: 'Nothing is left of it.' } },
      handle: async (asked) => giveUp(of(asked)),
    }),
  ];
}

export const uploadRoutes: readonly Route[] = [
  route({
    method: 'POST',
    at: '/uploads',
    id: 'beginUpload',
    summary: 'Begins an upload that can go on after a lost connection (tus 1.0)',
    description: 'The answer names its address in `Location`. What has come is given up when nobody goes on with it.',
    headers: beginHeaders('path', '; `existing` with `keep` in Base64 where no file may be replaced'),
    answers: { 201: { description: 'It is begun.' } },
    async handle(asked) {
      const { exchange, visitor, files, path, uploads } = asked;
      return beginning(resuming(asked), (named, keeps) =>
        uploads.begin({ owner: visitor.account.user, files, path: path(named), length: numberIn(exchange.head.headers, 'upload-length') }, keeps),
      );
    },
  }),
  ...goingOn({
    at: '/uploads/{id}',
    ids: { offset: 'uploadOffset', append: 'continueUpload', giveUp: 'giveUpload' },
    make: route<undefined, 'bytes'>,
    resuming,
  }),
];
