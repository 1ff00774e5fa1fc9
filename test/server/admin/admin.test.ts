import { once } from 'node:events';
import { request } from 'node:http';
import { type Admin, type AdminSource, startAdmin } from '../../../server/admin/admin';

const orders: string[] = [];
const source: AdminSource = {
  health: () => ({ status: 'ok', parts: {} }),
  overview: async () => ({
    host: 'here',
    version: '1.2.3',
    startedAt: '2026-01-01T00:00:00.000Z',
    health: { status: 'ok', parts: {} },
    standing: { passive: { open: 1, waitedOn: 0 }, certificates: [], dependencies: {} },
    sessions: [],
    recent: [],
  }),
  sessions: async () => [],
  kick: async (id) => orders.push(`kick ${id}`) > 0,
  reload: async () => false,
  drain: () => void orders.push('drain'),
  metrics: async () => 'ftps_sessions 0\n',
};

let admin: Admin;
beforeAll(async () => {
  admin = await startAdmin({ port: 0 }, source);
});
afterAll(() => admin.close());
beforeEach(() => orders.splice(0));

async function ask(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const asked = request({ host: '127.0.0.1', port: admin.port, method, path, headers }).end(body);
  const [response] = await once(asked, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode as number, headers: response.headers as Record<string, string>, text };
}

it.each([
  ['/', 'text/html; charset=utf-8', '<title>FTPS console</title>'],
  ['/console.css', 'text/css; charset=utf-8', 'color-scheme: light dark'],
  ['/console.js', 'text/javascript; charset=utf-8', "fetch('/overview')"],
  ['/overview', 'application/json', '"host":"here"'],
  ['/metrics', 'text/plain; version=0.0.4', 'ftps_sessions 0'],
])('serves %s, and lets it load nothing from elsewhere', async (path, type, part) => {
  const { status, headers, text } = await ask('GET', path);
  expect([status, headers['content-type']]).toEqual([200, type]);
  expect(text).toContain(part);
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';.*frame-ancestors 'none'/);
  expect(headers['x-content-type-options']).toBe('nosniff');
});

it('the page has no style or script within itself, which its own policy would refuse', async () => {
  const { text } = await ask('GET', '/');
  expect(text).not.toMatch(/<style|style=|<script(?![^>]*src=)| on[a-z]+=/);
});

it('refuses what it would not heed: parameters, and bodies', async () => {
  expect(await ask('POST', '/drain?atOnce=true')).toMatchObject({ status: 400, text: expect.stringContaining('leave ?atOnce=true away') });
  expect(await ask('GET', '/sessions?user=acme')).toMatchObject({ status: 400 });
  expect(await ask('POST', '/reload', { 'content-length': '17' }, '{"what":"config"}')).toMatchObject({ status: 400, text: expect.stringContaining('body') });
  expect(orders).toEqual([]);
});

it.each(['/__proto__', '/constructor', '/console.html', '/..'])('has nothing at %s', async (path) => {
  expect((await ask('GET', path)).status).toBe(404);
});

const ID = '00000000-0000-4000-8000-000000000000';

it('takes orders of its own page, also behind a forwarded port', async () => {
  const own = { host: 'localhost:8080', origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' };
  expect((await ask('POST', `/sessions/${ID}/kick`, own)).status).toBe(200);
  expect((await ask('POST', '/drain', own)).status).toBe(202);
  expect(orders).toEqual([`kick ${ID}`, 'drain']);
});

it.each([
  ['another site', { host: 'localhost:8080', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['another port of this machine', { host: 'localhost:8080', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
  ['a page without an origin', { host: 'localhost:8080', origin: 'null' }],
  ['a name that was bent to this machine', { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }],
  ['an image in a foreign page', { host: 'localhost:8080', 'sec-fetch-site': 'cross-site' }],
])('turns %s away', async (_who, headers) => {
  expect((await ask('POST', '/drain', headers)).status).toBe(403);
  expect((await ask('GET', '/overview', headers)).status).toBe(403);
  expect(orders).toEqual([]);
});
