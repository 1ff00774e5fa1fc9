import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HttpsClient, type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
let client: HttpsClient;
beforeAll(async () => {
  server = await httpsServed({}, [
    { user: 'demo', home: '/demo' },
    { user: 'other', home: '/other' },
  ]);
  for (const home of ['demo', 'other']) mkdirSync(join(server.files, home), { recursive: true });
  writeFileSync(join(server.files, 'other/secret'), 'secret of another');
  writeFileSync(join(server.files, 'demo/plain'), 'plain');
  client = await server.signedIn();
});
afterAll(() => server.close());

/** Ways out of a folder, as they would stand in an address. */
const ways = [
  '../other/secret',
  '%2e%2e/other/secret',
  '..%2fother%2fsecret',
  '%2e%2e%2fother%2fsecret',
  '%2E%2E%2Fother%2Fsecret',
  '..%5cother%5csecret',
  '....//other/secret',
  '..;/other/secret',
  './/..//other/secret',
  'x/../../other/secret',
  'plain/../../other/secret',
  '%252e%252e%252fother%252fsecret',
  '%c0%ae%c0%ae%c0%afother/secret',
  '%e0%80%ae%e0%80%ae/other/secret',
  '%u002e%u002e/other/secret',
  '..%00/other/secret',
  'plain%00/../../other/secret',
  '%ff',
  '%',
  '%2',
  '/etc/passwd',
  '//etc/passwd',
  '%2fetc%2fpasswd',
  'file:%2f%2f%2fetc%2fpasswd',
  '\\..\\other\\secret',
  '.ftps-staging/',
  '.ftps-quarantine/x',
  '~/secret',
  'con',
  `${'a/'.repeat(3_000)}x`,
  `${'x'.repeat(300)}`,
];

it.each(ways)('%s leads nowhere, whatever is done', async (way) => {
  for (const [method, path, body] of [
    ['GET', `/api/v1/files/${way}`],
    ['GET', `/api/v1/folders/${way}`],
    ['GET', `/api/v1/entries/${way}`],
    ['GET', `/api/v1/archive?path=${way}`],
    ['DELETE', `/api/v1/files/${way}`],
    ['DELETE', `/api/v1/folders/${way}`],
    ['POST', '/api/v1/moves', { from: way, to: '/stolen' }],
    ['POST', '/api/v1/moves', { from: '/none', to: way }],
  ] as const) {
    const answer = await client.ask(method, path.replaceAll(/[^\x21-\x7e]/g, encodeURIComponent), body ? { body } : {});
    expect([400, 403, 404, 409]).toContain(answer.status);
    expect(answer.body.includes('secret of another')).toBe(false);
    expect(answer.json.title).not.toContain(server.files);
  }
  expect(readdirSync(join(server.files, 'other'))).toEqual(['secret']);
});

it('what is put under such a name lies in the account’s own folder, or nowhere', async () => {
  for (const way of ways) await client.ask('PUT', `/api/v1/files/${way}`, { body: Buffer.from('x') });
  expect(readdirSync(join(server.files, 'other'))).toEqual(['secret']);
  expect(
    readdirSync(server.files)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['demo', 'other']);
});

it('nothing that is sent is unpacked: a body that says it is compressed is refused where it is read, and kept as it came where it is a file', async () => {
  const headers = { 'content-encoding': 'gzip' };
  expect(
    (await client.ask('POST', '/api/v1/moves', { headers: { ...headers, 'content-type': 'application/json' }, body: Buffer.from('1f8b08', 'hex') })).status,
  ).toBe(400);
  await client.ask('PUT', '/api/v1/files/bomb.gz', { headers, body: Buffer.from('1f8b08', 'hex') });
  expect((await client.ask('GET', '/api/v1/files/bomb.gz', { headers: { 'accept-encoding': 'gzip' } })).body.toString('hex')).toBe('1f8b08');
});

it('a flood of ranges is one answer: the whole file, or one part of it', async () => {
  const many = await client.ask('GET', '/api/v1/files/plain', { headers: { range: `bytes=${Array.from({ length: 1_000 }, () => '0-').join(',')}` } });
  expect(many).toMatchObject({ status: 200, headers: { 'content-length': '5' } });
  for (const range of ['bytes=0-999999999999999', 'bytes=-999999999999999']) {
    const { status, body } = await client.ask('GET', '/api/v1/files/plain', { headers: { range } });
    expect([status, body.toString()]).toEqual([206, 'plain']);
  }
});
