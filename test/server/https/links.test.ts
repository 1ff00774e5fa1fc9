import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../../../server/files/account-files';
import { OneAccount } from '../../../server/files/one-account';
import { digestOf, newToken, writeToken } from '../../../server/identity/token';
import { secret } from '../support/written';
import { type Answer, type HttpsClient, type HttpsServed, httpsServed } from './served';

const token = newToken('demo');
const kept = { id: token.id, sha256: digestOf(token.secret), scopes: ['read', 'write'], folder: '/inbox' };
const bearer = { authorization: `Bearer ${secret(writeToken(token))}` };
const poor = newToken('poor');

const accounts = [
  { user: 'demo', tokens: [kept] },
  {
    user: 'poor',
    home: '/poor',
    permissions: ['list', 'read'],
    tokens: [{ ...kept, id: poor.id, sha256: digestOf(poor.secret), scopes: ['read'], folder: '/' }],
  },
  { user: 'few', home: '/few' },
  { user: 'near', home: '/near', allowedNetworks: ['127.0.0.0/8'] },
  { user: 'fleeting', home: '/fleeting' },
  { user: 'alone', maxSessions: 1 },
];

let server: HttpsServed;
let client: HttpsClient;
beforeAll(async () => {
  server = await httpsServed(
    {
      https: { links: { defaultSeconds: 604_800, maxSeconds: 2_592_000, perAccount: 4, mostUses: 50 } },
      limits: { lockout: { failuresPerAccount: 3, failuresPerAddress: 100 } },
    },
    accounts,
  );
  client = await server.signedIn();
  for (const name of ['inbox', 'poor', 'few', 'near', 'fleeting']) mkdirSync(join(server.files, name));
  writeFileSync(join(server.files, 'report.txt'), 'all of it');
});
afterAll(() => server.close());

const file = (name: string) => join(server.files, name);
const make = (body: object, as: HttpsClient = client, headers = {}) => as.ask('POST', '/api/v1/links', { body, headers });
/** Of the API, for a link that was made. */
const at = ({ json }: Answer) => `/api/v1/shared/${secret(new URL(json.url).pathname.slice('/l/'.length))}`;
const revokeAll = async (as = client) => {
  for (const { id } of (await as.ask('GET', '/api/v1/links')).json.links) await as.ask('DELETE', `/api/v1/links/${id}`);
};
afterEach(() => revokeAll());

it('a link downloads one file for who has no account, as often as was said, and nothing else', async () => {
  const made = await make({ kind: 'download', path: '/report.txt', uses: 2, title: 'For you' });
  expect(made).toMatchObject({
    status: 201,
    json: { id: expect.stringMatching(/^[a-z2-7]{13}$/), kind: 'download', path: '/report.txt', uses: 2, used: 0, hasPassword: false },
  });
  const stranger = server.connect();
  expect(await stranger.ask('GET', at(made))).toMatchObject({
    status: 200,
    json: { kind: 'download', name: 'report.txt', size: 9, title: 'For you', left: 2 },
  });
  expect((await stranger.ask('HEAD', `${at(made)}/file`)).headers['content-length']).toBe('9');
  const got = await stranger.ask('GET', `${at(made)}/file`);
  expect(got).toMatchObject({ status: 200, headers: { 'referrer-policy': 'no-referrer', 'content-disposition': expect.stringContaining('report.txt') } });
  expect(got.body.toString()).toBe('all of it');
  expect((await stranger.ask('GET', `${at(made)}/file`, { headers: { range: 'bytes=4-' } })).body.toString()).toBe('of it');
  expect(await stranger.ask('GET', `${at(made)}/file`)).toMatchObject({ status: 410, json: { code: 'link-used' } });
  expect((await stranger.ask('PUT', `${at(made)}/files/x`, { body: Buffer.from('x') })).json.code).toBe('kind');
  for (const path of ['/api/v1/folders', '/api/v1/files/report.txt', '/api/v1/links']) expect((await stranger.ask('GET', path)).status).toBe(401);
  expect((await client.ask('GET', '/api/v1/links')).json.links).toMatchObject([{ id: made.json.id, used: 2 }]);
});

