/** Tokens of issuers, with everything that somebody who has none may try. */
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportSPKI, importJWK } from 'jose';
import { issuerKey, TestIssuer } from '../support/issuer';
import { type HttpsServed, httpsServed } from './served';

let issuer: TestIssuer;
let other: TestIssuer;
let server: HttpsServed;
beforeAll(async () => {
  [issuer, other] = await Promise.all([TestIssuer.open(), TestIssuer.open()]);
  const rules = [
    { claims: [{ name: 'repository', value: 'acme/reports' }], user: 'demo', scopes: ['read' as const], folder: '/out' },
    { claims: [{ name: 'scope', value: 'files.write' }], user: '{client_id}' },
    {
      claims: [{ name: 'realm_access.roles', value: 'partner' }],
      user: 'p-{sub}',
      account: { home: '/partners/{user}/{https://acme.example/team}', permissions: ['read' as const, 'list' as const, 'write' as const], maxSessions: 1 },
    },
  ];
  server = await httpsServed(
    {
      https: {
        issuers: [
          { issuer: issuer.url, audience: ['files', 'other-name'], ca: issuer.ca, rules },
          {
            issuer: other.url,
            audience: ['files'],
            ca: other.ca,
            jwksUri: `${other.url}/keys`,
            rules: [{ claims: [{ name: 'sub', value: 'robot' }], user: 'poor' }],
          },
        ],
      },
      limits: { lockout: { failuresPerAddress: 3 } },
    },
    [
      { user: 'demo' },
      { user: 'poor', permissions: ['list'] },
      { user: 'gone', enabled: false },
      { user: 'certain', clientCertificate: 'required', certificates: [{ kind: 'subject', commonName: 'x' }] },
      { user: 'far', allowedNetworks: ['192.0.2.0/24'] },
      { user: 'p-taken' },
    ],
  );
});
afterAll(() => Promise.all([server.close(), issuer.close(), other.close()]));

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const who = (token: string, client = server.connect()) => client.ask('GET', '/api/v1/sign-in', bearer(token));
const lastLogin = () => server.audit.of('login').at(-1);
const ci = { repository: 'acme/reports', sub: 'repo:acme/reports:ref:refs/heads/main' };
const partner = (sub: string, more = {}) => ({ sub, realm_access: { roles: ['x', 'partner'] }, 'https://acme.example/team': 'blue', ...more });

it('a token comes in as the account of the first rule that fits, with what the rule leaves of it, once for a connection in the audit', async () => {
  const client = server.connect();
  const token = await issuer.sign(ci);
  const before = server.audit.of('login').length;
  for (let count = 0; count < 3; count += 1)
    expect((await who(token, client)).json).toEqual({ user: 'demo', via: 'token', permissions: ['read', 'list'], folder: '/out', links: [] });
  expect(server.audit.of('login')).toHaveLength(before + 1);
  expect(lastLogin()).toMatchObject({ outcome: 'success', login: 'demo', method: 'jwt', source: issuer.url, token: ci.sub });
  expect((await client.ask('GET', '/api/v1/folders', bearer(token))).status).toBe(403);
  expect((await client.ask('PUT', '/api/v1/files/out/x', { ...bearer(token), body: Buffer.from('x') })).status).toBe(403);
});

it.each(['RS256', 'PS512', 'ES384', 'EdDSA'])('is taken with a signature by %s, and as an access token of RFC 9068', async (alg) => {
  const key = await issuerKey(`by-${alg}`, alg);
  const fresh = await TestIssuer.open();
  fresh.keys = [key];
  const own = await httpsServed({
    https: { issuers: [{ issuer: fresh.url, audience: ['files'], ca: fresh.ca, rules: [{ claims: [{ name: 'sub', value: 'a' }], user: 'demo' }] }] },
  });
  const answer = await own.connect().ask('GET', '/api/v1/sign-in', bearer(await fresh.sign({ sub: 'a' }, { key, header: { typ: 'application/at+jwt' } })));
  expect(answer.json).toMatchObject({ user: 'demo' });
  await Promise.all([own.close(), fresh.close()]);
});

it('the account of a rule has the home that the rule says, and nothing of what it does not', async () => {
  const client = server.connect();
  const token = await issuer.sign(partner('42'));
  expect((await who(token, client)).json).toEqual({ user: 'p-42', via: 'token', permissions: ['read', 'list', 'write'], folder: '/', links: [] });
  expect((await client.ask('PUT', '/api/v1/files/a', { ...bearer(token), body: Buffer.from('x') })).status).toBe(201);
  expect(readFileSync(join(server.files, 'partners/p-42/blue/a'), 'utf8')).toBe('x');
  expect((await client.ask('DELETE', '/api/v1/files/a', bearer(token))).status).toBe(403);
  expect((await who(await issuer.sign(partner('42', { iat: 1 })))).status).toBe(429);
});

it.each([
  ['that leads out of it', { 'https://acme.example/team': '..' }],
  ['with a slash', { 'https://acme.example/team': 'a/b' }],
  ['that is missing', { 'https://acme.example/team': undefined }],
  ['with several values', { 'https://acme.example/team': ['a', 'b'] }],
  ['that is an object', { 'https://acme.example/team': { toString: 'a' } }],
])('a claim %s names no folder', async (_, more) => {
  expect((await who(await issuer.sign(partner('43', more)))).status).toBe(401);
  expect(lastLogin()).toMatchObject({ reason: 'no-rule-matches' });
});

