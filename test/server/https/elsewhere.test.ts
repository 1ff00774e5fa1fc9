/** Signing in at a real provider of OpenID Connect, and what somebody may try who is between the two. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port';
import { CLIENT_SECRET, type OidcProvider, oidcProvider, signInThere } from '../support/openid';
import { secret } from '../support/written';
import { type Answer, type HttpsClient, type HttpsServed, httpsServed } from './served';

let provider: OidcProvider;
let issuer: string;
let ca: string;
let server: HttpsServed;

beforeAll(async () => {
  const port = await freePort();
  provider = await oidcProvider(`https://127.0.0.1:${port}/api/v1/sign-in/callback`);
  ({ issuer, ca } = provider);
  const file = join(tmpdir(), `client-secret-${process.pid}`);
  writeFileSync(file, `${secret(CLIENT_SECRET)}\n`);
  server = await httpsServed(
    {
      https: {
        port,
        issuers: [
          {
            issuer,
            audience: ['nobody'],
            ca,
            rules: [
              { claims: [{ name: 'groups', value: 'of-ann' }], user: 'demo', scopes: ['read'], folder: '/out' },
              { claims: [{ name: 'groups', value: 'everybody' }], user: 'p-{sub}', account: { home: '/people/{sub}' } },
            ],
          },
        ],
        signInWith: [
          { name: 'the office', issuer, clientId: 'files', clientSecretFile: file },
          { name: 'a bare client', issuer, clientId: 'bare' },
        ],
      },
    },
    [{ user: 'demo' }],
  );
});
afterAll(async () => {
  await server.close();
  provider.stop();
});

const throughProvider = (location: string, login: string) => signInThere(provider, location, login);

const cookiesOf = (answer: Answer) => ((answer.headers['set-cookie'] as unknown as string[] | undefined) ?? []).map((one) => one.split(';', 1)[0]!);
const fromElsewhere = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };

async function begin(client: HttpsClient, way = 0): Promise<{ location: string; cookie: string }> {
  const answer = await client.ask('POST', `/api/v1/sign-in/ways/${way}`);
  expect(answer.status).toBe(201);
  return { location: answer.json.location, cookie: cookiesOf(answer)[0]! };
}

const comeBack = (client: HttpsClient, path: string, cookie?: string) =>
  client.ask('GET', path, { headers: { ...fromElsewhere, ...(cookie ? { cookie } : {}) } });

it('the page is told where else people can sign in, and the way there has PKCE, a state and a nonce', async () => {
  const client = server.connect();
  expect((await client.ask('GET', '/api/v1/sign-in/ways')).json).toEqual({
    ways: [
      { id: '0', name: 'the office' },
      { id: '1', name: 'a bare client' },
    ],
  });
  const { location, cookie } = await begin(client);
  expect(location.startsWith(`${issuer}/auth?`)).toBe(true);
  expect(Object.fromEntries(new URL(location).searchParams)).toEqual({
    response_type: 'code',
    client_id: 'files',
    redirect_uri: `https://127.0.0.1:${server.httpsPort}/api/v1/sign-in/callback`,
    scope: 'openid profile email',
    state: expect.stringMatching(/^0\.\d+\.[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  });
  expect(location).not.toContain(cookie.split('=')[1]!);
  expect((await client.ask('POST', '/api/v1/sign-in/ways/7')).status).toBe(404);
  expect((await client.ask('POST', '/api/v1/sign-in/ways/0', { headers: fromElsewhere })).status).toBe(403);
});

it.each([0, 1])('whoever signed in there is signed in here, as the rule says, on every connection (client %d)', async (way) => {
  const client = server.connect();
  const { location, cookie } = await begin(client, way);
  const back = await comeBack(client, await throughProvider(location, 'ann'), cookie);
  expect(back).toMatchObject({ status: 303, headers: { location: '/' } });
  expect(back.headers['set-cookie']).toEqual([expect.stringMatching(/^__Host-ftps=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)]);
  expect(server.audit.of('login').at(-1)).toMatchObject({ outcome: 'success', login: 'demo', method: 'oidc', source: issuer, token: 'ann' });
  for (const one of [client, server.connect()]) {
    one.cookie = cookiesOf(back)[0];
    expect((await one.ask('GET', '/api/v1/sign-in')).json).toEqual({ user: 'demo', via: 'sign-in', permissions: ['read', 'list'], folder: '/out', links: [] });
    expect((await one.ask('PUT', '/api/v1/files/out/a', { body: Buffer.from('x') })).status).toBe(403);
  }
});

it('somebody whom no source knows has the account that the rule makes, as long as he is signed in', async () => {
  const client = server.connect();
  const { location, cookie } = await begin(client);
  const back = await comeBack(client, await throughProvider(location, 'bob'), cookie);
  const other = server.connect();
  other.cookie = cookiesOf(back)[0];
  expect((await other.ask('GET', '/api/v1/sign-in')).json).toMatchObject({ user: 'p-bob', via: 'sign-in', folder: '/' });
  expect((await other.ask('PUT', '/api/v1/files/a', { body: Buffer.from('x') })).status).toBe(201);
  expect((await other.ask('DELETE', '/api/v1/sign-in')).status).toBe(204);
  expect((await other.ask('GET', '/api/v1/sign-in')).status).toBe(401);
});

it('somebody whom no rule fits is not', async () => {
  const client = server.connect();
  const { location, cookie } = await begin(client);
  const back = await comeBack(client, await throughProvider(location, 'stranger'), cookie);
  expect(back).toMatchObject({ status: 303, headers: { location: '/?sign-in=refused' } });
  expect(cookiesOf(back)).toEqual(['__Host-ftps-elsewhere=']);
  expect(server.audit.of('login').at(-1)).toMatchObject({ outcome: 'failure', login: 'stranger', reason: 'no-rule-matches' });
});

it('a way back is good once, in the browser that began it, and leads nowhere but to the page', async () => {
  const [mine, victim] = [server.connect(), server.connect()];
  const own = await begin(mine);
  const path = await throughProvider(own.location, 'ann');
  const theirs = await begin(victim);
  const tries: readonly (readonly [string, string | undefined])[] = [
    [path, undefined],
    // Login CSRF: the code of one in the browser of another.
    [path, theirs.cookie],
    [path.replace(/state=[^&]*/, `state=${new URL(theirs.location).searchParams.get('state')}`), theirs.cookie],
    [path.replace(/state=0\./, 'state=1.'), own.cookie],
    [path.replace(/state=0\.\d+/, 'state=0.1'), own.cookie],
    [path, `${own.cookie}; ${theirs.cookie}`],
    [path.replace(/iss=[^&]*/, 'iss=https%3A%2F%2Fevil.example'), own.cookie],
    [path.replace(/&?iss=[^&]*/, ''), own.cookie],
    [path.replace(/code=[^&]*/, 'code=made-up'), own.cookie],
    ['/api/v1/sign-in/callback?error=access_denied&location=https://evil.example', own.cookie],
  ];
  for (const [url, cookie] of tries) {
    const answer = await comeBack(server.connect(), url, cookie);
    expect([url, answer.status, answer.headers['location']]).toEqual([url, 303, '/?sign-in=refused']);
    expect(cookiesOf(answer).join()).not.toContain('__Host-ftps=');
  }
  expect((await comeBack(mine, path, own.cookie)).headers['location']).toBe('/');
  expect((await comeBack(mine, path, own.cookie)).headers['location']).toBe('/?sign-in=refused');
});