it('whoever signs in is told which links can be made: those of the account’s rights, and none where its rights can not be looked at again', async () => {
  const makes = async (one: HttpsClient, headers = {}) => (await one.ask('GET', '/api/v1/sign-in', { headers })).json.links;
  expect((await server.connect().signIn()).json.links).toEqual(['download', 'drop']);
  expect(await makes(client)).toEqual(['download', 'drop']);
  expect(await makes(await server.signedIn('poor'))).toEqual(['download']);
  expect(await makes(server.connect(), bearer)).toEqual(['download', 'drop']);
  expect(await makes(server.connect(), { authorization: `Bearer ${secret(writeToken(poor))}` })).toEqual(['download']);
  const off = await httpsServed();
  expect(await makes(await off.signedIn())).toEqual([]);
  await off.close();
});

it('a download that can not be begun is no use of it', async () => {
  const made = await make({ kind: 'download', path: '/report.txt', uses: 1 });
  const stranger = server.connect();
  const broken = jest.spyOn(OneAccount.prototype, 'openDownload').mockRejectedValueOnce(new StorageError('unavailable', 'The storage is away.'));
  expect((await stranger.ask('GET', `${at(made)}/file`)).status).toBe(503);
  broken.mockRestore();
  expect(await stranger.ask('GET', at(made))).toMatchObject({ json: { left: 1 } });
  expect((await stranger.ask('GET', `${at(made)}/file`)).body.toString()).toBe('all of it');
});

