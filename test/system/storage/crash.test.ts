/** The built server on a local disk, ended by `kill -9` in the middle of two hundred uploads. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Client } from 'basic-ftp';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';

const COUNT = 200;
let server: RestartableServer;

beforeAll(async () => {
  // The first uploads wait for the last, and that may be long on a busy machine.
  server = await serveRestartable(() => ({ limits: { stallSeconds: 3_600, idleSeconds: 3_600 } }));
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

const staged = (): string[] => {
  const staging = join(server.files, '.ftps-staging');
  if (!existsSync(staging)) return [];
  return readdirSync(staging).flatMap((owner) => readdirSync(join(staging, owner)));
};

it('leaves no partial file, every old one as it was, and an empty staging after the next start', async () => {
  for (let index = 0; index < COUNT; index += 2) writeFileSync(join(server.files, `file-${index}`), `old ${index}`);
  const clients: Client[] = [];
  const streams: PassThrough[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < COUNT; index = next++) {
      const client = await logIn(server, 600_000);
      const stream = new PassThrough();
      client.uploadFrom(stream, `file-${index}`).catch(() => {});
      stream.write(Buffer.alloc(100_000, index));
      clients.push(client);
      streams.push(stream);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  while (staged().length < COUNT) await setTimeout(20);
  // Some are being put into place at the very moment of the crash.
  for (const stream of streams.slice(0, 20)) stream.end();
  await server.kill();
  for (const client of clients) client.close();

  expect(staged().length).toBeGreaterThan(0);
  for (const name of readdirSync(server.files).filter((name) => !name.startsWith('.ftps-'))) {
    const content = readFileSync(join(server.files, name));
    const index = Number(name.slice('file-'.length));
    const whole = content.length === 100_000 && content.every((byte) => byte === index);
    expect([name, whole || content.toString() === `old ${index}`]).toEqual([name, true]);
  }
  for (let index = 0; index < COUNT; index += 2) expect(readdirSync(server.files)).toContain(`file-${index}`);

  await server.start();
  // It is swept beside those who are served already.
  while (staged().length > 0) await setTimeout(20);
  const client = await logIn(server, 600_000);
  await client.uploadFrom(Readable.from('after the crash'), 'after');
  expect(readFileSync(join(server.files, 'after'), 'utf8')).toBe('after the crash');
  client.close();
});
