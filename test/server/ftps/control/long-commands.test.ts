/** Commands that work for long, and uploads that continue a file: nobody waits for them in vain, and they stop when nobody wants them. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readlinkSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runLong } from '../../../../server/ftps/control/long-command';
import type { Session } from '../../../../server/ftps/control/session';
import { RawClient, type TestServer, testServer } from '../../support/server';

const MIB = 1024 * 1024;
/** Sparse: takes no room, and longer to hash than any test waits. */
const HUGE = 64 * 1024 * MIB;

let server: TestServer;

async function start(idleSeconds = 900): Promise<void> {
  server = await testServer({ limits: { idleSeconds, stallSeconds: 5, drainSeconds: 60 } }, [
    { user: 'demo', home: '/demo' },
    { user: 'slow', home: '/demo', bandwidth: { downloadBytesPerSecond: MIB } },
  ]);
  mkdirSync(join(server.files, 'demo'), { recursive: true });
  writeFileSync(join(server.files, 'demo/huge'), '');
  truncateSync(join(server.files, 'demo/huge'), HUGE);
}
beforeEach(() => start());
afterEach(() => server.close());

/** Descriptors of a file of the home that this process has open. */
const openOn = (name: string) =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === join(server.files, 'demo', name);
    } catch {
      return false; // closed meanwhile
    }
  }).length;

/** Bytes in the staging folders. */
function staged(): number {
  const root = join(server.files, '.ftps-staging');
  try {
    return readdirSync(root)
      .flatMap((owner) => readdirSync(join(root, owner)).map((name) => join(root, owner, name)))
      .reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
  } catch {
    return 0;
  }
}

async function until(reached: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 8_000; !reached(); await sleep(20)) if (Date.now() > deadline) throw new Error('it never came to that');
}

it('HASH is not idle, keeps to the bandwidth of the account, and is right', async () => {
  await server.close();
  await start(1);
  const content = Buffer.alloc(2.5 * MIB, 'x');
  writeFileSync(join(server.files, 'demo/file'), content);
  const client = await RawClient.loggedIn(server, {}, 'slow');
  const begin = performance.now();
  expect(await client.send('HASH file')).toBe(`213 SHA-256 0-${content.length - 1} ${createHash('sha256').update(content).digest('hex')} file`);
  expect(performance.now() - begin).toBeGreaterThan(1_500);
});

it('ABOR ends HASH at once, and the session goes on', async () => {
  const client = await RawClient.loggedIn(server);
  client.write('HASH huge\r\n');
  await until(() => openOn('huge') > 0);
  client.write('ABOR\r\n');
  expect(await client.reply()).toBe('451 HASH was aborted.');
  expect(await client.reply()).toBe('226 The transfer was aborted.');
  expect(await client.send('PWD')).toContain('257');
  await until(() => openOn('huge') === 0);
});

it('NOOP is answered beside a HASH that runs, and in its place where it was sent along', async () => {
  writeFileSync(join(server.files, 'demo/small'), 'x');
  const client = await RawClient.loggedIn(server);
  client.write('HASH small\r\nNOOP\r\nHASH small\r\nNOOP\r\n');
  const codes = [];
  for (let count = 0; count < 4; count += 1) codes.push((await client.reply()).slice(0, 3));
  expect(codes).toEqual(['213', '200', '213', '200']);
  expect(await client.send('XSHA512 small')).toContain(createHash('sha512').update('x').digest('hex'));
  client.write('HASH huge\r\n');
  await sleep(1_100);
  expect(await client.send('NOOP')).toContain('200');
  expect(await client.send('STAT')).toContain('HASH /huge');
  client.close();
});

it('a client that goes takes its HASH with it', async () => {
  const client = await RawClient.loggedIn(server);
  client.write('HASH huge\r\n');
  await until(() => openOn('huge') > 0);
  client.close();
  await until(() => openOn('huge') === 0);
});

it('what a client had asked for that is gone before its turn is not begun', async () => {
  let begun = false;
  const replies: number[] = [];
  const session = { ended: true, flush: () => {}, reply: async (code: number) => void replies.push(code) } as unknown as Session;
  const act = async () => {
    begun = true;
    return { code: 213, text: '' };
  };
  await runLong(session, { command: 'HASH', path: '/huge', act });
  expect([begun, replies]).toEqual([false, [451]]);
});

it('a server that goes down does not wait for a HASH', async () => {
  const client = await RawClient.loggedIn(server);
  client.write('HASH huge\r\n');
  await until(() => openOn('huge') > 0);
  const begin = performance.now();
  const drained = server.server.drain();
  expect(await client.reply()).toContain('451');
  expect(await client.reply()).toContain('421');
  client.close();
  await drained;
  expect(performance.now() - begin).toBeLessThan(10_000);
});

it('one account’s hashes do not keep another’s waiting', async () => {
  writeFileSync(join(server.files, 'demo/small'), 'x');
  const greedy = await Promise.all(Array.from({ length: 6 }, () => RawClient.loggedIn(server)));
  for (const one of greedy) one.write('HASH huge\r\n');
  await until(() => openOn('huge') > 0);
  const other = await RawClient.loggedIn(server, {}, 'slow');
  expect(await other.send('HASH small')).toContain('213');
  for (const one of greedy) one.close();
});

describe('what APPE and REST with STOR keep', () => {
  const old = Buffer.alloc(8 * MIB, 'o');
  /** More than the first piece that an upload gathers. */
  const added = Buffer.alloc(128 * 1024, 'n');
  beforeEach(() => writeFileSync(join(server.files, 'demo/log'), old));

  it.each(['APPE log', 'REST 8000000\r\nSTOR log'])('is copied when something comes, not by the command: %s', async (commands) => {
    const client = await RawClient.loggedIn(server);
    const port = await client.epsv();
    client.write(`${commands}\r\n`);
    if (commands.startsWith('REST')) expect(await client.reply()).toContain('350');
    expect(await client.reply()).toContain('150');
    expect(staged()).toBe(0);
    const data = await client.data(server, port);
    expect(staged()).toBe(0);
    data.write(added);
    await until(() => staged() >= (commands.startsWith('REST') ? 8_000_000 : old.length));
    data.end();
    expect(await client.reply()).toContain('226');
    const kept = commands.startsWith('REST') ? old.subarray(0, 8_000_000) : old;
    expect((await readFile(join(server.files, 'demo/log'))).equals(Buffer.concat([kept, added]))).toBe(true);
    expect(staged()).toBe(0);
  });

  it('is copied no further when the client goes', async () => {
    const client = await RawClient.loggedIn(server);
    const port = await client.epsv();
    client.write('APPE huge\r\n');
    expect(await client.reply()).toContain('150');
    const data = await client.data(server, port);
    data.write(added);
    data.on('error', () => {});
    await until(() => openOn('huge') > 0 || server.audit.of('transfer').length > 0); // or the disk has no room for it
    client.close();
    data.destroy();
    if (!data.closed) await once(data, 'close'); // without room the server was first
    const { outcome } = await server.audit.next('transfer');
    expect(outcome).not.toBe('success');
    await until(() => openOn('huge') === 0 && staged() === 0);
  });

  it('costs nothing where the data connection never comes', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.loggedIn(server)));
    for (const one of clients) {
      await one.epsv();
      one.write('APPE log\r\n');
      expect(await one.reply()).toContain('150');
    }
    expect(staged()).toBe(0);
    for (const one of clients) one.close();
  });
});
