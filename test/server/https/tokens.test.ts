import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, newToken, writeToken } from '../../../server/identity/token';
import { secret } from '../support/written';
import { type HttpsServed, httpsServed } from './served';

const made = Object.fromEntries(
  ['reading', 'both', 'writing', 'inbox', 'old', 'far', 'poor', 'gone', 'certain'].map((name) => {
    const user = ['poor', 'gone', 'certain'].includes(name) ? name : 'demo';
    const token = newToken(user);
    return [name, { ...token, text: secret(writeToken(token)), kept: { id: token.id, sha256: digestOf(token.secret), scopes: ['read', 'write'] } }];
  }),
) as Record<string, ReturnType<typeof newToken> & { text: string; kept: { id: string; sha256: string; scopes: string[] } }>;
const kept = (name: string, more = {}) => ({ ...made[name]!.kept, ...more });
const bearer = (name: string, text = made[name]!.text) => ({ authorization: `Bearer ${text}` });

let server: HttpsServed;
beforeAll(async () => {
  server = await httpsServed({ limits: { lockout: { failuresPerAddress: 3 } } }, [
    {
      user: 'demo',
      tokens: [
        kept('reading', { scopes: ['read'] }),
        kept('both'),
        kept('writing', { scopes: ['write'] }),
        kept('inbox', { folder: '/inbox' }),
        kept('old', { expires: '2020-01-01T00:00:00Z' }),
        kept('far', { networks: ['192.0.2.0/24'] }),
      ],
    },
    { user: 'poor', permissions: ['list'], tokens: [kept('poor')] },
    { user: 'gone', enabled: false, tokens: [kept('gone')] },
    { user: 'certain', clientCertificate: 'required', certificates: [{ kind: 'subject', commonName: 'x' }], tokens: [kept('certain')] },
  ]);
});
afterAll(() => server.close());

const ask = (name: string, method: string, path: string, body?: unknown) => server.connect().ask(method, `/api/v1${path}`, { headers: bearer(name), body });
const logins = (user: string) => server.audit.of('login').filter(({ login }) => login === user);

it('a token comes in with every request, once for a connection in the audit, which names it and not its secret', async () => {
  const client = server.connect();
  const before = logins('demo').length;
  for (let count = 0; count < 3; count += 1) expect((await client.ask('GET', '/api/v1/folders', { headers: bearer('both') })).status).toBe(200);
  expect(logins('demo')).toHaveLength(before + 1);
  expect(logins('demo').at(-1)).toMatchObject({ outcome: 'success', method: 'token', token: made['both']!.id });
  expect(readFileSync(join(server.folder, 'accounts.json'), 'utf8')).not.toContain(made['both']!.secret);
});

it('what the account transfers elsewhere is not told to a token that reaches other folders, nor to one that may not see files', async () => {
  const upload = await server.socket();
  upload.write(`PUT /api/v1/files/payroll.csv HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${bearer('both').authorization}\r\nContent-Length: 9\r\n\r\nxxx`);
  while (!server.server.sessions.infos().some(({ transfer }) => transfer?.bytes === 3)) await new Promise((resolve) => setTimeout(resolve, 5));
  const told = async (name: string) => JSON.stringify((await ask(name, 'GET', '/sessions')).json);
  expect(await told('both')).toContain('payroll');
  for (const name of ['inbox', 'writing']) expect(await told(name)).not.toContain('payroll');
  upload.destroy();
  await server.audit.next('transfer', ({ path }) => path === '/payroll.csv');
});

it.each([
  ['reading', { GET: 200, PUT: 403, DELETE: 403 }],
  ['writing', { GET: 403, PUT: 201, DELETE: 204 }],
  ['both', { GET: 200, PUT: 200, DELETE: 204 }],
  ['poor', { GET: 403, PUT: 403, DELETE: 403 }],
])('a token for %s does that much and no more than its account', async (name, wanted) => {
  writeFileSync(join(server.files, 'there'), 'x');
  for (const [method, status] of Object.entries(wanted))
    expect([method, (await ask(name, method, '/files/there', method === 'PUT' ? Buffer.from('y') : undefined)).status]).toEqual([method, status]);
});

