/** As much of S3 as uploads, downloads and listings need, in memory; it remembers what it was asked, and a test may answer in its place. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { storageSchema } from '../../../../../server/config/storage';
import { s3Storage } from '../../../../../server/files/storage/s3/storage';
import type { Storage, Volume } from '../../../../../server/files/storage/storage';

export interface Asked {
  /** Method, key and the names of the parameters. */
  readonly what: string;
  readonly headers: IncomingMessage['headers'];
}

export interface SmallS3 {
  readonly endpoint: string;
  readonly objects: Map<string, Buffer>;
  asked: Asked[];
  /** Answers itself where it returns true, also later. */
  instead: (what: string, response: ServerResponse, headers: IncomingMessage['headers']) => boolean;
  open(settings?: Record<string, unknown>): Promise<{ readonly storage: Storage; readonly volume: Volume }>;
  stop(): Promise<void>;
}

export async function startSmallS3(): Promise<SmallS3> {
  const storages: Storage[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the client has given up
    }
    const { pathname, searchParams } = new URL(request.url!, 'http://s3');
    const key = decodeURIComponent(pathname.slice('/bucket/'.length));
    const parameters = [...searchParams.keys()].filter((name) => !name.startsWith('x-id')).join(',');
    const what = `${request.method} ${key}${parameters && `?${parameters}`}`;
    s3.asked.push({ what, headers: request.headers });
    if (s3.instead(what, response, request.headers)) return;
    const object = s3.objects.get(key);
    const answer = (status: number, body: string | Buffer = '', headers = {}) => response.writeHead(status, { etag: '"one"', ...headers }).end(body);
    if (searchParams.has('list-type')) {
      const prefix = searchParams.get('prefix') ?? '';
      const keys = [...s3.objects.keys()].filter((one) => one.startsWith(prefix)).sort();
      const contents = keys.map((one) => `<Contents><Key>${one}</Key><Size>${s3.objects.get(one)!.length}</Size></Contents>`);
      return answer(200, `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`);
    }
    if (request.method === 'PUT') {
      s3.objects.set(key, Buffer.concat(chunks));
      return answer(200);
    }
    if (!object) return answer(404, request.method === 'HEAD' ? '' : '<Error><Code>NoSuchKey</Code></Error>');
    if (request.method === 'HEAD') return answer(200, '', { 'content-length': object.length });
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!.map(Number) as [number, number, number];
    if (first >= object.length) return answer(416, '<Error><Code>InvalidRange</Code></Error>');
    const part = object.subarray(first, last + 1);
    return answer(206, part, { 'content-length': part.length, 'content-range': `bytes ${first}-${first + part.length - 1}/${object.length}` });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const s3: SmallS3 = {
    endpoint,
    objects: new Map(),
    asked: [],
    instead: () => false,
    async open(settings = {}) {
      const config = storageSchema.parse({ kind: 's3', bucket: 'bucket', endpoint, pathStyle: true, region: 'us-east-1', ...settings });
      if (config.kind !== 's3') throw new Error('another storage');
      const storage = s3Storage(config, { scanned: false });
      storages.push(storage);
      return { storage, volume: await storage.open({ user: 'demo', home: '/' }) };
    },
    async stop() {
      for (const storage of storages) await storage.close();
      server.closeAllConnections();
      server.close();
    },
  };
  return s3;
}
