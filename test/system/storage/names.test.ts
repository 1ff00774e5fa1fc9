/** Keys that other programs put into S3 and that no file system would have: shown as what they are, and never lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';
import { type S3Server, startS3 } from './servers';

let s3: S3Server;
let bucket: string;
let server: RestartableServer;
beforeAll(async () => {
  s3 = await startS3('moto');
  bucket = await s3.newBucket();
  server = await serveRestartable(() => ({ storage: { kind: 's3', bucket, endpoint: s3.endpoint, pathStyle: true, region: 'us-east-1' } }));
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await s3.stop();
});

it('a file and a folder of one name are both listed and both used; what no path can name is hidden, and stays', async () => {
  for (const [Key, Body] of [
    ['both', 'the file'],
    ['both/inside', 'in the folder'],
    ['odd//doubled', 'kept'],
    ['odd/./dotted', 'kept'],
  ] as const)
    await s3.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  const client = await logIn(server);
  const listed = (await client.list('/')).filter(({ name }) => name === 'both').map(({ isDirectory }) => isDirectory);
  expect(listed.sort()).toEqual([false, true]);
  await client.cd('both');
  expect((await client.list()).map(({ name }) => name)).toEqual(['inside']);
  await client.cd('/');
  expect(await client.size('both')).toBe(8);
  expect(await content(client, 'both')).toBe('the file');
  expect(await content(client, 'both/inside')).toBe('in the folder');
  await client.remove('both');
  expect((await client.list('both')).map(({ name }) => name)).toEqual(['inside']);
  // What no path can name is hidden, goes along with its folder, and keeps it from being removed.
  expect(await client.list('odd')).toEqual([]);
  await expect(client.send('RMD odd')).rejects.toThrow(/^550/);
  await client.rename('odd', 'moved');
  client.close();
  const keys = await s3.keys(bucket, 'moved/');
  expect(keys).toEqual(expect.arrayContaining(['moved//doubled', 'moved/./dotted']));
});

async function content(client: Awaited<ReturnType<typeof logIn>>, path: string): Promise<string> {
  const file = join(server.folder, 'fetched');
  await client.downloadTo(file, path);
  return readFileSync(file, 'utf8');
}
