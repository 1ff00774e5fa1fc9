/** Links that an account makes for somebody who has none. */
import { z } from 'zod';
import { LONGEST_TIME, MOST_USES } from '../../../config/values';
import { StorageError } from '../../../files/account-files';
import type { ListedLink, NotMade } from '../../links/links';
import type { LinkRecord } from '../../links/record';
import { Problem } from '../problem';
import { type KnownAsked, type Route, route } from '../route';
import { link, madeLink, pathText } from '../schemas';

const NOT_MADE: Readonly<Record<NotMade, readonly [status: number, text: string]>> = {
  off: [403, 'This server makes no links.'],
  'account-unknown': [422, 'Accounts of a directory can make no links.'],
  'token-unknown': [403, 'A token that the server did not issue can make no links.'],
  'certificate-needed': [403, 'An account that needs a certificate can make no links.'],
  'too-many': [429, 'The account has as many links as it may; revoke some.'],
  'too-long': [400, 'That is longer than links may be good here.'],
  'too-many-uses': [400, 'That is more often than links may be used here.'],
};

const wanted = z.strictObject({
  kind: z
    .enum(['download', 'drop'])
    .describe('`download`: whoever has it downloads the file. `drop`: whoever has it uploads into the folder, and sees nothing of what is there.'),
  path: pathText.describe('The file, or the folder.'),
  title: z.string().max(200).default('').describe('Shown to who opens it.'),
  seconds: z.number().int().min(60).max(LONGEST_TIME).optional().describe('How long it is good. Default and most are settings of the server (`https.links`).'),
  uses: z.number().int().min(1).max(MOST_USES).default(1).describe('How often it may be used: downloads that are begun, or files that are uploaded.'),
  password: z.string().min(8).max(1_024).optional().describe('Asked of who opens it.'),
});

function linkJson({ record, used }: ListedLink): z.output<typeof link> {
  const { id, kind, path, title, created, expires, uses, passwordHash, token } = record;
  return { id, kind, path, title, created, expires, uses, used, hasPassword: passwordHash !== undefined, ...(token === undefined ? {} : { token }) };
}

/** Links outside of a token's folder are none of its business. */
function isWithin(path: (text: string) => string, record: LinkRecord): boolean {
  try {
    path(record.path);
    return true;
  } catch {
    return false;
  }
}

const OPERATION = { download: 'download', drop: 'upload' } as const;

/** Throws where what the link is for is not there, or the account may not do it itself. */
async function checkTarget(files: KnownAsked<unknown, unknown>['files'], kind: LinkRecord['kind'], path: string): Promise<void> {
  const refused = files.refusal(OPERATION[kind]);
  if (refused !== undefined) throw new StorageError('denied', refused);
  if (kind === 'drop') return files.enter(path);
  if ((await files.find('download', path, 'file')).type !== 'file') throw new StorageError('is-directory', 'That is a folder.');
}

export const linkRoutes: readonly Route[] = [
  route({
    method: 'POST',
    at: '/links',
    id: 'makeLink',
    isKeyed: true,
    summary: 'Makes a link for somebody without an account',
    description: 'It is good as long as the account may do itself what it is for, and is not changed; one that a token made ends with the token.',
    body: wanted,
    answers: { 201: { description: 'The link, with its secret, which is told this once.', schema: madeLink } },
    async handle({ exchange, visitor, files, links, path, body }) {
      const where = path(body.path);
      await checkTarget(files, body.kind, where);
      const { account, via, key } = visitor;
      const made = await links.make(account.user, via === 'token' ? key : undefined, { ...body, path: where }, exchange.caller.gone);
      if (typeof made === 'string') throw new Problem(NOT_MADE[made][0], made, NOT_MADE[made][1]);
      const { record, address } = made;
      exchange.caller.toldOfLink('LINK', 201, record);
      return {
        status: 201,
        json: { ...linkJson({ record, used: 0 }), url: `https://${exchange.head.headers.get('host')}/l/${address}` } satisfies z.output<typeof madeLink>,
        headers: { location: `/api/v1/links/${record.id}` },
      };
    },
  }),
  route({
    method: 'GET',
    at: '/links',
    id: 'listLinks',
    summary: 'Links of the account',
    description: 'Without their secrets. Those whose time is over are kept for a day.',
    answers: { 200: { description: 'The youngest first.', schema: z.strictObject({ links: z.array(link) }).meta({ id: 'Links' }) } },
    async handle({ visitor, links, path }) {
      const all = await links.list(visitor.account.user);
      return { status: 200, json: { links: all.filter(({ record }) => isWithin(path, record)).map(linkJson) } };
    },
  }),
  route({
    method: 'DELETE',
    at: '/links/{id}',
    id: 'revokeLink',
    isKeyed: true,
    summary: 'Takes a link back',
    answers: { 204: { description: 'Nobody comes in by it any more.' } },
    async handle({ exchange, visitor, files, links, at, path }) {
      const record = await links.find(visitor.account.user, at);
      if (!record || !isWithin(path, record)) throw new Problem(404, 'not-found', 'There is no such link, or none any more.');
      const refused = visitor.via === 'token' ? files.refusal(OPERATION[record.kind]) : undefined;
      if (refused !== undefined) throw new StorageError('denied', refused);
      await links.revoke(record);
      exchange.caller.toldOfLink('UNLINK', 204, record);
      return { status: 204 };
    },
  }),
];