it('the cookie of before is not the one of the sign-in (fixation), and the way there is not one either', async () => {
  const client = server.connect();
  const fixed = `__Host-ftps=${'a'.repeat(43)}`;
  const { location, cookie } = await begin(client);
  const back = await comeBack(client, await throughProvider(location, 'ann'), `${fixed}; ${cookie}`);
  expect(cookiesOf(back)[0]).not.toBe(fixed);
  client.cookie = `__Host-ftps=${cookie.split('=')[1]}`;
  expect((await client.ask('GET', '/api/v1/sign-in')).status).toBe(401);
});

it('codes that somebody makes up keep nobody else from coming back', async () => {
  const honest = server.connect({ localAddress: '127.0.0.2' });
  const own = await begin(honest);
  const path = await throughProvider(own.location, 'ann');
  const strangers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const client = server.connect();
      const { location, cookie } = await begin(client);
      return {
        client,
        cookie,
        path: `/api/v1/sign-in/callback?code=made-up&state=${new URL(location).searchParams.get('state')}&iss=${encodeURIComponent(issuer)}`,
      };
    }),
  );
  provider.pause();
  const made = strangers.map(({ client, cookie, path: theirs }) => comeBack(client, theirs, cookie));
  // They have all come when others were answered that were sent behind them.
  for (let asked = 0; asked < 3; asked += 1) await honest.ask('GET', '/api/v1/sign-in/ways');
  const back = comeBack(honest, path, own.cookie);
  for (let asked = 0; asked < 3; asked += 1) await server.connect().ask('GET', '/api/v1/sign-in/ways');
  provider.goOn();
  expect((await back).headers['location']).toBe('/');
  for (const one of await Promise.all(made)) expect(one.headers['location']).toMatch(/^\/\?sign-in=/);
});
