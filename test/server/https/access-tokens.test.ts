/** Short-lived tokens of OAuth 2.0, for programs that have a token. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicHalfOf, writeAccessToken } from '../../../server/identity/access-token';
import { digestOf, newToken, type Token, writeToken } from '../../../server/identity/token';
import { secret } from '../support/written';
import { type HttpsServed, httpsServed } from './served';

const kept = ({ id, secret: own }: Token, more = {}) => ({ id, sha256: digestOf(own), key: publicHalfOf(own), scopes: ['read', 'write'], ...more });
const [both, reading, early] = [newToken('demo'), newToken('demo'), newToken('demo')];
for (const token of [both, reading, early]) secret(writeToken(token));

let server: HttpsServed;
let other: HttpsServed;
beforeAll(async () => {
  const accounts = [{ user: 'demo', tokens: [kept(both, { folder: '/in' }), kept(reading, { scopes: ['read'] }), { ...kept(early), key: undefined }] }];
  server = await httpsServed({ limits: { lockout: { failuresPerAddress: 3 } } }, accounts);
  other = await httpsServed({}, accounts);
});
afterAll(() => Promise.all([server.close(), other.close()]));

const form = (fields: Record<string, string>) => Buffer.from(new URLSearchParams(fields).toString());
const basic = (id: string, text: string) => `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(text)}`).toString('base64')}`;
const grant = (fields: Record<string, string>, authorization?: string, client = server.connect()) =>
  client.ask('POST', '/api/v1/token', {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...(authorization ? { authorization } : {}) },
    body: form({ grant_type: 'client_credentials', ...fields }),
  });
const who = (token: string, at = server) => at.connect().ask('GET', '/api/v1/sign-in', { headers: { authorization: `Bearer ${token}` } });
const tokenOf = async (fields: Record<string, string> = {}, token = both) =>
  secret((await grant(fields, basic(token.id, writeToken(token)))).json.access_token as string);

it('what was answered to a key is not for a token of the same that may do less', async () => {
  mkdirSync(join(server.files, 'in'), { recursive: true });
  const make = async (token: string) =>
    server.connect().ask('PUT', '/api/v1/folders/in/keyed', { headers: { authorization: `Bearer ${token}`, 'idempotency-key': '1' } });
  expect((await make(writeToken(both))).status).toBe(201);
  expect((await make(writeToken(both))).headers['idempotency-replayed']).toBe('?1');
  expect((await make(await tokenOf({ scope: 'read' }))).status).toBe(403);
});

it.each([
  ['by Basic, under the id of the token', () => grant({}, basic(both.id, writeToken(both)))],
  ['by Basic, under the name of the account', () => grant({}, basic('demo', writeToken(both)))],
  ['in the form', () => grant({ client_id: 'demo', client_secret: writeToken(both) })],
])('a client is answered a token for a quarter of an hour, %s', async (_, ask) => {
  const { status, headers, json } = await ask();
  expect({ status, json }).toEqual({
    status: 200,
    json: { access_token: expect.stringMatching(/^ftpsa_/), token_type: 'Bearer', expires_in: 900, scope: 'read write' },
  });
  expect(headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
  secret(json.access_token);
  expect((await who(json.access_token)).json).toMatchObject({ user: 'demo', via: 'token', folder: '/in' });
  expect(server.audit.of('login').at(-1)).toMatchObject({ outcome: 'success', method: 'token', token: both.id });
});

it('it is good on other workers and instances, which know the account and nothing of it', async () => {
  expect((await who(await tokenOf(), other)).json).toMatchObject({ user: 'demo' });
});

it('it is good for what was asked for, and for no more than the token', async () => {
  expect((await who(await tokenOf({ scope: 'read' }))).json.permissions).toEqual(['read', 'list']);
  expect((await grant({ scope: 'write' }, basic('demo', writeToken(reading)))).json).toMatchObject({ error: 'invalid_scope' });
  for (const scope of ['admin', 'read admin', '', ' '])
    expect((await grant({ scope }, basic('demo', writeToken(both)))).json).toMatchObject({ error: 'invalid_scope' });
  // Who has the secret may sign whatever he likes: it is held against the token all the same.
  expect((await who(secret(writeAccessToken(reading, ['read', 'write'], Date.now() + 60_000)))).json.permissions).toEqual(['read', 'list']);
});

it.each<[string, () => Promise<string>]>([
  ['that is over', async () => writeAccessToken(both, ['read'], Date.now() - 1_000)],
  ['with other scopes', async () => (await tokenOf({ scope: 'read' })).replace('.r.', '.rw.')],
  ['with another end', async () => (await tokenOf()).replace(/\.[0-9a-z]+\.rw\./, '.zzzzzz.rw.')],
  ['of another token', async () => (await tokenOf()).replace(both.id, reading.id)],
  ['signed with the digest that is kept', async () => writeAccessToken({ ...both, secret: digestOf(both.secret) }, ['read'], Date.now() + 60_000)],
  ['signed with the key that is kept', async () => writeAccessToken({ ...both, secret: publicHalfOf(both.secret) }, ['read'], Date.now() + 60_000)],
  ['of a token that has no key', async () => writeAccessToken(early, ['read'], Date.now() + 60_000)],
])('one %s is refused', async (_, made) => {
  expect((await who(await made())).status).toBe(401);
  expect(server.audit.of('lockout')).toHaveLength(0);
});

it.each<[string, Record<string, string>, string | undefined, number, string]>([
  ['no client', {}, undefined, 401, 'invalid_client'],
  ['another client', { client_id: 'other', client_secret: writeToken(both) }, undefined, 401, 'invalid_client'],
  ['a client in two places', { client_id: 'demo', client_secret: writeToken(both) }, basic('demo', writeToken(both)), 401, 'invalid_client'],
  ['a wrong secret', { client_id: 'demo', client_secret: writeToken({ ...both, secret: newToken('x').secret }) }, undefined, 401, 'invalid_client'],
  ['the password of a person', {}, basic('demo', 'correct horse'), 401, 'invalid_client'],
  ['another grant', { grant_type: 'password', client_id: 'demo', client_secret: writeToken(both) }, undefined, 400, 'unsupported_grant_type'],
  ['a token without a key', { client_id: 'demo', client_secret: writeToken(early) }, undefined, 400, 'unauthorized_client'],
])('%s is an error of OAuth', async (_, fields, authorization, status, error) => {
  const answer = await grant(fields, authorization);
  expect(answer).toMatchObject({ status, json: { error } });
  if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Basic/);
});

it.each([
  ['that says no grant', 'scope=read'],
  ['that says a name twice', 'grant_type=client_credentials&scope=read&scope=write'],
])('a form %s is an error of OAuth as well', async (_, text) => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await server.connect().ask('POST', '/api/v1/token', { headers, body: Buffer.from(text) });
  expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_request' }, headers: { 'content-type': 'application/json; charset=utf-8' } });
});

it('a short-lived token makes no further one, and a connection has ten tries', async () => {
  const token = await tokenOf();
  expect((await grant({ client_id: 'demo', client_secret: token })).json).toMatchObject({ error: 'invalid_client' });
  const client = server.connect();
  const answers = [];
  for (let count = 0; count < 10; count += 1) answers.push(await grant({ client_id: 'demo', client_secret: `${count}` }, undefined, client));
  expect(answers.map(({ headers }) => headers['connection']).lastIndexOf('close')).toBe(9);
});

it('says of itself what libraries ask for', async () => {
  const { json } = await server.connect().ask('GET', '/.well-known/oauth-authorization-server');
  expect(json).toMatchObject({
    issuer: expect.stringMatching(/^https:\/\//),
    token_endpoint: `${json.issuer}/api/v1/token`,
    grant_types_supported: ['client_credentials'],
  });
});

it('ends with its token', async () => {
  const token = await tokenOf();
  const file = join(server.folder, 'accounts.json');
  const content = JSON.parse(readFileSync(file, 'utf8'));
  content.accounts[0].tokens = [];
  writeFileSync(file, JSON.stringify(content));
  await server.audit.next('configuration', ({ what, change }) => what === 'accounts' && change === 'reloaded');
  expect((await who(token)).status).toBe(401);
});
