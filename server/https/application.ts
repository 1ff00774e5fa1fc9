/** Answers requests: which route is meant, who asks, whether what was sent is as it should be, and every refusal as a problem. */
import { z } from 'zod';
import { virtualPath } from '../files/virtual-path';
import type { Head } from '../http/head';
import { Disconnected } from '../http/inflow';
import { openApi } from './api/openapi';
import { Problem, problemOf } from './api/problem';
import { referencePage } from './api/reference';
import type { Answer, Asked, KnownAsked, Route } from './api/route';
import { accountRoutes, refusal } from './api/routes/account';
import { archiveRoutes } from './api/routes/archives';
import { fileRoutes } from './api/routes/files';
import { folderRoutes } from './api/routes/folders';
import { uploadRoutes } from './api/routes/uploads';
import type { Application, Exchange, Visitor } from './exchange';
import { PAGE_POLICY, pageFile } from './page/files';
import type { RequestRates } from './rates';
import type { Uploads } from './uploads';

const PREFIX = '/api/v1';
/** The largest body of a request that is no file. Bytes. */
const LARGEST_JSON = 64 * 1024;
const JSON_TYPE = 'application/json; charset=utf-8';
const SIGN_IN_AGAIN = 'Sign in first, or send a token.';

export const routes: readonly Route[] = [...accountRoutes, ...folderRoutes, ...fileRoutes, ...uploadRoutes, ...archiveRoutes];

const described = openApi(routes, PREFIX);
const document = `${JSON.stringify(described)}\n`;
const reference = referencePage(described);

interface Found {
  readonly route: Route;
  readonly at: string;
}

/** What the requests of a process share. */
export interface Shared {
  readonly uploads: Uploads;
  readonly rates: RequestRates;
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
    caller.refused(head, problem.status, problem.code);
    reply.send(problem.status, { 'content-type': 'application/problem+json', ...problem.headers }, problem.body);
  }
}

async function answerTo(exchange: Exchange, { uploads, rates }: Shared): Promise<Answer> {
  const { head, caller } = exchange;
  if (head.path === `${PREFIX}/openapi.json` && (head.method === 'GET' || head.method === 'HEAD')) {
    exchange.reply.send(200, { 'content-type': JSON_TYPE }, document);
    return 'answered';
  }
  const isRead = head.method === 'GET' || head.method === 'HEAD';
  const file = isRead ? (head.path === `${PREFIX}/` ? { type: 'text/html; charset=utf-8', text: reference } : pageFile(head.path)) : undefined;
  if (file) {
    exchange.reply.send(200, { 'content-type': file.type, 'content-security-policy': PAGE_POLICY, 'cross-origin-opener-policy': 'same-origin' }, file.text);
    return 'answered';
  }
  const { route, at } = find(head);
  refuseOtherSites(head);
  if (route.who === 'anybody') return route.handle({ exchange, at, query: queryOf(route, head), body: await sent(route, exchange) } as Asked<never, never>);
  const entrance = await caller.visitor(head.headers);
  if (entrance?.kind !== 'entered') {
    if (entrance?.kind === 'refused' && entrance.isLast) exchange.endsConnection();
    throw refusal(entrance ?? { kind: 'refused', isLast: false }, SIGN_IN_AGAIN);
  }
  const { visitor } = entrance;
  const rate = rates.take(visitor.account.user);
  exchange.reply.also(rate.headers);
  if (rate.isTooMany) throw new Problem(429, 'too-many-requests', 'The account has asked for too much in this minute.');
  const known: KnownAsked<unknown, unknown> = {
    exchange,
    at,
    visitor,
    files: visitor.files,
    uploads,
    query: queryOf(route, head),
    body: await sent(route, exchange),
    path: (text) => reached(visitor, text),
  };
  return route.handle(known as KnownAsked<never, never>);
}

function find({ method, path }: Head): Found {
  const rest = path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : undefined;
  const fitting = rest === undefined ? [] : routes.flatMap((route) => matched(route, rest) ?? []);
  const found = fitting.find(({ route }) => route.method === method);
  if (found) return found;
  if (fitting.length === 0) throw new Problem(404, 'not-found', 'There is nothing under this address.');
  throw new Problem(405, 'method', `${method} is not for this address.`, { allow: fitting.map(({ route }) => route.method).join(', ') });
}

function matched(route: Route, rest: string): Found | undefined {
  const [before, place] = route.at.split('{');
  if (place === undefined) return rest === route.at || (route.at === '/folders' && rest === '/folders/') ? { route, at: '/' } : undefined;
  if (!rest.startsWith(before!) || rest.length === before!.length) return undefined;
  const encoded = rest.slice(before!.length);
  if (place.startsWith('id') && encoded.includes('/')) return undefined;
  return { route, at: decoded(encoded, place.startsWith('id') ? '' : '/') };
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

function queryOf(route: Route, { query }: Head): unknown {
  const given: Record<string, string | string[]> = {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    given[name] = values.length === 1 ? values[0]! : values;
  }
  return checked((route.query ?? z.object({})).strict(), given, 'The parameters are not as they should be');
}

async function sent(route: Route, { body, head }: Exchange): Promise<unknown> {
  if (route.body === 'bytes') return undefined;
  if (route.body === undefined) {
    if (body.isOver) return undefined;
    throw new Problem(400, 'malformed', 'This request has no body.');
  }
  if (!/^application\/json\s*(;|$)/i.test(head.headers.get('content-type') ?? '')) throw new Problem(415, 'media-type', 'Send application/json.');
  const bytes = await body.whole(LARGEST_JSON);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, 'malformed', 'The body is no JSON.');
  }
  return checked(route.body, value, 'The body is not as it should be');
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
  if (folder === '/' || path === folder || path.startsWith(`${folder}/`)) return path;
  throw new Problem(403, 'denied', `This token reaches ${folder} alone.`);
}
