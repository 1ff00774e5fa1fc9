/** Answers requests: which route is meant, who asks, whether what was sent is as it should be, and every refusal as a problem. */
import { z } from 'zod';
import { virtualPath } from '../files/virtual-path';
import type { Head } from '../http/head';
import { Disconnected } from '../http/inflow';
import type { Requests } from '../sessions/requests';
import { once } from './api/once';
import { openApi } from './api/openapi';
import { OAuthProblem, Problem, problemOf } from './api/problem';
import { referencePage } from './api/reference';
import type { Answer, Asked, KnownAsked, LinkAsked, Route } from './api/route';
import { accountRoutes, refusal } from './api/routes/account';
import { archiveRoutes } from './api/routes/archives';
import { elsewhereRoutes } from './api/routes/elsewhere';
import { fileRoutes } from './api/routes/files';
import { folderRoutes } from './api/routes/folders';
import { linkRoutes } from './api/routes/links';
import { noLink, sharedRoutes } from './api/routes/shared';
import { METADATA_PATH, metadata, tokenRoutes } from './api/routes/tokens';
import { uploadRoutes } from './api/routes/uploads';
import { type Application, type Entrance, type Exchange, isWithin, type Visitor } from './exchange';
import type { Links } from './links/links';
import { proofIn } from './links/proof';
import { withoutSecret } from './links/record';
import { PAGE_POLICY, pageFile } from './page/files';
import type { RequestRates } from './rates';
import type { Uploads } from './uploads';

const PREFIX = '/api/v1';
/** The largest body of a request that is no file. Bytes. */
const LARGEST_JSON = 64 * 1024;
const JSON_TYPE = 'application/json; charset=utf-8';
const SIGN_IN_AGAIN = 'Sign in first, or send a token.';

export const routes: readonly Route[] = [
  ...accountRoutes,
  ...elsewhereRoutes,
  ...tokenRoutes,
  ...folderRoutes,
  ...fileRoutes,
  ...uploadRoutes,
  ...archiveRoutes,
  ...linkRoutes,
  ...sharedRoutes,
];

/** What may be asked with each. Made once: it costs more than most requests. */
const queries: ReadonlyMap<Route, z.ZodType> = new Map(routes.map((route) => [route, known(route)]));
const described = openApi(routes, PREFIX);
const document = `${JSON.stringify(described)}\n`;
const reference = referencePage(described);

interface Found {
  readonly route: Route;
  readonly at: string;
  readonly link: string;
}

