import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HttpsClient, type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
let client: HttpsClient;
beforeAll(async () => {
  server = await httpsServed({}, [{ user: 'demo' }, { user: 'box', home: '/box', permissions: ['write'] }, { user: 'reader', permissions: ['read', 'list'] }]);
  client = await server.signedIn();
});
afterAll(() => server.close());

const files = '/api/v1/files';
const put = (name: string, body: Buffer | string = name, headers = {}) =>
  client.ask('PUT', `${files}/${name.split('/').map(encodeURIComponent).join('/')}`, { body: Buffer.from(body as string), headers });

it.each([0, 1, 5_000, 3_000_000])('%d bytes go up and come down as they were, hashed and told to the audit', async (size) => {
  const content = randomBytes(size);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const up = await put(`file-${size}`, content);
  expect(up).toMatchObject({ status: 201, json: { path: `/file-${size}`, size, sha256, held: false } });
  expect(up.headers['repr-digest']).toBe(`sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`);
  expect(await server.audit.next('transfer', ({ path, transfer }) => path === `/file-${size}` && transfer === 'upload')).toMatchObject({
    command: 'PUT',
    protocol: 'https',
    outcome: 'success',
    bytes: size,
    sha256,
    user: 'demo',
  });
  const down = await client.ask('GET', `${files}/file-${size}`);
  expect(down.status).toBe(200);
  expect(down.body.equals(content)).toBe(true);
  expect(down.headers).toMatchObject({
    etag: up.headers['etag'],
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="file-${size}"; filename*=UTF-8''file-${size}`,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  expect(down.headers['content-security-policy']).toContain('sandbox');
});

it('an upload in chunks is the same, and so is one that waits for a word', async () => {
  const body = randomBytes(200_000);
  const chunked = await client.ask('PUT', `${files}/chunked`, { body, headers: { 'transfer-encoding': 'chunked' } });
  expect(chunked).toMatchObject({ status: 201, json: { size: 200_000 } });
  const waiting = await put('waited', body, { expect: '100-continue' });
  expect(waiting.status).toBe(201);
  expect(readFileSync(join(server.files, 'waited')).equals(readFileSync(join(server.files, 'chunked')))).toBe(true);
});

it.each([
  ['bytes=0-9', 206, 'bytes 0-9/100', 0, 10],
  ['bytes=90-', 206, 'bytes 90-99/100', 90, 100],
  ['bytes=-5', 206, 'bytes 95-99/100', 95, 100],
  ['bytes=50-500', 206, 'bytes 50-99/100', 50, 100],
  ['bytes=0-1,5-6', 200, undefined, 0, 100],
  ['lines=1-2', 200, undefined, 0, 100],
])('a part: %s', async (range, status, contentRange, from, to) => {
  const content = randomBytes(100);
  writeFileSync(join(server.files, 'hundred'), content);
  const answer = await client.ask('GET', `${files}/hundred`, { headers: { range } });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-range']).toBe(contentRange);
  expect(answer.body.equals(content.subarray(from, to))).toBe(true);
});

it('a part that is not there is refused, and says how long the file is', async () => {
  await put('short', 'abc');
  const answer = await client.ask('GET', `${files}/short`, { headers: { range: 'bytes=3-' } });
  expect(answer).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */3' } });
});

it('conditions: only what has changed is sent, only what has not is replaced', async () => {
  const { etag = '' } = (await put('tagged', 'one')).headers;
  expect((await client.ask('GET', `${files}/tagged`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect((await client.ask('GET', `${files}/tagged`, { headers: { 'if-match': '"other"' } })).status).toBe(412);
  expect((await put('tagged', 'two', { 'if-none-match': '*' })).status).toBe(412);
  expect((await put('tagged', 'two', { 'if-match': '"other"' })).status).toBe(412);
  const second = await put('tagged', 'two', { 'if-match': etag });
  expect(second.status).toBe(200);
  expect(second.headers['etag']).not.toBe(etag);
  expect((await put('new-one', 'x', { 'if-none-match': '*' })).status).toBe(201);
  expect((await put('missing', 'x', { 'if-match': '*' })).status).toBe(412);
  expect((await client.ask('DELETE', `${files}/tagged`, { headers: { 'if-match': etag } })).status).toBe(412);
  expect((await client.ask('GET', `${files}/tagged`, { headers: { range: 'bytes=0-0', 'if-range': etag } })).body.toString()).toBe('two');
  expect(readFileSync(join(server.files, 'tagged'), 'utf8')).toBe('two');
});

it('HEAD says what GET would, without the bytes', async () => {
  await put('headed', 'four');
  const answer = await client.ask('HEAD', `${files}/headed`);
  expect(answer).toMatchObject({ status: 200, headers: { 'content-length': '4', 'accept-ranges': 'bytes' } });
  expect(answer.body).toHaveLength(0);
});

it('folders are made, listed in pages, sorted and searched, and removed', async () => {
  expect((await client.ask('PUT', '/api/v1/folders/many')).status).toBe(201);
  for (const name of ['b.txt', 'a.txt', 'c.csv']) await put(`many/${name}`, name.repeat(name === 'a.txt' ? 5 : 1));
  await client.ask('PUT', '/api/v1/folders/many/sub');
  const all = await client.ask('GET', '/api/v1/folders/many');
  expect(all.json.entries.map(({ name }: { name: string }) => name)).toEqual(['sub', 'a.txt', 'b.txt', 'c.csv']);
  expect(all.json.entries[1]).toMatchObject({ path: '/many/a.txt', type: 'file', size: 25, etag: expect.any(String) });
  const first = await client.ask('GET', '/api/v1/folders/many?limit=2&sort=size&order=descending&search=.');
  expect(first.json).toMatchObject({ total: 3, next: '2' });
  expect(first.json.entries[0].name).toBe('a.txt');
  const second = await client.ask('GET', '/api/v1/folders/many?limit=2&sort=size&order=descending&search=.&cursor=2');
  expect(second.json.entries).toHaveLength(1);
  expect(second.json.next).toBeUndefined();
  expect((await client.ask('DELETE', '/api/v1/folders/many')).json.code).toBe('not-empty');
  expect((await client.ask('DELETE', '/api/v1/folders/many/sub')).status).toBe(204);
  expect((await client.ask('GET', '/api/v1/folders')).json.entries.map(({ name }: { name: string }) => name)).toContain('many');
  expect(await client.ask('GET', '/api/v1/folders/many?limit=0')).toMatchObject({ status: 400, json: { code: 'malformed' } });
  expect((await client.ask('GET', '/api/v1/folders/many?wat=1')).status).toBe(400);
});

it('moving, deleting and times', async () => {
  await put('old name.txt', 'x');
  expect(await client.ask('POST', '/api/v1/moves', { body: { from: '/old name.txt', to: 'nöw.txt' } })).toMatchObject({
    status: 200,
    json: { path: '/nöw.txt' },
  });
  await put('taken', 'y');
  expect((await client.ask('POST', '/api/v1/moves', { body: { from: '/nöw.txt', to: '/taken' } })).json.code).toBe('exists');
  expect((await client.ask('POST', '/api/v1/moves', { body: { from: '/nöw.txt', to: '/taken', replace: true } })).status).toBe(200);
  const changed = await client.ask('PATCH', '/api/v1/entries/taken', { body: { modified: '2020-02-03T04:05:06Z' } });
  expect(changed.json.modified).toBe('2020-02-03T04:05:06.000Z');
  expect((await client.ask('GET', '/api/v1/entries/taken')).json).toMatchObject({ size: 1, modified: '2020-02-03T04:05:06.000Z' });
  expect((await client.ask('DELETE', `${files}/taken`)).status).toBe(204);
  expect((await client.ask('GET', '/api/v1/entries/taken')).status).toBe(404);
  const commands = server.audit.of('command').map(({ command, code, path }) => `${command} ${code} ${path}`);
  expect(commands).toEqual(expect.arrayContaining(['MOVE 200 /nöw.txt', 'SETTIME 200 /taken', 'DELETE 200 /taken']));
});

it('no path leads out, whatever it is made of', async () => {
  for (const path of ['..%2f..%2fetc%2fpasswd', '%2e%2e/%2e%2e/etc/passwd', '../../etc/passwd', '.ftps-staging/x', 'a%00b', 'a%0d%0ab', '%ff'])
    expect([400, 404]).toContain((await client.ask('GET', `${files}/${path}`)).status);
  expect((await client.ask('PUT', `${files}/.ftps-quarantine/x`, { body: Buffer.from('x') })).json.code).toBe('invalid-name');
});

it('a name can be anything that a browser must not take for markup or a header', async () => {
  const name = `"><img src=x onerror=alert(1)>';\u202Etxt.exe`;
  const up = await put(name, 'x');
  expect(up.status).toBe(201);
  const { headers } = await client.ask('GET', `${files}/${encodeURIComponent(name)}`);
  expect(headers['content-disposition']).toMatch(/^attachment; filename="[ -!#-[\]-~]*"; filename\*=UTF-8''[\w%.~-]+$/);
});

it('what the account may not do is refused by name, and told to the audit', async () => {
  const box = await server.signedIn('box');
  expect((await box.ask('PUT', `${files}/drop`, { body: Buffer.from('x') })).status).toBe(201);
  expect(await box.ask('GET', `${files}/drop`)).toMatchObject({ status: 403, json: { code: 'denied', title: 'This account may not download.' } });
  expect((await box.ask('GET', '/api/v1/folders')).status).toBe(403);
  const reader = await server.signedIn('reader');
  expect((await reader.ask('PUT', `${files}/x`, { body: Buffer.from('x') })).status).toBe(403);
  expect((await reader.ask('DELETE', `${files}/hundred`)).status).toBe(403);
  expect(await server.audit.next('request', ({ user, method }) => user === 'reader' && method === 'DELETE')).toMatchObject({
    path: `${files}/hundred`,
    status: 403,
    reason: 'denied',
  });
});

it('an upload that breaks off leaves nothing', async () => {
  const socket = await server.socket();
  socket.write(`PUT ${files}/broken HTTP/1.1\r\nHost: localhost\r\nCookie: ${client.cookie}\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(5_000)}`);
  socket.on('data', () => {});
  while (!server.server.sessions.infos().some(({ transfer }) => transfer?.bytes === 5_000)) await new Promise((resolve) => setTimeout(resolve, 5));
  socket.end();
  expect(await server.audit.next('transfer', ({ path }) => path === '/broken')).toMatchObject({
    outcome: 'failure',
    reason: expect.stringContaining('connection ended'),
  });
  expect(readdirSync(server.files)).not.toContain('broken');
});

it('who asks, what the account transfers, and the room that is left', async () => {
  const { json } = await client.ask('GET', '/api/v1/sessions');
  expect(json.sessions[0]).toMatchObject({ protocol: 'https', address: '127.0.0.1' });
  expect(json.sessions[0].user).toBeUndefined();
  expect((await client.ask('GET', '/api/v1/space')).json.bytes).toBeGreaterThan(0);
});
