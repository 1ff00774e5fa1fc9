/** The administrator's door: a Unix socket and loopback HTTP, with health, metrics, sessions, drain, reload, and a console for a browser. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AuditLine } from '../audit/schema';
import type { ServerConfig } from '../config';
import type { SessionInfo } from '../sessions/session-info';
import { printable } from '../text/printable';
import { consoleFile } from './console/files';
import type { Standing } from './standing';

export interface Health {
  readonly status: 'ok' | 'draining' | 'failed';
  /** What is wrong or switched off, in words. */
  readonly parts: Readonly<Record<string, string>>;
}

/** All that the console shows. */
export interface Overview {
  readonly host: string;
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly health: Health;
  readonly standing: Standing;
  readonly sessions: readonly SessionInfo[];
  /** The newest first. */
  readonly recent: readonly AuditLine[];
}

/** What the door opens to. */
export interface AdminSource {
  health(): Health | Promise<Health>;
  overview(): Promise<Overview>;
  sessions(): Promise<readonly SessionInfo[]>;
  kick(id: string): Promise<boolean>;
  reload(): Promise<boolean>;
  drain(): void;
  metrics(): Promise<string>;
}

export interface Admin {
  /** The loopback port that is open, where one was asked for. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** JSON, or text of a type. */
type Answer = { readonly status: number; readonly body: unknown } | { readonly status: number; readonly text: string; readonly type: string };

const METRICS = 'text/plain; version=0.0.4';

export async function startAdmin({ socket, port }: ServerConfig['admin'], source: AdminSource): Promise<Admin> {
  const servers: Server[] = [];
  if (socket !== undefined) {
    await rm(socket, { force: true }); // left behind by a crash
    servers.push(await listen(source, () => true, { path: socket }, 'admin.socket'));
    await chmod(socket, 0o660);
  }
  let open: number | undefined;
  if (port !== undefined) {
    const server = await listen(source, isLocalRequest, { host: '127.0.0.1', port }, 'admin.port');
    servers.push(server);
    open = (server.address() as { port: number }).port;
  }
  return {
    port: open,
    async close() {
      await Promise.all(
        servers.map((server) => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}

async function listen(
  source: AdminSource,
  allowed: (request: IncomingMessage) => boolean,
  where: { path: string } | { host: string; port: number },
  setting: string,
): Promise<Server> {
  const server = createServer((request, response) => {
    const answer: Promise<Answer> = allowed(request) ? route(request, source) : Promise.resolve({ status: 403, body: { error: 'only for this machine' } });
    answer.catch((): Answer => ({ status: 500, body: { error: 'the server had an error of its own' } })).then((result) => send(response, result));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(`${setting}: can't be opened (${error.code})`)));
    server.listen(where, resolve);
  });
  return server;
}

/** The console's own requests pass. Any other web page that made a browser send this (DNS rebinding, cross-site requests) names another host, origin or site. */
function isLocalRequest({ headers }: IncomingMessage): boolean {
  const { host = '', origin, 'sec-fetch-site': site = 'none' } = headers;
  return (
    /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host) &&
    (origin === undefined || origin === `http://${host}`) &&
    (site === 'none' || site === 'same-origin')
  );
}

async function route({ method, url = '', headers }: IncomingMessage, source: AdminSource): Promise<Answer> {
  const [path, query] = url.split('?');
  // Whoever says more than there is to say meant something by it, which would not be done: `POST /drain?atOnce` drains as ever.
  if (query) return { status: 400, body: { error: `no request has parameters; leave ?${query.slice(0, 80)} away` } };
  if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined)
    return { status: 400, body: { error: 'no request has a body; leave it away' } };
  const kick = /^\/sessions\/([0-9a-f-]{36})\/kick$/.exec(path ?? '');
  switch (`${method} ${kick ? '/sessions/ID/kick' : path}`) {
    case 'GET /health': {
      const health = await source.health();
      return { status: health.status === 'ok' ? 200 : 503, body: health };
    }
    case 'GET /metrics':
      return { status: 200, text: await source.metrics(), type: METRICS };
    case 'GET /overview':
      return { status: 200, body: forPeople(await source.overview()) };
    case 'GET /sessions':
      return { status: 200, body: await source.sessions() };
    case 'POST /sessions/ID/kick':
      return (await source.kick(kick![1]!)) ? { status: 200, body: { kicked: true } } : { status: 404, body: { error: 'no such session' } };
    case 'POST /reload':
      return (await source.reload())
        ? { status: 200, body: { reloaded: true } }
        : { status: 409, body: { reloaded: false, error: 'a new certificate or key was refused; the audit says why' } };
    case 'POST /drain':
      source.drain();
      return { status: 202, body: { draining: true } };
    default: {
      const file = method === 'GET' ? consoleFile(path ?? '') : undefined;
      if (file) return { status: 200, ...file };
      return { status: 404, body: { error: 'GET / /health /metrics /overview /sessions, POST /sessions/ID/kick /reload /drain' } };
    }
  }
}

/** The same, with every text in it fit to be shown. */
function forPeople(overview: Overview): unknown {
  return JSON.parse(JSON.stringify(overview), (_key, value) => (typeof value === 'string' ? printable(value) : value));
}

/** Nothing is kept, nothing from elsewhere is loaded, and no other page may frame or read this one. */
const headers = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

function send(response: ServerResponse, answer: Answer): void {
  const [type, text] = 'text' in answer ? [answer.type, answer.text] : ['application/json', `${JSON.stringify(answer.body)}\n`];
  response.writeHead(answer.status, { ...headers, 'content-type': type }).end(text);
}