/** Each route with the addresses that it is for. */
const patterns = routes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.at.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'path' ? '(?<path>.+)' : `(?<${name}>[^/]+)`))}$`),
}));

/** What the requests of a process share. */
export interface Shared {
  readonly uploads: Uploads;
  readonly rates: RequestRates;
  readonly requests: Requests;
  readonly links: Links;
}

export function application(shared: Shared): Application {
  return (exchange) => answer(exchange, shared);
}

async function answer(exchange: Exchange, shared: Shared): Promise<void> {
  const { head, reply, caller } = exchange;
  try {
    const answer = await answerTo(exchange, shared);
    if (answer === 'answered') return;
    const { status, json, headers } = answer;
    if (json === undefined) reply.send(status, headers ?? {});
    else reply.send(status, { 'content-type': JSON_TYPE, ...headers }, `${JSON.stringify(json)}\n`);
  } catch (error) {
    // Of a client that is gone the connection tells.
    if (error instanceof Disconnected) throw error;
    const problem = problemOf(error);
    caller.refused({ method: head.method, path: withoutSecret(head.path) }, problem.status, problem.code);
    reply.send(problem.status, { 'content-type': problem.mediaType, ...problem.headers }, problem.body);
  }
}

async function answerTo(exchange: Exchange, shared: Shared): Promise<Answer> {
  const { head } = exchange;
  if (head.path === `${PREFIX}/openapi.json` && (head.method === 'GET' || head.method === 'HEAD')) {
    exchange.reply.send(200, { 'content-type': JSON_TYPE }, document);
    return 'answered';
  }
  if (head.path === METADATA_PATH && (head.method === 'GET' || head.method === 'HEAD')) {
    exchange.reply.send(200, { 'content-type': JSON_TYPE }, `${JSON.stringify(metadata(head.headers.get('host') ?? '', PREFIX))}\n`);
    return 'answered';
  }
  const isRead = head.method === 'GET' || head.method === 'HEAD';
  const file = isRead ? (head.path === `${PREFIX}/` ? { type: 'text/html; charset=utf-8', text: reference } : pageFile(head.path)) : undefined;
  if (file) {
    exchange.reply.send(200, { 'content-type': file.type, 'content-security-policy': PAGE_POLICY, 'cross-origin-opener-policy': 'same-origin' }, file.text);
    return 'answered';
  }
  const found = find(head);
  if (!found.route.isFromElsewhere) refuseOtherSites(head);
  const { route, at, link } = found;
  if (route.who === 'anybody')
    return route.handle({ exchange, at, link, query: queryOf(route, head), body: await sent(route, exchange) } as Asked<never, never>);
  return route.who === 'link' ? byLink(exchange, { ...found, route }, shared) : byVisitor(exchange, { ...found, route }, shared);
}

async function byVisitor(
  exchange: Exchange,
  { route, at, link }: Found & { route: { who: 'visitor' } },
  { uploads, rates, links, requests }: Shared,
): Promise<Answer> {
  const { head, caller } = exchange;
  const visitor = entered(exchange, await caller.visitor(head.headers), () => refusal({ kind: 'refused', isLast: false }, SIGN_IN_AGAIN));
  await spend(exchange, rates, visitor.account.user);
  const known: KnownAsked<unknown, unknown> = {
    exchange,
    at,
    link,
    visitor,
    files: visitor.files,
    uploads,
    links,
    query: queryOf(route, head),
    body: await sent(route, exchange),
    path: (text) => reached(visitor, text),
  };
  const act = () => route.handle(known as KnownAsked<never, never>);
  return route.isKeyed ? once({ exchange, visitor, requests, body: known.body }, act) : act();
}

async function byLink(exchange: Exchange, { route, at, link }: Found & { route: { who: 'link' } }, { uploads, rates, links }: Shared): Promise<Answer> {
  const { head, caller } = exchange;
  const { link: record, files } = entered(exchange, await caller.byLink(link, proofIn(head.headers)), noLink);
  if (!record) throw noLink();
  await spend(exchange, rates, `link ${record.id}`);
  const known: LinkAsked<unknown, unknown> = {
    exchange,
    at,
    link,
    record,
    files,
    uploads,
    links,
    query: queryOf(route, head),
    body: await sent(route, exchange),
    async use() {
      const use = await links.use(record);
      if (!use) throw new Problem(410, 'link-used', 'This link was used as often as it may be.');
      caller.toldOfLink('USE', 200, record);
      return use;
    },
  };
  return route.handle(known as LinkAsked<never, never>);
}

/** Throws what a client that did not get in is told. */
function entered(exchange: Exchange, entrance: Entrance | undefined, refused: () => Problem): Visitor {
  if (entrance?.kind === 'entered') return entrance.visitor;
  if (entrance && 'isLast' in entrance && entrance.isLast) exchange.endsConnection();
  throw entrance === undefined || entrance.kind === 'refused' ? refused() : refusal(entrance, SIGN_IN_AGAIN);
}

async function spend(exchange: Exchange, rates: RequestRates, who: string): Promise<void> {
  const rate = await rates.take(who);
  exchange.reply.also(rate.headers);
  if (rate.isTooMany) throw new Problem(429, 'too-many-requests', 'The account has asked for too much in this minute.');
}

function find({ method, path }: Head): Found {
  const rest = path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : undefined;
  const fitting =
    rest === undefined ? [] : patterns.flatMap(({ route, pattern }) => matched(route, pattern.exec(rest === '/folders/' ? '/folders' : rest)) ?? []);
  const found = fitting.find(({ route }) => route.method === method);
  if (found) return found;
  if (fitting.length === 0) throw new Problem(404, 'not-found', 'There is nothing under this address.');
  throw new Problem(405, 'method', `${method} is not for this address.`, { allow: fitting.map(({ route }) => route.method).join(', ') });
}

function matched(route: Route, match: RegExpExecArray | null): Found | undefined {
  if (!match) return undefined;
  const { link = '', ...places } = match.groups ?? {};
  const [[name, encoded] = ['', '']] = Object.entries(places);
  return { route, at: name === '' ? '/' : decoded(encoded, name === 'path' ? '/' : ''), link };
}

function decoded(text: string, before: string): string {
  try {
    return before + decodeURIComponent(text);
  } catch {
    throw new Problem(400, 'malformed', 'The address is not encoded as UTF-8.');
  }
}

/**
 * A browser sends our cookie with requests of our own pages alone (SameSite=Strict); that it says of other ones where they come from is looked at all
 * the same. Programs say neither.
 */
function refuseOtherSites({ method, headers }: Head): void {
  const [origin, site] = [headers.get('origin'), headers.get('sec-fetch-site') ?? 'none'];
  const isOwn = (origin === undefined || origin === `https://${headers.get('host')}`) && (site === 'same-origin' || site === 'none');
  if (isOwn || ((method === 'GET' || method === 'HEAD') && origin === undefined && site !== 'cross-site')) return;
  throw new Problem(403, 'other-site', 'Pages of other sites are not answered.');
}

