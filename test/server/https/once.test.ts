import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalRequests } from '../../../server/sessions/requests';
import { type HttpsClient, type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
let client: HttpsClient;
beforeAll(async () => {
  server = await httpsServed({ https: { links: { defaultSeconds: 604_800, maxSeconds: 2_592_000, perAccount: 4, mostUses: 50 } } }, [
    { user: 'demo', quota: { files: 1_000 } },
    { user: 'other' },
    { user: 'list-only', permissions: ['list', 'read'] },
    { user: 'blind', permissions: ['delete'] },
  ]);
  client = await server.signedIn();
});
afterAll(() => server.close());

const file = (name: string) => join(server.files, name);
const keyed = (key: string) => ({ 'idempotency-key': key });
const move = (from: string, to: string, key: string, as = client) => as.ask('POST', '/api/v1/moves', { body: { from, to }, headers: keyed(key) });

it('a move that is sent again with its key is done once, and answered as it was', async () => {
  writeFileSync(file('a'), 'x');
  const first = await move('/a', '/b', '"one"');
  expect([first.status, first.headers['idempotency-replayed']]).toEqual([200, undefined]);
  const again = await move('/a', '/b', '"one"', await server.signedIn());
  expect([again.status, again.json, again.headers['idempotency-replayed']]).toEqual([200, { path: '/b' }, '?1']);
  expect(server.audit.of('command').filter(({ command, path }) => command === 'MOVE' && path === '/a')).toHaveLength(1);
  // Without a key, or with another one, it is another request.
  expect((await move('/a', '/b', 'two')).status).toBe(404);
});

it('a key belongs to its request and to its account', async () => {
  writeFileSync(file('c'), 'x');
  expect((await move('/c', '/d', 'three')).status).toBe(200);
  expect(await move('/d', '/c', 'three')).toMatchObject({ status: 422, json: { code: 'key-used' } });
  expect((await move('/c', '/e', 'three', await server.signedIn('other'))).status).toBe(404);
  for (const bad of ['"', '', '"a', 'ä', 'x'.repeat(256)]) expect((await move('/d', '/c', bad)).status).toBe(400);
});

it('a refusal that another try would not mend is answered again; folders and links are made once', async () => {
  const make = (key: string) => client.ask('PUT', '/api/v1/folders/made', { headers: keyed(key) });
  expect([(await make('four')).status, (await make('four')).status, (await make('five')).status, (await make('five')).json.code]).toEqual([
    201,
    201,
    409,
    'exists',
  ]);
  const link = () => client.ask('POST', '/api/v1/links', { body: { kind: 'drop', path: '/made' }, headers: keyed('six') });
  const [one, two] = [await link(), await link()];
  expect(two.json.url).toBe(one.json.url);
  expect((await client.ask('GET', '/api/v1/links')).json.links).toHaveLength(1);
});

it('while the first is being done the second is told so; what was not ended may be begun anew; keys are bounded', async () => {
  let now = 0;
  const requests = new LocalRequests(() => now);
  expect(await requests.begin('demo', 'k', 'd')).toEqual({ kind: 'first' });
  expect(await requests.begin('demo', 'k', 'd')).toEqual({ kind: 'running' });
  requests.end('demo', 'k', undefined);
  expect(await requests.begin('demo', 'k', 'd')).toEqual({ kind: 'first' });
  requests.end('demo', 'k', { status: 204 });
  requests.end('demo', 'k', { status: 500 });
  expect(await requests.begin('demo', 'k', 'd')).toEqual({ kind: 'done', answer: { status: 204 } });
  for (let count = 1; count < 256; count += 1) expect(await requests.begin('demo', `${count}`, 'd')).toEqual({ kind: 'first' });
  expect(await requests.begin('demo', 'more', 'd')).toEqual({ kind: 'first' }); // in the place of the one that is done
  expect(await requests.begin('demo', 'still more', 'd')).toEqual({ kind: 'full' });
  expect(await requests.begin('other', 'k', 'd')).toEqual({ kind: 'first' });
  requests.end('demo', 'more', { status: 204 });
  now += 25 * 3_600_000;
  expect(await requests.begin('demo', 'still more', 'd')).toEqual({ kind: 'first' });
});

it('a request that is done for more than a day is still that one, and its answer is remembered for a day from then on', async () => {
  let now = 0;
  const requests = new LocalRequests(() => now);
  const begin = (key: string) => requests.begin('demo', key, 'd');
  expect(await begin('long')).toEqual({ kind: 'first' });
  now += 25 * 3_600_000;
  expect(await begin('long')).toEqual({ kind: 'running' });
  requests.end('demo', 'long', { status: 200 });
  expect(await begin('other')).toEqual({ kind: 'first' });
  now += 23 * 3_600_000;
  expect(await begin('long')).toEqual({ kind: 'done', answer: { status: 200 } });
  now += 2 * 3_600_000;
  expect(await begin('long')).toEqual({ kind: 'first' });
});

it('a clock that is set back does not make a minute longer', async () => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  const requests = new LocalRequests();
  await requests.count('demo');
  jest.setSystemTime(Date.now() - 3_600_000);
  const { left } = await requests.count('demo');
  jest.useRealTimers();
  expect(left).toBeLessThanOrEqual(60_000);
});

