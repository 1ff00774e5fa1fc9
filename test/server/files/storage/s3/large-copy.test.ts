/** Renaming what one copy request would take long for: an S3 that has one object of a GiB by its word alone, and remembers what it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { storageSchema } from '../../../../../server/config/storage';
import { s3Storage } from '../../../../../server/files/storage/s3/storage';
import type { Storage } from '../../../../../server/files/storage/storage';

const GIB = 1024 ** 3;
const SIZE = GIB + 7;
const PARTS = Array.from({ length: 9 }, (_, index) => index + 1);

interface Asked {
  readonly what: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let storage: Storage;
let asked: Asked[];
/** Number of the part whose copy is refused. */
let refused: number | undefined;
/** Whether the parts are put together, and S3 then knows no such upload. */
let lost = false;
let [begun, made]: (IncomingMessage['headers'] | undefined)[] = [];
/** Whether parts have the checksum of the object that they were copied from, as versitygw says it. */
let isForeign = false;
/** Copies of parts under way, and the most of them. */
let [running, most] = [0, 0];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { pathname, searchParams } = new URL(request.url!, 'http://s3');
    const part = searchParams.get('partNumber');
    const what = [
      request.method,
      decodeURIComponent(pathname),
      searchParams.has('list-type')
        ? 'list'
        : searchParams.has('tagging')
          ? 'tags'
          : searchParams.has('uploads')
            ? 'begin'
            : part
              ? `part ${part}`
              : searchParams.has('uploadId')
                ? 'parts'
                : '',
    ];
    asked.push({ what: what.join(' ').trim(), headers: request.headers, body });
    const answer = (status: number, xml = '', headers = {}) => response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(xml);
    if (request.method === 'HEAD') {
      if (pathname === '/bucket/new.bin' && made)
        return answer(200, '', { 'content-length': SIZE, etag: '"copied"', 'x-amz-meta-mtime': made['x-amz-meta-mtime'] });
      if (pathname !== '/bucket/old%20name.bin') return answer(404);
      return answer(200, '', { 'content-length': SIZE, etag: '"whole"', 'last-modified': 'Thu, 02 Jan 2020 03:04:05 GMT' });
    }
    if (request.method === 'DELETE') return answer(204);
    if (searchParams.has('tagging')) return answer(200, '<Tagging><TagSet><Tag><Key>cost centre</Key><Value>a&amp;b</Value></Tag></TagSet></Tagging>');
    if (searchParams.has('list-type')) return answer(200, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
    if (searchParams.has('uploads')) begun = request.headers;
    if (searchParams.has('uploads')) return answer(200, '<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>');
    if (part !== null) {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 20)); // as long as others have time to come
      running -= 1;
    }
    if (part !== null && Number(part) === refused) return answer(403, '<Error><Code>AccessDenied</Code></Error>');
    if (part !== null)
      return answer(
        200,
        `<CopyPartResult><ETag>"part-${part}"</ETag><ChecksumCRC32>${isForeign ? 'AAAAAA==-2' : `crc${part}`}</ChecksumCRC32></CopyPartResult>`,
      );
    if (lost) {
      made = begun;
      return answer(404, '<Error><Code>NoSuchUpload</Code></Error>');
    }
    return answer(200, '<CompleteMultipartUploadResult><ETag>"copied"</ETag></CompleteMultipartUploadResult>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  asked = [];
  refused = undefined;
  most = 0;
  lost = false;
  isForeign = false;
  made = undefined;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = storageSchema.parse({ kind: 's3', bucket: 'bucket', endpoint, pathStyle: true, region: 'us-east-1' });
  if (config.kind !== 's3') throw new Error('another storage');
  storage = s3Storage(config, { scanned: false });
});
afterEach(() => storage.close());

const rename = async () => (await storage.open({ user: 'demo', home: '/' })).rename('/old name.bin', '/new.bin');
const partsAsked = () => asked.filter(({ what }) => what.includes(' part '));

