/** The built server on a file system that fills up. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';

const MIB = 1024 * 1024;
let server: RestartableServer;
let disk: string;

beforeAll(async () => {
  server = await serveRestartable((files) => {
    disk = join(files, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    return { storage: { kind: 'local', root: disk } };
  });
});
afterAll(async () => {
  await server.kill();
  execFileSync('umount', [disk]);
});

it('refuses what does not fit with 452, leaves nothing of it, keeps what was there, and takes what fits', async () => {
  const client = await logIn(server);
  const available = async () => Number((await client.send('AVBL')).message.slice(4));
  expect(await available()).toBeLessThanOrEqual(8 * MIB);
  await client.uploadFrom(Readable.from(Buffer.alloc(3 * MIB, 'a')), 'kept');
  const before = await available();
  expect(before).toBeLessThanOrEqual(5 * MIB);
  await expect(client.uploadFrom(Readable.from(Buffer.alloc(6 * MIB)), 'large')).rejects.toMatchObject({ code: 452 });
  await expect(client.uploadFrom(Readable.from(Buffer.alloc(6 * MIB)), 'kept')).rejects.toMatchObject({ code: 452 });
  expect(await available()).toBe(before);
  expect(await client.size('kept')).toBe(3 * MIB);
  expect(readdirSync(disk).filter((name) => !name.startsWith('.ftps-'))).toEqual(['kept']);
  await client.uploadFrom(Readable.from(Buffer.alloc(before - 64 * 1024)), 'fits');
  expect(await client.size('fits')).toBe(before - 64 * 1024);
  client.close();
});
