/** Renaming what is too large for one copy request: an S3 that has one object of 6 GiB by its word alone, and remembers what it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { storageSchema } from '../../../../../server/config/schema';
import { s3Storage } from '../../../../../server/files/storage/s3/storage';
import type { Storage } from '../../../../../server/files/storage/storage';

const GIB = 1024 ** 3;
const SIZE = 6 * GIB + 7;

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
      if (pathname !== '/bucket/old%20name.bin') return answer(404);
      return answer(200, '', { 'content-length': SIZE, etag: '"whole"', 'last-modified': 'Thu, 02 Jan 2020 03:04:05 GMT' });
    }
    if (request.method === 'DELETE') return answer(204);
    if (searchParams.has('tagging')) return answer(200, '<Tagging><TagSet><Tag><Key>cost centre</Key><Value>a&amp;b</Value></Tag></TagSet></Tagging>');
    if (searchParams.has('list-type')) return answer(200, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
    if (searchParams.has('uploads')) return answer(200, '<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>');
    if (part !== null && Number(part) === refused) return answer(403, '<Error><Code>AccessDenied</Code></Error>');
    if (part !== null) return answer(200, `<CopyPartResult><ETag>"part-${part}"</ETag><ChecksumCRC32>crc-${part}</ChecksumCRC32></CopyPartResult>`);
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
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = storageSchema.parse({ kind: 's3', bucket: 'bucket', endpoint, pathStyle: true, region: 'us-east-1' });
  if (config.kind !== 's3') throw new Error('another storage');
  storage = s3Storage(config, { scanned: false });
});
afterEach(() => storage.close());

const rename = async () => (await storage.open({ user: 'demo', home: '/' })).rename('/old name.bin', '/new.bin');
const partsAsked = () => asked.filter(({ what }) => what.includes(' part '));

it('copies every byte of 6 GiB once, in parts that S3 takes, of exactly that object, and removes the old one last', async () => {
  await rename();
  const ranges = partsAsked()
    .map(({ what, headers }) => {
      expect(headers).toMatchObject({ 'x-amz-copy-source': 'bucket/old%20name.bin', 'x-amz-copy-source-if-match': '"whole"' });
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers['x-amz-copy-source-range'] as string)!;
      return { number: Number(what.split(' ').at(-1)), first: Number(first), last: Number(last) };
    })
    .sort((one, other) => one.number - other.number);
  expect(ranges.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(ranges.map(({ first }) => first)).toEqual([0, ...ranges.slice(0, -1).map(({ last }) => last + 1)]);
  expect(ranges.at(-1)!.last).toBe(SIZE - 1);
  for (const { first, last } of ranges) {
    expect(last - first + 1).toBeLessThanOrEqual(5 * GIB);
    expect(last - first + 1).toBeGreaterThanOrEqual(5 * 1024 * 1024);
  }
  const begun = asked.find(({ what }) => what.endsWith('begin'))!;
  expect(begun.headers['x-amz-meta-mtime']).toBe(String(Date.parse('2020-01-02T03:04:05Z') / 1000));
  const complete = asked.findIndex(({ what }) => what === 'POST /bucket/new.bin parts');
  expect(asked[complete]!.headers['if-none-match']).toBe('*');
  expect([...asked[complete]!.body.matchAll(/part-(\d)/g)].map(([, number]) => number)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
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

it('takes the tags of the object along, which parts have none of', async () => {
  await rename();
  expect(asked.find(({ what }) => what.endsWith('begin'))!.headers['x-amz-tagging']).toBe('cost+centre=a%26b');
});

it('names the checksum of the parts when it begins, and says each at the end', async () => {
  await rename();
  expect(asked.find(({ what }) => what.endsWith('begin'))!.headers['x-amz-checksum-algorithm']).toBe('CRC32');
  const end = asked.find(({ what }) => what.startsWith('POST') && what.endsWith('parts'))!;
  expect(end.body.match(/<ChecksumCRC32>crc-\d<\/ChecksumCRC32>/g)).toHaveLength(7);
});
