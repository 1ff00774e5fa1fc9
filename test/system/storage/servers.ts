/** S3 servers in processes of their own, and a proxy before them that can throttle, fail, and lose answers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, watch } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { storageSchema } from '../../../server/config/storage';
import { s3Storage } from '../../../server/files/storage/s3/storage';
import type { Storage } from '../../../server/files/storage/storage';

export const credentials = { accessKeyId: 'test', secretAccessKey: 'test-secret' };
Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey });

/** What becomes of a request: `lost` is carried out, but its answer never arrives; `deny` is no use to try again. */
export type Fate = 'pass' | 'throttle' | 'fail' | 'cut' | 'lost' | 'deny';

const REFUSALS: Partial<Record<Fate, readonly [status: number, code: string]>> = {
  throttle: [503, 'SlowDown'],
  fail: [500, 'InternalError'],
  deny: [403, 'AccessDenied'],
};

export interface S3Server {
  readonly endpoint: string;
  readonly client: S3Client;
  /** Decides about each request from now on; while it thinks, the request waits. */
  judge: (request: IncomingMessage) => Fate | Promise<Fate>;
  /** How many requests each fate had. */
  readonly fates: Record<Fate, number>;
  newBucket(): Promise<string>;
  /** The keys below a prefix. */
  keys(bucket: string, prefix: string): Promise<string[]>;
  stop(): Promise<void>;
}

export type S3Kind = 'moto' | 'versitygw';

export async function startS3(kind: S3Kind): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-s3-'));
  const { process: child, upstream } = await (kind === 'moto' ? startMoto() : startVersity(folder));
  const fates: Record<Fate, number> = { pass: 0, throttle: 0, fail: 0, cut: 0, lost: 0, deny: 0 };
  const proxy = createServer(async (request, response) => {
    const fate = await server.judge(request);
    fates[fate] += 1;
    if (fate === 'cut') return void request.socket.destroy();
    const refusal = REFUSALS[fate];
    if (refusal) {
      const [status, code] = refusal;
      request.resume();
      response.writeHead(status, { 'content-type': 'application/xml' });
      return void response.end(request.method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
    }
    const forwarded = httpRequest({ ...upstream, agent: false, method: request.method, path: request.url, headers: request.headers }, (answer) => {
      if (fate === 'lost') {
        answer.resume();
        answer.on('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    request.pipe(forwarded);
  });
  // An idle connection would be ended after 5 s, just when the next request goes out on it: not a fate that a test asked for.
  proxy.keepAliveTimeout = 0;
  const endpoint = await listening(proxy);
  const client = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
  const server: S3Server = {
    endpoint,
    client,
    judge: () => 'pass',
    fates,
    async newBucket() {
      const Bucket = `test-${randomBytes(6).toString('hex')}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      return Bucket;
    },
    async keys(bucket, prefix) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      return Contents.map(({ Key }) => Key!);
    },
    async stop() {
      client.destroy();
      proxy.closeAllConnections();
      proxy.close();
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return server;
}

/** The backend as a server would open it. */
export function openS3(server: S3Server, bucket: string, settings: Record<string, unknown> = {}, scanned = true): Storage {
  const config = storageSchema.parse({ kind: 's3', bucket, endpoint: server.endpoint, pathStyle: true, region: 'us-east-1', ...settings });
  if (config.kind !== 's3') throw new Error('another storage');
  return s3Storage(config, { scanned });
}

async function listening(proxy: Server): Promise<string> {
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

interface Started {
  readonly process: ChildProcess;
  readonly upstream: { readonly host: string; readonly port: number } | { readonly socketPath: string };
}

async function startMoto(): Promise<Started> {
  const moto = spawn(join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/moto_server'), ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of createInterface({ input: moto.stderr! })) {
    const [, port] = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (!port) continue;
    moto.stderr!.resume(); // its log of requests
    return { process: moto, upstream: { host: '127.0.0.1', port: Number(port) } };
  }
  throw new Error('moto ended before it listened');
}

async function startVersity(folder: string): Promise<Started> {
  const socketPath = join(folder, 's3.sock');
  const files = join(folder, 'buckets');
  mkdirSync(files);
  const versity = spawn(
    join(process.env['CDK_FTPS_CACHE'] ?? '', 'versitygw-v1.8.0'),
    ['--port', socketPath, '--access', credentials.accessKeyId, '--secret', credentials.secretAccessKey, '--quiet', '--keep-alive', 'posix', files],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const appears = new Promise<void>((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(socketPath)) return;
      watcher.close();
      resolve();
    });
    if (existsSync(socketPath)) {
      watcher.close();
      resolve();
    }
  });
  await Promise.race([appears, once(versity, 'exit').then(() => Promise.reject(new Error('versitygw ended before it listened')))]);
  return { process: versity, upstream: { socketPath } };
}
