/** The event that the built server itself publishes for an upload, where no Lambda does. */

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Client } from 'basic-ftp';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';
import { type EventBus, startEventBus } from './event-bus';
import { type S3Server, startS3 } from './servers';

let s3: S3Server;
let bus: EventBus;
let bucket: string;
let server: RestartableServer;
let client: Client;
let outbox: string;

beforeAll(async () => {
  s3 = await startS3('moto');
  bus = await startEventBus(s3.endpoint);
  bucket = await s3.newBucket();
  process.env['AWS_ENDPOINT_URL_EVENTBRIDGE'] = bus.endpoint; // the server inherits it
  server = await serveRestartable(
    (files) => {
      outbox = join(dirname(files), 'outbox');
      return {
        workers: 2,
        storage: { kind: 's3', bucket, endpoint: s3.endpoint, pathStyle: true, region: 'us-east-1' },
        afterRelease: { eventBus: 'default', outbox, storage: 'prod/Files' },
      };
    },
    { home: '/partner' },
  );
  client = await logIn(server);
});
afterAll(async () => {
  client.close();
  expect(await server.stop()).toBe(0);
  bus.close();
  await s3.stop();
});

/** How the announcement of a path ended, by the audit. */
async function announced(path: string): Promise<{ status: string; reason?: string }> {
  for (;;) {
    const line = server.audit().find(({ unmapped }) => unmapped?.event === 'after-release' && unmapped.path === path);
    if (line) return { status: line.status, reason: line.unmapped?.reason };
    await setTimeout(50);
  }
}

it('says to EventBridge which file came, from whom, how large and with which hash; the audit says that it did', async () => {
  await client.uploadFrom(Readable.from('content'), 'invoice.pdf');
  expect(await announced('/invoice.pdf')).toEqual({ status: 'Success' });
  const upload = server.audit().find((line) => line.class_uid === 4008 && line.file?.path === '/invoice.pdf')!;
  expect(bus.events).toEqual([
    {
      Source: 'cdk-ftps',
      DetailType: 'FTPS Upload Released',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      storage: 'prod/Files',
      user: 'partner',
      path: '/invoice.pdf',
      file: `s3://${bucket}/partner/invoice.pdf`,
      bytes: 7,
      sha256: 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73',
      client: '127.0.0.1',
      session: upload.metadata.correlation_uid,
    },
  ]);
});

it('says nothing of what was refused, and keeps an event that EventBridge refuses until it takes it', async () => {
  bus.events = [];
  await expect(client.uploadFrom(Readable.from('x'), 'nowhere/file')).rejects.toMatchObject({ code: 550 });
  bus.refuse = true;
  await client.uploadFrom(Readable.from('content'), 'second.pdf');
  expect(await client.size('second.pdf')).toBe(7);
  await down();
  expect(readdirSync(outbox)).toHaveLength(1);
  bus.refuse = false;
  expect(await announced('/second.pdf')).toEqual({ status: 'Success' });
  expect([bus.events.map(({ path }) => path), readdirSync(outbox)]).toEqual([['/second.pdf'], []]);
});

it('killed while EventBridge takes nothing, it tells of every upload when it is started again', async () => {
  bus.events = [];
  bus.refuse = true;
  const names = ['one.pdf', 'two.pdf', 'three.pdf', 'four.pdf'];
  for (const name of names) {
    const other = await logIn(server); // the workers take turns
    await other.uploadFrom(Readable.from(name), name);
    other.close();
  }
  client.close();
  await server.kill();
  expect(readdirSync(outbox)).toHaveLength(4);
  expect(bus.events).toEqual([]);
  bus.refuse = false;
  await server.start();
  while (readdirSync(outbox).length > 0) await setTimeout(50);
  expect([...new Set(bus.events.map(({ path }) => path))].sort()).toEqual(names.map((name) => `/${name}`).sort());
  client = await logIn(server);
});

/** Until the audit says that EventBridge takes nothing. */
async function down(): Promise<void> {
  while (!server.audit().some(({ unmapped }) => unmapped?.event === 'health' && unmapped.part === 'events' && unmapped.state === 'down')) await setTimeout(50);
}