function tree(folder: string, files: number): void {
  mkdirSync(file(`${folder}/deep/deeper`), { recursive: true });
  for (let count = 0; count < files; count += 1) writeFileSync(file(`${folder}/${count % 3 === 0 ? 'deep/deeper/' : ''}${count}`), 'x');
}
const removeAll = (path: string, as = client) => as.ask('DELETE', `/api/v1/folders/${path}?recursive=true`);

it('a folder goes with everything in it, a line in the audit for each, and its room comes back', async () => {
  tree('tree', 40);
  expect((await client.ask('DELETE', '/api/v1/folders/tree')).json.code).toBe('not-empty');
  expect((await client.ask('DELETE', '/api/v1/folders/tree?recursive=maybe')).status).toBe(400);
  expect((await removeAll('tree')).json).toEqual({ removed: 43, isAll: true });
  expect(existsSync(file('tree'))).toBe(false);
  const told = server.audit.of('command').filter(({ path }) => path?.startsWith('/tree'));
  expect(told.map(({ command }) => command).filter((one) => one === 'DELETE')).toHaveLength(40);
  expect(told.at(-1)).toMatchObject({ command: 'RMDIR', path: '/tree' });
  expect((await removeAll('tree')).status).toBe(404);
});

it('who may not delete, or not list, removes nothing; the top folder stays', async () => {
  tree('stays', 3);
  expect((await removeAll('stays', await server.signedIn('list-only'))).json.code).toBe('denied');
  expect((await removeAll('stays', await server.signedIn('blind'))).json.code).toBe('denied');
  expect((await removeAll('%2F')).json.code).toBe('denied');
  expect(readdirSync(file('stays'))).toHaveLength(3);
});

it('a removal ends where its client leaves', async () => {
  tree('left', 400);
  const socket = await server.socket();
  socket.write(`DELETE /api/v1/folders/left?recursive=true HTTP/1.1\r\nHost: a\r\nCookie: ${client.cookie}\r\n\r\n`);
  await server.audit.next('command', ({ path }) => path?.startsWith('/left/') ?? false);
  socket.destroy();
  await server.audit.next('connection-closed', ({ session }) => session === server.audit.of('command').find(({ path }) => path?.startsWith('/left/'))!.session);
  const count = () => server.audit.of('command').filter(({ path }) => path?.startsWith('/left')).length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = count();
  expect(before).toBeLessThan(403);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(count()).toBe(before);
  expect((await removeAll('left')).json).toEqual({ removed: 403 - before, isAll: true });
});