it('a download that was begun in time goes on when the link is over, and the next request is too late', async () => {
  writeFileSync(file('large'), Buffer.alloc(16 * 1024 * 1024, 'x'));
  const made = await make({ kind: 'download', path: '/large', uses: 2 });
  const socket = await server.socket();
  socket.write(`GET ${at(made)}/file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await once(socket, 'readable');
  await revokeAll();
  let bytes = 0;
  for await (const chunk of socket) bytes += (chunk as Buffer).length;
  expect(bytes).toBeGreaterThan(16 * 1024 * 1024);
  expect((await server.connect().ask('GET', `${at(made)}/file`)).status).toBe(404);
});

it('its secret is in no line of the audit, nor at rest; its id is in those of making, coming, using and revoking', async () => {
  const made = await make({ kind: 'download', path: '/report.txt' });
  const [id, hidden = ''] = at(made).split('/').at(-1)!.split('.');
  const stranger = server.connect();
  await stranger.ask('GET', `${at(made)}/file`);
  await stranger.ask('GET', `${at(made)}/file`);
  await stranger.ask('GET', `/api/v1/shared/${hidden}/file`);
  expect((await client.ask('DELETE', `/api/v1/links/${id}`)).status).toBe(204);
  expect(await stranger.ask('GET', at(made))).toMatchObject({ status: 404, json: { code: 'not-found' } });
  for (const command of ['LINK', 'USE', 'UNLINK'])
    expect(server.audit.of('command').filter((one) => one.command === command && one.argument === id)).toMatchObject([{ path: '/report.txt', user: 'demo' }]);
  expect(server.audit.of('login').find(({ link }) => link === id)).toMatchObject({ outcome: 'success', method: 'link', user: 'demo' });
  expect(JSON.stringify(server.audit.events)).not.toContain(hidden);
  const notes = readdirSync(file('.ftps-notes'), { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  expect(notes.map((one) => readFileSync(join(one.parentPath, one.name), 'utf8') + one.name).join()).not.toContain(hidden);
});

it('many who use it at once share its uses, whichever connection they have', async () => {
  const made = await make({ kind: 'download', path: '/report.txt', uses: 3 });
  const all = await Promise.all(Array.from({ length: 8 }, () => server.connect().ask('GET', `${at(made)}/file`)));
  expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 200, 410, 410, 410, 410, 410]);
});

it('a drop folder takes what comes under a name that is free, and shows nothing of what is there', async () => {
  const made = await make({ kind: 'drop', path: '/inbox', uses: 3 });
  writeFileSync(file('inbox/taken.txt'), 'mine');
  const stranger = server.connect();
  expect((await stranger.ask('GET', at(made))).json).toEqual({ kind: 'drop', title: '', expires: expect.any(String), left: 3 });
  const put = (name: string, text: string) => stranger.ask('PUT', `${at(made)}/files/${encodeURIComponent(name)}`, { body: Buffer.from(text) });
  expect(await put('taken.txt', 'theirs')).toMatchObject({ status: 201, json: { name: 'taken.txt', size: 6, held: false } });
  expect(readFileSync(file('inbox/taken.txt'), 'utf8')).toBe('mine');
  expect(readFileSync(file('inbox/taken (2).txt'), 'utf8')).toBe('theirs');
  expect((await put('../outside', 'x')).status).toBe(400);
  expect((await put('a/b', 'x')).status).toBe(400);
  expect((await put('.ftps-notes', 'x')).status).toBe(400);
  expect((await stranger.ask('GET', at(made))).json.left).toBe(2);
  for (const path of [`${at(made)}/file`, '/api/v1/folders/inbox', '/api/v1/files/inbox/taken.txt'])
    expect((await stranger.ask('GET', path)).status).not.toBe(200);
});

it('an upload into a drop folder goes on after a lost connection; one that is given up is no use', async () => {
  const made = await make({ kind: 'drop', path: '/inbox' });
  const stranger = server.connect();
  const tus = { 'tus-resumable': '1.0.0' };
  const begin = () =>
    stranger.ask('POST', `${at(made)}/uploads`, {
      headers: { ...tus, 'upload-length': '6', 'upload-metadata': `filename ${Buffer.from('parts').toString('base64')}` },
    });
  const given = await begin();
  expect(given).toMatchObject({ status: 201, headers: { location: expect.stringMatching(/^\/api\/v1\/shared\/\S+\/uploads\/0-/) } });
  expect((await begin()).json.code).toBe('link-used');
  expect((await client.ask('HEAD', given.headers['location']!.replace(/^.*\/uploads/, '/api/v1/uploads'), { headers: tus })).status).toBe(404);
  expect((await stranger.ask('DELETE', given.headers['location']!, { headers: tus })).status).toBe(204);
  const begun = await begin();
  const patch = (offset: number, text: string, as = stranger) =>
    as.ask('PATCH', begun.headers['location']!, {
      body: Buffer.from(text),
      headers: { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
    });
  expect((await patch(0, 'abc')).status).toBe(204);
  expect((await server.connect().ask('HEAD', begun.headers['location']!, { headers: tus })).headers['upload-offset']).toBe('3');
  expect((await patch(3, 'def', server.connect())).status).toBe(204);
  expect(readFileSync(file('inbox/parts'), 'utf8')).toBe('abcdef');
});

it('uploads that are begun and left by the links of one account take their own places, and none of those of others', async () => {
  const tus = { 'tus-resumable': '1.0.0', 'upload-length': '6' };
  const begin = (to: string, place: string, as: HttpsClient) =>
    as.ask('POST', to, { headers: { ...tus, 'upload-metadata': `${place} ${Buffer.from(randomBytes(6).toString('hex')).toString('base64')}` } });
  const stranger = server.connect();
  const begun: string[] = [];
  for (let link = 0; link < 3; link += 1) {
    const made = await make({ kind: 'drop', path: '/inbox', uses: 32 });
    for (let one = 0; one < (link < 2 ? 32 : 1); one += 1) {
      const answer = await begin(`${at(made)}/uploads`, 'filename', stranger);
      expect(answer.status).toBe(link < 2 ? 201 : 429);
      begun.push(answer.headers['location'] ?? '');
    }
  }
  expect((await begin('/api/v1/uploads', 'path', client)).status).toBe(201);
  for (const one of begun.filter(Boolean)) await stranger.ask('DELETE', one, { headers: { 'tus-resumable': '1.0.0' } });
});

it('a password is asked for, by a cookie for browsers and by Basic for programs, and guessing locks out', async () => {
  const password = secret('tell them by phone');
  const made = await make({ kind: 'download', path: '/report.txt', password, uses: 5 });
  expect(made.json.hasPassword).toBe(true);
  const stranger = server.connect();
  expect(await stranger.ask('GET', at(made))).toMatchObject({ status: 403, json: { code: 'link-password' } });
  const basic = (text: string) => ({ headers: { authorization: `Basic ${Buffer.from(`link:${text}`).toString('base64')}` } });
  expect((await stranger.ask('GET', `${at(made)}/file`, basic(password))).status).toBe(200);
  const unlocked = await stranger.ask('POST', `${at(made)}/unlock`, { body: { password } });
  const [cookie = ''] = unlocked.headers['set-cookie'] as unknown as string[];
  expect(cookie).toMatch(/^__Secure-ftps-link=\d+\.[\w-]{43}; Path=\/api\/v1\/shared\/\S+; Max-Age=43200; Secure; HttpOnly; SameSite=Strict$/);
  const opened = { headers: { cookie: secret(cookie.split(';', 1)[0]!) } };
  expect((await server.connect().ask('GET', `${at(made)}/file`, opened)).status).toBe(200);
  const other = await make({ kind: 'download', path: '/report.txt', password });
  expect((await server.connect().ask('GET', at(other), opened)).status).toBe(403);
  for (let count = 0; count < 3; count += 1)
    expect((await server.connect().ask('POST', `${at(made)}/unlock`, { body: { password: 'wrong' } })).status).toBe(403);
  expect(await server.connect().ask('GET', `${at(made)}/file`, opened)).toMatchObject({ status: 429, json: { code: 'locked-out' } });
  // Neither another link nor the account is.
  expect((await server.connect().ask('GET', at(other), basic(password))).status).toBe(200);
  expect((await server.connect().signIn()).status).toBe(201);
  expect(server.audit.of('lockout').at(-1)).toMatchObject({ scope: 'account', login: `link ${made.json.id}` });
});

it('who makes one needs the right himself, within the bounds of the settings', async () => {
  const few = await server.signedIn('few');
  writeFileSync(file('few/file'), 'x');
  expect((await make({ kind: 'download', path: '/file', seconds: 2_592_001 }, few)).json.code).toBe('too-long');
  expect((await make({ kind: 'download', path: '/file', uses: 51 }, few)).json.code).toBe('too-many-uses');
  expect((await make({ kind: 'download', path: '/missing' }, few)).status).toBe(404);
  expect((await make({ kind: 'download', path: '/' }, few)).json.code).toBe('is-directory');
  expect((await make({ kind: 'drop', path: '/file' }, few)).json.code).toBe('not-directory');
  expect((await make({ kind: 'download', path: '/file', password: 'short' }, few)).status).toBe(400);
  for (let count = 0; count < 4; count += 1) expect((await make({ kind: 'download', path: '/file' }, few)).status).toBe(201);
  expect((await make({ kind: 'download', path: '/file' }, few)).json.code).toBe('too-many');
  writeFileSync(file('poor/file'), 'x');
  expect((await make({ kind: 'drop', path: '/' }, await server.signedIn('poor'))).json.code).toBe('denied');
  const program = server.connect();
  expect((await make({ kind: 'download', path: '/report.txt' }, program, bearer)).status).toBe(403);
  expect((await make({ kind: 'drop', path: '/inbox' }, program, bearer)).json).toMatchObject({ token: token.id });
  await make({ kind: 'download', path: '/report.txt' });
  expect((await program.ask('GET', '/api/v1/links', { headers: bearer })).json.links).toHaveLength(1);
  const own = await httpsServed();
  expect((await make({ kind: 'drop', path: '/' }, await own.signedIn())).json.code).toBe('off');
  await own.close();
});

it('a link is dead when its account is changed, when what it needs is taken away, and with the token that made it', async () => {
  const reload = async (changed: readonly object[]) => {
    const before = server.audit.of('configuration').length;
    const written = JSON.parse(readFileSync(join(server.folder, 'accounts.json'), 'utf8')).accounts;
    const all = written.map((one: { user: string }) => ({ ...one, ...changed.find((other) => (other as { user: string }).user === one.user) }));
    writeFileSync(join(server.folder, 'accounts.json'), JSON.stringify({ accounts: all }));
    await server.audit.next('configuration', () => server.audit.of('configuration').length > before);
  };
  writeFileSync(file('fleeting/file'), 'x');
  const [byToken, bySignIn] = [
    await make({ kind: 'drop', path: '/inbox' }, server.connect(), bearer),
    await make({ kind: 'download', path: '/file' }, await server.signedIn('fleeting')),
  ];
  const stranger = server.connect();
  for (const one of [byToken, bySignIn]) expect((await stranger.ask('GET', at(one))).status).toBe(200);
  await reload([
    { user: 'demo', tokens: [] },
    { user: 'fleeting', permissions: ['list'] },
  ]);
  for (const one of [byToken, bySignIn]) expect(await stranger.ask('GET', at(one))).toMatchObject({ status: 410, json: { code: 'link-over' } });
  expect(server.audit.of('login').at(-1)).toMatchObject({ outcome: 'failure', reason: 'link-over' });
  await reload([{ user: 'demo', tokens: [kept] }]);
});

it('a link ends with its time, and its file', async () => {
  writeFileSync(file('goes'), randomBytes(10));
  const made = await make({ kind: 'download', path: '/goes' });
  await client.ask('DELETE', '/api/v1/files/goes');
  const stranger = server.connect();
  expect(await stranger.ask('GET', at(made))).toMatchObject({ status: 410, json: { code: 'link-over' } });
  expect((await stranger.ask('GET', `${at(made)}/file`)).status).toBe(410);
  writeFileSync(file('goes'), 'again');
  const path = file(`.ftps-notes/links/${made.json.id}`);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), expires: new Date(Date.now() - 1).toISOString() }));
  expect((await stranger.ask('GET', at(made))).json.code).toBe('link-over');
  expect(existsSync(path)).toBe(true);
});

it('networks of the account bind its links as well', async () => {
  const near = await server.signedIn('near');
  writeFileSync(file('near/file'), 'x');
  const made = await make({ kind: 'download', path: '/file' }, near);
  const record = file(`.ftps-notes/links/${made.json.id}`);
  expect(existsSync(record)).toBe(true);
  expect((await server.connect().ask('GET', at(made))).status).toBe(200);
});

it('who has a link takes no place of its account, and all links of an account have as many as it has', async () => {
  const owner = await server.signedIn('alone');
  const made = await make({ kind: 'download', path: '/report.txt' }, owner);
  await owner.ask('DELETE', '/api/v1/sign-in');
  const [first, second] = [server.connect(), server.connect()];
  expect((await first.ask('GET', at(made))).status).toBe(200);
  expect(await second.ask('GET', at(made))).toMatchObject({ status: 429, json: { code: 'too-many-sessions' } });
  const again = await server.signedIn('alone');
  first.close();
  await server.audit.next('connection-closed');
  while ((await second.ask('GET', at(made))).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
  await revokeAll(again);
});

it('the page of a link comes to everybody, and has nothing of the link in it', async () => {
  const { status, headers, body } = await server.connect().ask('GET', '/l/anything', { headers: { 'sec-fetch-site': 'cross-site' } });
  expect([status, headers['referrer-policy'], headers['content-security-policy']]).toEqual([200, 'no-referrer', expect.stringContaining("default-src 'none'")]);
  expect(body.toString()).not.toContain('anything');
});
