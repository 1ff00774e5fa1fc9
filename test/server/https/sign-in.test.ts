import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PASSWORD } from '../support/server';
import { type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
beforeAll(async () => {
  server = await httpsServed({ limits: { lockout: { failuresPerAddress: 1_000, failuresPerAccount: 4, firstSeconds: 1_000 } } }, [
    { user: 'demo' },
    { user: 'one', maxSessions: 1 },
    { user: 'elsewhere', allowedNetworks: ['192.0.2.0/24'] },
    { user: 'gone', enabled: false },
    { user: 'victim' },
  ]);
});
afterAll(() => server.close());

const logins = (user: string) => server.audit.of('login').filter(({ login }) => login === user);

it('a right password signs in: a cookie that scripts and other sites do not get, and the audit says who', async () => {
  const client = server.connect();
  const answer = await client.signIn();
  expect(answer.status).toBe(201);
  expect(answer.json).toEqual({ user: 'demo', via: 'sign-in', permissions: ['read', 'write', 'list', 'delete', 'rename', 'mkdir'], folder: '/', links: [] });
  expect(answer.headers['set-cookie']).toEqual([expect.stringMatching(/^__Host-ftps=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)]);
  expect(logins('demo').at(-1)).toMatchObject({ outcome: 'success', method: 'password', protocol: 'https', listener: 'https' });
});

it('the cookie is good on other connections, until it is signed out on one', async () => {
  const first = await server.signedIn();
  const second = server.connect();
  second.cookie = first.cookie;
  expect((await second.ask('GET', '/api/v1/sign-in')).json.user).toBe('demo');
  expect(logins('demo').at(-1)).toMatchObject({ outcome: 'success', method: 'session' });
  const out = await second.ask('DELETE', '/api/v1/sign-in');
  expect(out.status).toBe(204);
  expect(out.headers['set-cookie']![0]).toContain('Max-Age=0');
  for (const client of [first, second]) expect((await client.ask('GET', '/api/v1/sign-in')).status).toBe(401);
});

it.each([
  ['a wrong password', 'demo', 'wrong', 'wrong-password'],
  ['a name that is not there', 'nobody', 'wrong', 'unknown-user'],
  ['an account that is disabled', 'gone', PASSWORD, 'account-disabled'],
  ['an account from another network', 'elsewhere', PASSWORD, 'address-not-allowed'],
])('%s is refused, with the words of every refusal', async (_, user, password, reason) => {
  const answer = await server.connect().signIn(user, password);
  expect(answer).toMatchObject({ status: 401, json: { code: 'refused', title: 'Name, password or code is wrong.' } });
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['set-cookie']).toBeUndefined();
  expect(logins(user).at(-1)).toMatchObject({ outcome: 'failure', reason });
});

it('who fails again and again is locked out, and hears the same; after three tries the connection ends', async () => {
  const client = server.connect();
  for (let count = 0; count < 5; count += 1) expect((await client.signIn('victim', 'wrong')).status).toBe(401);
  expect((await client.signIn('victim')).status).toBe(401);
  expect(logins('victim').at(-1)).toMatchObject({ reason: 'locked-out' });
  const sessions = new Set(logins('victim').map(({ session }) => session));
  expect(sessions.size).toBe(2);
});

it('a sign-in has the place of one session, on however many connections; signing out gives it back', async () => {
  const first = await server.signedIn('one');
  const also = server.connect();
  also.cookie = first.cookie;
  expect((await also.ask('GET', '/api/v1/sign-in')).status).toBe(200);
  const other = server.connect();
  expect(await other.signIn('one')).toMatchObject({ status: 429, json: { code: 'too-many-sessions' } });
  await first.ask('DELETE', '/api/v1/sign-in');
  expect((await other.signIn('one')).status).toBe(201);
});

it('a cookie is worth nothing once it was made up, on ten requests at most', async () => {
  const client = server.connect();
  client.cookie = `__Host-ftps=${'a'.repeat(43)}`;
  const answers = [];
  for (let count = 0; count < 10; count += 1) answers.push(await client.ask('GET', '/api/v1/folders'));
  expect(answers.every(({ status }) => status === 401)).toBe(true);
  expect(answers.map(({ headers }) => headers['connection']).lastIndexOf('close')).toBe(9);
});

it('a kick ends the sign-in, wherever its cookie is', async () => {
  const client = await server.signedIn();
  const [mine] = server.server.sessions
    .infos()
    .filter(({ user, listener }) => user === 'demo' && listener === 'https')
    .slice(-1);
  expect(mine).toMatchObject({ protocol: 'https', listener: 'https', address: '127.0.0.1' });
  const all = server.server.sessions.infos().filter(({ user }) => user === 'demo');
  for (const { id } of all) await server.server.sessions.kick(id);
  const again = server.connect();
  again.cookie = client.cookie;
  expect((await again.ask('GET', '/api/v1/sign-in')).status).toBe(401);
});

it('pages of other sites are refused, also where a browser sent the cookie', async () => {
  const client = await server.signedIn();
  const host = `localhost:${server.httpsPort}`;
  const pages: readonly Record<string, string>[] = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }];
  for (const headers of pages)
    expect(await client.ask('PUT', '/api/v1/folders/by-another', { headers: { host, ...headers } })).toMatchObject({
      status: 403,
      json: { code: 'other-site' },
    });
  const own = { host, origin: `https://${host}`, 'sec-fetch-site': 'same-origin' };
  expect((await client.ask('PUT', '/api/v1/folders/by-us', { headers: own })).status).toBe(201);
});

describe('a long request', () => {
  const IDLE = 0.6;
  let own: HttpsServed;
  beforeAll(async () => {
    own = await httpsServed({ https: { signInIdleSeconds: IDLE } }, [{ user: 'demo' }, { user: 'one', maxSessions: 1 }]);
    mkdirSync(own.files, { recursive: true });
    writeFileSync(join(own.files, 'large'), Buffer.alloc(16 * 1024 * 1024));
  });
  afterAll(() => own.close());

  it('keeps its sign-in from being idle, which then is for as long as any', async () => {
    const client = await own.signedIn();
    const socket = await own.socket();
    socket.write(`GET /api/v1/files/large HTTP/1.1\r\nHost: a\r\nCookie: ${client.cookie}\r\nConnection: close\r\n\r\n`);
    await once(socket, 'readable');
    await sleep(2 * IDLE * 1000); // more than sockets hold waits for this client
    socket.resume();
    await once(socket, 'close');
    expect((await client.ask('GET', '/api/v1/sign-in')).status).toBe(200);
    await sleep(1.5 * IDLE * 1000);
    expect((await client.ask('GET', '/api/v1/sign-in')).status).toBe(401);
  });

  it('that has begun goes on when its sign-in ends', async () => {
    const client = await own.signedIn();
    const socket = await own.socket();
    socket.write(`PUT /api/v1/files/goes-on HTTP/1.1\r\nHost: a\r\nCookie: ${client.cookie}\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabc`);
    while (!own.server.sessions.infos().some(({ transfer }) => transfer?.bytes === 3)) await sleep(5);
    expect((await client.ask('DELETE', '/api/v1/sign-in')).status).toBe(204);
    socket.write('def');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 201 /);
    expect(readFileSync(join(own.files, 'goes-on'), 'utf8')).toBe('abcdef');
  });
});