it.each([
  ['of an account that is disabled', 'gone', 'account-disabled'],
  ['of an account that needs a certificate', 'certain', 'certificate-required'],
  ['of an account from elsewhere', 'far', 'address-not-allowed'],
  ['of an account that is not there', 'nobody', 'unknown-user'],
  ['whose name is none', '../demo', 'no-rule-matches'],
])('a token %s is refused', async (_, client_id, reason) => {
  expect((await who(await issuer.sign({ scope: 'openid files.write', client_id }))).status).toBe(401);
  expect(lastLogin()).toMatchObject({ outcome: 'failure', reason });
});

it('never more than its account may, and not under the name of an account that somebody else has', async () => {
  expect((await who(await other.sign({ sub: 'robot' }))).json).toMatchObject({ user: 'poor', permissions: ['list'] });
  expect((await who(await issuer.sign(partner('taken')))).status).toBe(401);
  expect(lastLogin()).toMatchObject({ reason: 'ambiguous' });
});

const now = () => Math.floor(Date.now() / 1000);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

it.each<[string, () => Promise<string>, string]>([
  ['with no signature', async () => `${part({ alg: 'none' })}.${(await issuer.sign(ci)).split('.')[1]}.x`, 'token-not-valid'],
  [
    'signed with the public key as a secret',
    async () => {
      const pem = await exportSPKI((await importJWK(issuer.keys[0]!.jwk as never, 'ES256')) as never);
      const text = `${part({ alg: 'HS256', kid: 'first' })}.${(await issuer.sign(ci)).split('.')[1]}`;
      return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
    },
    'token-not-valid',
  ],
  ['signed by another key under the same name', async () => issuer.sign(ci, { key: await issuerKey('first') }), 'token-not-valid'],
  [
    'that brings its own key',
    async () => {
      const key = await issuerKey('mine');
      return issuer.sign(ci, { key, header: { jwk: key.jwk as never, jku: `${other.url}/keys`, x5u: `${other.url}/x` } as never });
    },
    'token-not-valid',
  ],
  ['whose key has the name of a path', async () => issuer.sign(ci, { header: { kid: '../../../dev/null' } }), 'token-not-valid'],
  [
    'whose payload was changed',
    async () => (await issuer.sign(ci)).replace(/\.[^.]+\./, `.${part({ iss: issuer.url, aud: 'files', exp: now() + 60, ...ci })}.`),
    'token-not-valid',
  ],
  ['with something critical that nobody knows', () => issuer.sign(ci, { header: { crit: ['x'], x: 1 } as never }), 'token-not-valid'],
  ['for somebody else', () => issuer.sign({ ...ci, aud: 'another' }), 'wrong-audience'],
  ['for several others', () => issuer.sign({ ...ci, aud: ['another', 'file', 'files '] }), 'wrong-audience'],
  ['for nobody', () => issuer.sign({ ...ci, aud: undefined }), 'wrong-audience'],
  ['of an issuer that nobody named', () => issuer.sign({ ...ci, iss: 'https://evil.example' }), 'unknown-issuer'],
  ['of one issuer under the name of another', () => other.sign({ ...ci, iss: issuer.url }), 'token-not-valid'],
  ['of an issuer whose name is spelled otherwise', () => issuer.sign({ ...ci, iss: `${issuer.url}/` }), 'unknown-issuer'],
  ['that has expired', () => issuer.sign({ ...ci, exp: now() - 61 }), 'token-expired'],
  ['that never expires', () => issuer.sign({ ...ci, exp: undefined }), 'token-not-valid'],
  ['that is not good yet', () => issuer.sign({ ...ci, nbf: now() + 120 }), 'token-not-valid'],
  ['that was made tomorrow', () => issuer.sign({ ...ci, iat: now() + 120 }), 'token-not-valid'],
  ['that was made for something else', () => issuer.sign(ci, { header: { typ: 'logout+jwt' } }), 'token-not-valid'],
  ['that is tied to a key', () => issuer.sign({ ...ci, cnf: { jkt: 'x' } }), 'token-not-valid'],
  ['that is tied to a certificate', () => issuer.sign({ ...ci, cnf: { 'x5t#S256': 'x' } }), 'token-not-valid'],
  ['whom no rule fits', () => issuer.sign({ repository: 'acme/reports2' }), 'no-rule-matches'],
  ['whose claim is inherited', () => issuer.sign({ constructor: 'acme/reports' }), 'no-rule-matches'],
])('a token %s is refused, with the words of every refusal, and locks nobody out', async (_, made, reason) => {
  expect(await who(await made())).toMatchObject({ status: 401, json: { code: 'refused', title: 'Sign in first, or send a token.' } });
  expect(lastLogin()).toMatchObject({ outcome: 'failure', reason });
  expect(server.audit.of('lockout')).toHaveLength(0);
});

it('clocks may be a minute apart', async () => {
  expect((await who(await issuer.sign({ ...ci, exp: now() - 30, iat: now() + 30, nbf: now() + 30 }))).status).toBe(200);
});

it('however many tokens with unknown keys come, the issuer is asked for its keys twice a minute at most', async () => {
  for (let count = 0; count < 5; count += 1) await who(await issuer.sign(ci, { header: { kid: `new-${count}` } }));
  expect(issuer.asked.filter((url) => url === '/keys').length).toBeLessThanOrEqual(2);
});

it('an account that was changed is looked at anew with the next request', async () => {
  const client = server.connect();
  const token = await issuer.sign({ scope: 'files.write', client_id: 'poor' });
  expect((await who(token, client)).json.permissions).toEqual(['list']);
  const file = join(server.folder, 'accounts.json');
  const content = JSON.parse(readFileSync(file, 'utf8'));
  content.accounts[1].enabled = false;
  writeFileSync(file, JSON.stringify(content));
  await server.audit.next('configuration', ({ what, change }) => what === 'accounts' && change === 'reloaded');
  expect((await who(token, client)).status).toBe(401);
});
