/** Uploads in parts to an S3 that is as strict about checksums as Amazon's own. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { storageSchema } from '../../../../../server/config/storage';
import { s3Storage } from '../../../../../server/files/storage/s3/storage';
import type { Storage } from '../../../../../server/files/storage/storage';

const MIB = 1024 ** 2;
const ALGORITHMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'];

let server: Server;
let storage: Storage;
let whole: string | undefined;

beforeAll(async () => {
  let begun: string | undefined;
  const parts = new Map<string, string>();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { searchParams } = new URL(request.url!, 'http://s3');
    const answer = (status: number, xml = '', headers = {}) => response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(xml);
    const refuse = (message: string) => answer(400, `<Error><Code>InvalidRequest</Code><Message>${message}</Message></Error>`);
    const part = searchParams.get('partNumber');
    if (searchParams.has('uploads')) {
      begun = request.headers['x-amz-checksum-algorithm'] as string | undefined;
      return answer(200, '<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>');
    }
    if (part !== null) {
      const trailer = request.headers['x-amz-trailer'] as string | undefined;
      const sent = ALGORITHMS.find((one) => request.headers[`x-amz-checksum-${one}`] !== undefined || trailer === `x-amz-checksum-${one}`);
      if (sent !== begun?.toLowerCase())
        return refuse(`Checksum Type mismatch occurred, expected checksum Type: ${begun ?? 'null'}, actual checksum Type: ${sent}`);
      const checksum =
        (request.headers[`x-amz-checksum-${sent}`] as string | undefined) ?? new RegExp(`x-amz-checksum-${sent}:(\\S+)`).exec(body.toString('latin1'))![1]!;
      parts.set(part, checksum);
      return answer(200, '', { etag: `"part-${part}"`, [`x-amz-checksum-${sent}`]: checksum });
    }
    if (request.method === 'POST') {
      const missing = [...parts].find(([, checksum]) => !body.includes(`<ChecksumCRC32>${checksum}</ChecksumCRC32>`));
      if (missing) return refuse(`The upload was created using a crc32 checksum. It was missing for part ${missing[0]} in the request.`);
      whole = request.url!;
      return answer(200, '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>');
    }
    if (request.method === 'DELETE') return answer(204);
    if (searchParams.has('list-type')) return answer(200, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
    return answer(404);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = storageSchema.parse({ kind: 's3', bucket: 'bucket', endpoint, pathStyle: true, region: 'us-east-1', partBytes: 5 * MIB, attempts: 1 });
  if (config.kind !== 's3') throw new Error('another storage');
  storage = s3Storage(config, { scanned: false });
});
afterAll(async () => {
  await storage.close();
  server.closeAllConnections();
  server.close();
});

it('names one kind of checksum from the first request of an upload to the last', async () => {
  const handle = await (await storage.open({ user: 'demo', home: '/' })).openWrite('/large.bin', { kind: 'replace' });
  for (let part = 0; part < 3; part += 1) await handle.write([Buffer.alloc(4 * MIB, part)]);
  expect(await handle.commit()).toBe('visible');
  expect(whole).toContain('/bucket/large.bin');
});
