/** Events of uploads: kept on disk until EventBridge has taken them, whatever happens between. A server of the test stands for EventBridge. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterReleaseSchema } from '../../../../server/config/after-release';
import type { ServerConfig } from '../../../../server/config/schema';
import { type ReleaseDetail, releasedUpload } from '../../../../server/files/release/event';
import { Releases } from '../../../../server/files/release/releases';
import { openStorage } from '../../../../server/files/storage/open';
import { type Storage, StorageError } from '../../../../server/files/storage/storage';
import { AuditRecorder } from '../../support/server';

/** What EventBridge does with a request. */
type Mood = 'takes' | 'is down' | 'throttles every second' | 'refuses the first for good';
let mood: Mood;
let taken: ReleaseDetail[];
let requests: number;
let bridge: Server;
let heard: () => void;

beforeAll(async () => {
  bridge = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests += 1;
    const answer = (status: number, value: object) => response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(value));
    heard();
    if (mood === 'is down') return void answer(503, { __type: 'ServiceUnavailable' });
    const entries = JSON.parse(body).Entries as { Detail: string }[];
    const results = entries.map(({ Detail }, index) => {
      if (mood === 'throttles every second' && index % 2 === 1) return { ErrorCode: 'ThrottlingException' };
      if (mood === 'refuses the first for good' && index === 0) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'no' };
      taken.push(JSON.parse(Detail));
      return { EventId: randomUUID() };
    });
    mood = 'takes';
    answer(200, { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results });
  });
  bridge.listen(0, '127.0.0.1');
  await once(bridge, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterAll(() => {
  bridge.closeAllConnections();
  bridge.close();
});

let folder: string;
let outbox: string;
let storage: Storage;
let audit: AuditRecorder;
const open: Releases[] = [];
beforeEach(() => {
  [mood, taken, requests, heard] = ['takes', [], 0, () => {}];
  folder = mkdtempSync(join(tmpdir(), 'ftps-outbox-'));
  outbox = join(folder, 'outbox');
  mkdirSync(join(folder, 'files/acme'), { recursive: true });
  storage = openStorage({ storage: { kind: 'local', root: join(folder, 'files'), fsync: false } } as ServerConfig);
  audit = new AuditRecorder();
});
afterEach(async () => {
  mood = 'takes';
  for (const one of open.splice(0)) await one.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(more: object = {}, place = { index: 0, count: 1 }): Promise<Releases> {
  const config = afterReleaseSchema.parse({ eventBus: 'default', outbox, storage: 'prod/Files', ...more });
  const releases = await Releases.open(config, { audit, storage, place });
  open.push(releases);
  return releases;
}

const upload = (path: string, bytes = 7) => ({
  user: 'acme',
  path,
  file: join(folder, 'files/acme', path),
  bytes,
  sha256: 'ab'.repeat(32),
  verdict: { result: 'clean' as const, engine: 'clamd 1.4' },
  client: '192.0.2.1',
  session: 'a session',
});
const write = (path: string) => writeFileSync(join(folder, 'files/acme', path), 'content');
const arrives = (releases: Releases, path: string) =>
  releases.release(upload(path), '/acme', async () => {
    write(path);
    return 'visible';
  });
const kept = () => (existsSync(outbox) ? readdirSync(outbox) : []);
const paths = () => taken.map(({ path }) => path).sort();
async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await new Promise((resolve) => setImmediate(resolve));
}
/** What `kill -9` would leave behind now, in a folder for whoever comes next. The one that is still there may deliver as well: at least once. */
function crash(): void {
  const left = `${outbox}-left`;
  cpSync(outbox, left, { recursive: true });
  outbox = left;
}

it('an event says all that its schema has, once EventBridge takes it, and nothing stays on the disk', async () => {
  await arrives(await start(), '/a');
  expect(await audit.next('after-release')).toMatchObject({ what: 'event', outcome: 'success', path: '/a' });
  expect(taken).toEqual([{ ...upload('/a'), id: expect.stringMatching(/^[0-9a-f-]{36}$/), storage: 'prod/Files' }]);
  expect(releasedUpload.parse(taken[0])).toEqual(taken[0]);
  expect(kept()).toEqual([]);
});

it('an upload that is held, or failed, is told of to nobody', async () => {
  const releases = await start();
  await releases.release(upload('/held'), '/acme', async () => 'held');
  const failed = releases.release(upload('/failed'), '/acme', async () => {
    throw new Error('the disk is full');
  });
  await expect(failed).rejects.toThrow('the disk is full');
  await releases.close();
  expect([requests, kept().length]).toEqual([0, 1]); // it is looked for again, in case it is there all the same
});

it('uploads that are refused at the last moment, which clients can have as often as they like, leave room for those of others', async () => {
  const releases = await start({ outboxEvents: 2 });
  for (const code of ['exists', 'not-found', 'quota'] as const) {
    const refused = releases.release(upload(`/${code}`), '/acme', async () => {
      throw new StorageError(code, 'No.');
    });
    await expect(refused).rejects.toMatchObject({ code });
  }
  expect(kept()).toEqual([]);
  await arrives(releases, '/a');
  await audit.next('after-release');
  expect(paths()).toEqual(['/a']);
});

it('while EventBridge is down events wait on the disk; the server says so once, and again when they are gone', async () => {
  mood = 'is down';
  const releases = await start();
  const asked = new Promise<void>((resolve) => {
    heard = resolve;
  });
  await arrives(releases, '/a');
  await asked;
  await arrives(releases, '/b');
  expect(await audit.next('health')).toMatchObject({ part: 'events', state: 'down', detail: expect.stringContaining('ServiceUnavailable') });
  expect(kept()).toHaveLength(2);
  mood = 'takes';
  expect(await audit.next('health', ({ state }) => state === 'up')).toMatchObject({ part: 'events' });
  await audit.next('after-release', ({ path }) => path === '/b');
  expect([paths(), kept(), releases.waiting]).toEqual([['/a', '/b'], [], 0]);
  expect(audit.of('health')).toHaveLength(2);
});

it('of several that go at once, those that were not taken go again, and what is refused for good is in the audit', async () => {
  mood = 'is down';
  const releases = await start();
  for (const path of ['/a', '/b', '/c', '/d']) await arrives(releases, path);
  await audit.next('health');
  mood = 'throttles every second';
  await audit.next('after-release', ({ path }) => path === '/c');
  expect(paths()).toEqual(['/a', '/c']);
  await releases.close();
  expect(paths()).toEqual(['/a', '/b', '/c', '/d']);
  mood = 'refuses the first for good';
  await arrives(await start(), '/e');
  expect(await audit.next('after-release', ({ path }) => path === '/e')).toMatchObject({ outcome: 'failure', reason: 'MalformedDetail: no' });
  expect(kept()).toEqual([]);
});

describe('what is left', () => {
  it('when the server goes down is told to the audit, and delivered by the next one under the same id', async () => {
    mood = 'is down';
    const first = await start();
    await arrives(first, '/a');
    await audit.next('health');
    await first.close();
    expect(audit.of('after-release').at(-1)).toMatchObject({
      outcome: 'failure',
      path: '/a',
      reason: expect.stringContaining(`kept in ${outbox}: ServiceUnavailable`),
    });
    const [name] = kept();
    mood = 'takes';
    await start();
    await audit.next('after-release', ({ outcome }) => outcome === 'success');
    expect(name).toContain(taken[0]!.id);
    expect(kept()).toEqual([]);
  });

  it('by a crash behind the moment at which the upload appeared, and before its event was due, is found', async () => {
    const releases = await start();
    void releases.release(upload('/a'), '/acme', () => {
      write('/a');
      return new Promise(() => {}); // never comes to its end
    });
    await until(() => existsSync(join(folder, 'files/acme/a')));
    crash();
    await start();
    await audit.next('after-release');
    expect(paths()).toEqual(['/a']);
  });

  it('by a crash before that moment is forgotten, and so is a record that was cut short', async () => {
    const long = (Date.now() - 600_000).toString(36);
    mkdirSync(outbox);
    const id = randomUUID();
    writeFileSync(join(outbox, `0-${long}-${id}.begun`), JSON.stringify({ detail: { id, ...upload('/never') }, home: '/acme' }));
    writeFileSync(join(outbox, `0-${long}-${randomUUID()}.begun`), '{"detail":');
    await start();
    expect([kept(), requests]).toEqual([[], 0]);
  });

  it('by other workers is left to them, but for places that there are no more', async () => {
    mood = 'is down';
    for (const index of [0, 1, 2]) await arrives(await start({}, { index, count: 3 }), `/${index}`);
    expect(kept()).toHaveLength(3);
    crash();
    mood = 'takes';
    await start({}, { index: 1, count: 2 });
    await until(() => !kept().some((name) => name.startsWith('1-')));
    expect(kept().map((name) => name[0])).toEqual(['0', '2']);
    await start({}, { index: 0, count: 2 });
    await until(() => kept().length === 0);
    expect(paths()).toEqual(expect.arrayContaining(['/0', '/1', '/2']));
  });
});

it('when too many wait, uploads are refused before they appear, and taken again when there is room', async () => {
  mood = 'is down';
  const releases = await start({ outboxEvents: 1 });
  await arrives(releases, '/a');
  await expect(arrives(releases, '/b')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('could not be told') });
  expect(existsSync(join(folder, 'files/acme/b'))).toBe(false);
  mood = 'takes';
  await audit.next('after-release');
  await arrives(releases, '/b');
});

it('a folder that can not be used is named at the start', async () => {
  writeFileSync(outbox, '');
  await expect(start()).rejects.toThrow(`afterRelease.outbox: ${outbox} can't be used (EEXIST)`);
});