/** What is known of them; others are refused, unless somebody else may have added them. */
function known({ query = z.object({}), isFromElsewhere }: Route): z.ZodType {
  return isFromElsewhere ? query : query.strict();
}

function queryOf(route: Route, { query }: Head): unknown {
  // In one pass: a head has room for ten thousand names, and whoever asks for one after the other looks at all of them each time.
  const given = new Map<string, string[]>();
  for (const [name, value] of query) {
    const values = given.get(name);
    if (values) values.push(value);
    else given.set(name, [value]);
  }
  const asked = Object.fromEntries([...given].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
  return checked(queries.get(route)!, asked, 'The parameters are not as they should be');
}

async function sent(route: Route, { body, head }: Exchange): Promise<unknown> {
  if (route.body === 'bytes') return undefined;
  if (route.body === undefined) {
    if (body.isOver) return undefined;
    throw new Problem(400, 'malformed', 'This request has no body.');
  }
  const type = route.isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  if ((head.headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase() !== type) throw new Problem(415, 'media-type', `Send ${type}.`);
  const bytes = await body.whole(LARGEST_JSON);
  if (route.isForm) return formIn(route.body, bytes);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, 'malformed', 'The body is no JSON.');
  }
  return checked(route.body, value, 'The body is not as it should be');
}

function formIn(schema: z.ZodType, bytes: Buffer): unknown {
  const pairs = [...new URLSearchParams(bytes.toString())];
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new OAuthProblem(400, 'invalid_request', 'A name stands in the form twice.');
  try {
    return checked(schema, Object.fromEntries(pairs), 'The form is not as it should be');
  } catch (error) {
    throw new OAuthProblem(400, 'invalid_request', (error as Problem).message);
  }
}

function checked(schema: z.ZodType, value: unknown, what: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const words = parsed.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  throw new Problem(400, 'malformed', `${what} (${words.join('; ')}).`);
}

/** A path as the client wrote it, absolute; a token with a folder of its own reaches what is in it. */
function reached({ folder }: Visitor, text: string): string {
  const path = virtualPath('/', text);
  if (isWithin(folder, path)) return path;
  throw new Problem(403, 'denied', `This token reaches ${folder} alone.`);
}
