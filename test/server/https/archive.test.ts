import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type HttpsClient, type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
let client: HttpsClient;
beforeAll(async () => {
  server = await httpsServed({}, [{ user: 'demo' }, { user: 'box', permissions: ['write'] }]);
  client = await server.signedIn();
});
afterAll(() => server.close());

/** What stands in an archive's list, each with its bytes, where checksum and place are right. */
function unzipped(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = bytes.lastIndexOf(Buffer.from('504b0506', 'hex'));
  const locator = end - 20;
  const end64 = Number(bytes.readBigUInt64LE(locator + 8));
  let at = Number(bytes.readBigUInt64LE(end64 + 48));
  for (let left = Number(bytes.readBigUInt64LE(end64 + 32)); left > 0; left -= 1) {
    const [nameLength, extraLength] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30)];
    const name = bytes.subarray(at + 46, at + 46 + nameLength).toString();
    const extra = at + 46 + nameLength;
    const [size, offset] = [Number(bytes.readBigUInt64LE(extra + 4)), Number(bytes.readBigUInt64LE(extra + 20))];
    const from = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
    const content = bytes.subarray(from, from + size);
    expect(crc32(content)).toBe(bytes.readUInt32LE(at + 16));
    files.set(name, content);
    at += 46 + nameLength + extraLength;
  }
  return files;
}

it('files and folders come as one archive, as deep as they lie, and each is in the audit', async () => {
  const large = randomBytes(3_000_000);
  mkdirSync(join(server.files, 'box/deep/deeper'), { recursive: true });
  mkdirSync(join(server.files, 'box/empty'));
  writeFileSync(join(server.files, 'box/large'), large);
  writeFileSync(join(server.files, 'box/deep/ünder.txt'), 'x');
  writeFileSync(join(server.files, 'box/deep/deeper/none'), '');
  for (let index = 0; index < 200; index += 1) writeFileSync(join(server.files, `box/deep/small-${index}`), String(index));
  const answer = await client.ask('GET', '/api/v1/archive?path=/box');
  expect(answer).toMatchObject({
    status: 200,
    headers: { 'content-type': 'application/zip', 'content-disposition': expect.stringContaining('filename="box.zip"'), 'transfer-encoding': 'chunked' },
  });
  const files = unzipped(answer.body);
  expect(files.size).toBe(207);
  expect(files.get('box/large')!.equals(large)).toBe(true);
  expect(files.get('box/deep/ünder.txt')!.toString()).toBe('x');
  expect(files.get('box/deep/small-123')!.toString()).toBe('123');
  for (const name of ['box/', 'box/empty/', 'box/deep/deeper/none']) expect(files.get(name)).toHaveLength(0);
  expect(server.audit.of('transfer').filter(({ transfer, command }) => transfer === 'download' && command === 'GET')).toHaveLength(203);
});

it('several that were chosen lie where they lay to each other; no name leads out', async () => {
  writeFileSync(join(server.files, '..\\..\\evil: x'), 'evil');
  writeFileSync(join(server.files, 'one'), '1');
  const query = ['/one', '/..\\..\\evil: x', '/box/deep/deeper'].map((path) => `path=${encodeURIComponent(path)}`).join('&');
  const { body } = await client.ask('GET', `/api/v1/archive?${query}`);
  expect([...unzipped(body).keys()].sort()).toEqual(['.._.._evil_ x', 'box/deep/deeper/', 'box/deep/deeper/none', 'one']);
});

it('what is missing, or not to be read, is refused before anything is sent', async () => {
  expect((await client.ask('GET', '/api/v1/archive?path=/one&path=/missing')).status).toBe(404);
  expect((await client.ask('GET', '/api/v1/archive')).status).toBe(400);
  expect((await (await server.signedIn('box')).ask('GET', '/api/v1/archive?path=/one')).status).toBe(403);
});
