/** The built server on S3: a large file both ways in bounded memory, and a crash in the middle of uploads. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';
import { needRoom } from '../support/room';
import { PASSWORD, run, USER } from '../support/served';
import { type S3Server, startS3 } from './servers';

const MIB = 1024 * 1024;
const SIZE = 2048 * MIB;
/** What one transfer may send or read ahead. */
const MEMORY = 64 * MIB;

let s3: S3Server;
let bucket: string;
let server: RestartableServer;

beforeAll(async () => {
  // The parts, and the object that versitygw makes of them before it removes them.
  needRoom(tmpdir(), 2 * SIZE + 256 * MIB);
  s3 = await startS3('versitygw');
  bucket = await s3.newBucket();
  server = await serveRestartable(() => ({
    storage: { kind: 's3', bucket, endpoint: s3.endpoint, pathStyle: true, region: 'us-east-1', memoryBytes: MEMORY },
    limits: { stallSeconds: 3_600 }, // some uploads wait for others, long on a busy machine
  }));
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await s3.stop();
});

it('takes 2 GiB and gives it back, in bounded memory', async () => {
  const at = (name: string) => join(server.folder, name);
  writeFileSync(at('curlrc'), `user = "${USER}:${PASSWORD.replaceAll('"', '\\"')}"\ncacert = "${server.ca}"\nssl-reqd\nsilent\nshow-error\n`, { mode: 0o600 });
  const curl = `curl --config ${at('curlrc')}`;
  const url = `ftp://localhost:${server.port}/large.bin`;
  const seconds = async (script: string) => {
    const started = performance.now();
    expect(await run('bash', ['-c', `set -o pipefail; ${script}`])).toEqual({ code: 0, output: '' });
    return (performance.now() - started) / 1000;
  };
  const up = await seconds(
    `head -c ${SIZE} /dev/zero | openssl enc -aes-256-ctr -K ${'0'.repeat(64)} -iv ${'0'.repeat(32)} 2> /dev/null | tee >(sha256sum > ${at('sent')}) | ${curl} -T - ${url}`,
  );
  const down = await seconds(`${curl} ${url} | sha256sum > ${at('received')}`);
  const peak = Math.round(server.peakMemory());
  expect(readFileSync(at('received'), 'utf8')).toBe(readFileSync(at('sent'), 'utf8'));
  expect((await s3.client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents).toMatchObject([{ Key: 'large.bin', Size: SIZE }]);
  const speed = (time: number) => `${time.toFixed(1)} s, ${Math.round(2048 / time)} MiB/s`;
  process.stdout.write(`2 GiB on S3: up ${speed(up)}; down ${speed(down)}; most memory of the server ${peak} MiB\n`);
  // A process without a file open has about 120 MiB.
  expect(peak).toBeLessThan(400);
});

it('shows nothing of uploads that a crash cut, and goes on', async () => {
  const count = 20;
  const clients = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const client = await logIn(server);
      const stream = new PassThrough();
      client.uploadFrom(stream, `cut-${index}`).catch(() => {});
      stream.write(Buffer.alloc(index % 2 === 0 ? 20 * MIB : 1 * MIB)); // in parts, and in memory
      return client;
    }),
  );
  const parts = async () => (await s3.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
  while ((await parts()) < count / 2) await setTimeout(20);
  await server.kill();
  for (const client of clients) client.close();
  const keys = async () => (await s3.client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents?.map(({ Key }) => Key);
  expect(await keys()).toEqual(['large.bin']);
  await server.start();
  const client = await logIn(server);
  await expect(client.send('AVBL')).rejects.toMatchObject({ code: 504 }); // a bucket is never full
  expect((await client.list()).map(({ name }) => name)).toEqual(['large.bin']);
  client.close();
});