it('a token with a folder reaches what is in it, by no way anything else', async () => {
  await ask('both', 'PUT', '/folders/inbox');
  await ask('both', 'PUT', '/files/secret', Buffer.from('x'));
  expect((await ask('inbox', 'PUT', '/files/inbox/a', Buffer.from('x'))).status).toBe(201);
  expect((await ask('inbox', 'GET', '/folders/inbox')).json.entries).toHaveLength(1);
  for (const path of ['/files/secret', '/files/inbox/..%2fsecret', '/files/inbox/../secret', '/folders', '/entries/inboxes', '/entries/%2e%2e'])
    expect([path, (await ask('inbox', 'GET', path)).status]).toEqual([path, 403]);
  expect((await ask('inbox', 'POST', '/moves', { from: '/inbox/a', to: '/a' })).status).toBe(403);
  expect((await ask('inbox', 'POST', '/moves', { from: '/secret', to: '/inbox/secret' })).status).toBe(403);
  expect((await ask('inbox', 'GET', '/sign-in')).json).toMatchObject({ user: 'demo', via: 'token', folder: '/inbox' });
});

it.each([
  ['one that has expired', () => made['old']!.text, 'token-expired'],
  ['one from another network', () => made['far']!.text, 'address-not-allowed'],
  ['one of an account that is disabled', () => made['gone']!.text, 'account-disabled'],
  ['one without the certificate that the account needs', () => made['certain']!.text, 'certificate-required'],
  ['one with another secret', () => writeToken({ ...made['both']!, secret: newToken('x').secret }), 'unknown-token'],
  ['one that is not there', () => writeToken(newToken('demo')), 'unknown-token'],
  ['one of nobody', () => writeToken(newToken('nobody')), 'unknown-user'],
])('%s is refused with the words of every refusal, and locks nobody out', async (_, text, reason) => {
  const answer = await server.connect().ask('GET', '/api/v1/folders', { headers: bearer('', text()) });
  expect(answer).toMatchObject({ status: 401, json: { code: 'refused', title: 'Sign in first, or send a token.' } });
  expect(server.audit.of('login').at(-1)).toMatchObject({ outcome: 'failure', reason });
  expect(server.audit.of('lockout')).toHaveLength(0);
});

it.each(['Bearer', 'Bearer x', 'Basic ZGVtbzp4', `Bearer ${'x'.repeat(5_000)}`])('what is no token is refused: %.20s', async (authorization) => {
  expect((await server.connect().ask('GET', '/api/v1/folders', { headers: { authorization } })).status).toBe(401);
});

it('a connection may change between tokens and cookies, and is always who it says', async () => {
  const client = await server.signedIn();
  for (const [headers, user] of [
    [bearer('poor'), 'poor'],
    [{}, 'demo'],
    [bearer('reading'), 'demo'],
    [bearer('poor'), 'poor'],
  ] as const)
    expect((await client.ask('GET', '/api/v1/sign-in', { headers })).json.user).toBe(user);
});

it('a token that was taken away is worth nothing from the next request on', async () => {
  const client = server.connect();
  expect((await client.ask('GET', '/api/v1/folders', { headers: bearer('poor') })).status).toBe(200);
  const file = join(server.folder, 'accounts.json');
  const content = JSON.parse(readFileSync(file, 'utf8'));
  content.accounts[1].tokens = [];
  writeFileSync(file, JSON.stringify(content));
  await server.audit.next('configuration', ({ what, change }) => what === 'accounts' && change === 'reloaded');
  expect((await client.ask('GET', '/api/v1/folders', { headers: bearer('poor') })).status).toBe(401);
});