it('copies every byte of it once, in parts side by side that S3 takes, of exactly that object, and removes the old one last', async () => {
  await rename();
  const ranges = partsAsked()
    .map(({ what, headers }) => {
      expect(headers).toMatchObject({ 'x-amz-copy-source': 'bucket/old%20name.bin', 'x-amz-copy-source-if-match': '"whole"' });
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers['x-amz-copy-source-range'] as string)!;
      return { number: Number(what.split(' ').at(-1)), first: Number(first), last: Number(last) };
    })
    .sort((one, other) => one.number - other.number);
  expect(ranges.map(({ number }) => number)).toEqual(PARTS);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(8);
  expect(ranges.map(({ first }) => first)).toEqual([0, ...ranges.slice(0, -1).map(({ last }) => last + 1)]);
  expect(ranges.at(-1)!.last).toBe(SIZE - 1);
  for (const { first, last } of ranges) {
    expect(last - first + 1).toBeLessThanOrEqual(128 * 1024 * 1024);
    expect(last - first + 1).toBeGreaterThanOrEqual(5 * 1024 * 1024);
  }
  const begun = asked.find(({ what }) => what.endsWith('begin'))!;
  expect(begun.headers['x-amz-meta-mtime']).toBe(String(Date.parse('2020-01-02T03:04:05Z') / 1000));
  const complete = asked.findIndex(({ what }) => what === 'POST /bucket/new.bin parts');
  expect(asked[complete]!.headers['if-none-match']).toBe('*');
  expect([...asked[complete]!.body.matchAll(/part-(\d)/g)].map(([, number]) => Number(number))).toEqual(PARTS);
  expect(asked.findIndex(({ what }) => what === 'DELETE /bucket/old name.bin')).toBeGreaterThan(complete);
  expect(asked.some(({ what }) => what.startsWith('GET') && !/(list|tags)$/.test(what))).toBe(false); // no byte comes here
});

it('gives the parts back and keeps the old one where a part can not be copied', async () => {
  refused = 3;
  await expect(rename()).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked.map(({ what }) => what)).toContain('DELETE /bucket/new.bin parts');
  expect(asked.map(({ what }) => what)).not.toContain('DELETE /bucket/old name.bin');
  expect(asked.some(({ what }) => what === 'POST /bucket/new.bin parts')).toBe(false);
});

it('is done where its parts were put together and the answer to that was lost', async () => {
  lost = true;
  await rename();
  expect(asked.map(({ what }) => what)).toContain('DELETE /bucket/old name.bin');
});

it('is one request where a server does not know the checksums of parts that it copied', async () => {
  isForeign = true;
  await rename();
  const copies = asked.filter(({ what, headers }) => what === 'PUT /bucket/new.bin' && headers['x-amz-copy-source'] === 'bucket/old%20name.bin');
  expect(copies).toMatchObject([{ headers: { 'if-none-match': '*', 'x-amz-copy-source-if-match': '"whole"' } }]);
  expect(asked.map(({ what }) => what)).toContain('DELETE /bucket/new.bin parts');
  expect(asked.map(({ what }) => what)).toContain('DELETE /bucket/old name.bin');
});

it('keeps the old one, and gives the parts back, when it is given up', async () => {
  const stop = new AbortController();
  const volume = await storage.open({ user: 'demo', home: '/' });
  const renaming = volume.rename('/old name.bin', '/new.bin', { signal: stop.signal });
  renaming.catch(() => {});
  while (running < 2) await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new Error('given up'));
  await expect(renaming).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked.map(({ what }) => what)).toContain('DELETE /bucket/new.bin parts');
  expect(asked.map(({ what }) => what)).not.toContain('DELETE /bucket/old name.bin');
  expect(asked.map(({ what }) => what)).not.toContain('POST /bucket/new.bin parts');
});

it('takes the tags of the object along, which parts have none of', async () => {
  await rename();
  expect(asked.find(({ what }) => what.endsWith('begin'))!.headers['x-amz-tagging']).toBe('cost+centre=a%26b');
});

it('names the checksum of the parts when it begins, and says each at the end', async () => {
  await rename();
  expect(asked.find(({ what }) => what.endsWith('begin'))!.headers['x-amz-checksum-algorithm']).toBe('CRC32');
  const end = asked.find(({ what }) => what.startsWith('POST') && what.endsWith('parts'))!;
  expect(end.body.match(/<ChecksumCRC32>crc\d<\/ChecksumCRC32>/g)).toHaveLength(PARTS.length);
});
