/**
 * Clients of an account that never read, listings that are larger than anybody's memory, and reloads all the while; and the thief of data
 * connections. Against the built server with one and with two workers.
 *
 * LISTED  how many entries are listed, 50,000 by default; 1,000,000 is the long form
 */
import { once } from 'node:events';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { quickHash } from '../../server/support/quick-hash';
import { PASSWORD as RAW_PASSWORD, RawClient, readAll } from '../../server/support/server';
import { p99, timesUntil } from './attack';
import { auditLines, PASSWORD, type Watched, watched } from './watched';
import { Wire } from './wire';

const LISTED = Number(process.env.LISTED ?? 50_000);
const STALLED = 24;
const KIB = 1024;

jest.setTimeout(LISTED > 50_000 ? 600_000 : 60_000);

describe.each([1, 2])('%i workers', (workers) => {
  let server: Watched;
  beforeAll(async () => {
    const limits = { sessionsPerAddress: 1_000, sessionsPerAccount: 1_000, connectionsPerMinutePerAddress: 100_000, stallSeconds: 600 };
    server = await watched({ workers, passive: { ports: 'any:64', connectSeconds: 5 }, limits }, [
      { user: 'demo', passwordHash: quickHash(PASSWORD) },
      { user: 'raw', passwordHash: quickHash(RAW_PASSWORD) },
    ]);
    writeFileSync(join(server.files, 'huge'), '');
    truncateSync(join(server.files, 'huge'), 1024 * KIB * KIB);
    mkdirSync(join(server.files, 'many'));
    for (let one = 0; one < LISTED; one += 1) writeFileSync(join(server.files, 'many', `entry-${one}`), '');
  });
  afterAll(async () => {
    expect(server.crashed()).toBe(false);
    expect(server.warnings()).toEqual([]);
    await server.stop();
  });

  const logIn = (tls: ConnectionOptions = {}) =>
    RawClient.loggedIn({ explicit: server.ports.explicit, authority: server.authority } as Parameters<typeof RawClient.loggedIn>[0], tls, 'raw');

  /** Resident memory of the server and its workers. Bytes. */
  function resident(): number {
    const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return [server.pid, ...children].reduce<number>(
      (sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * KIB,
      0,
    );
  }

  /** Begins a transfer of which the client reads nothing. */
  async function unread(client: RawClient, command: string): Promise<TLSSocket> {
    const port = await client.epsv();
    client.write(`${command}\r\n`);
    const data = await client.data(server, port);
    data.on('error', () => {}).pause();
    const reply = await client.reply();
    if (!reply.startsWith('150')) throw new Error(reply);
    return data;
  }

  /** What another session feels in the meantime: the longest wait and p99, in milliseconds. */
  async function felt(meanwhile: Promise<unknown>): Promise<{ longest: number; p99: number }> {
    const wire = await Wire.loggedIn(server);
    const times = await timesUntil(meanwhile, async () => {
      wire.write('NOOP\r\n');
      await wire.expect('200');
    });
    wire.write('QUIT\r\n');
    return { longest: Math.round(times.at(-1)!), p99: Math.round(p99(times)) };
  }

  const tell = (what: object) => process.stdout.write(`unread: ${JSON.stringify({ workers, ...what })}\n`);

  it.each([
    ['a download', 'RETR huge', 4_096],
    ['a listing', 'MLSD many', 10_240],
  ])('%s that is never read holds little memory', async (name, command, most) => {
    const clients = await Promise.all(Array.from({ length: STALLED }, () => logIn()));
    const before = resident();
    const begun = Promise.all(clients.map((client) => unread(client, command)));
    const feels = await felt(begun.then(() => new Promise((resolve) => setTimeout(resolve, 2_000))));
    const each = Math.round((resident() - before) / STALLED / KIB);
    tell({ name, kibEach: each, ...feels });
    expect(each).toBeLessThan(most);
    for (const data of await begun) data.destroy();
    for (const client of clients) client.close();
    await server.idle();
  });

  it('replies that are never read hold little memory, and commands behind them are not taken', async () => {
    const clients = await Promise.all(Array.from({ length: STALLED }, () => logIn()));
    const before = resident();
    const commands = Buffer.from('HELP\r\n'.repeat(16_384));
    for (const { socket } of clients) {
      socket.on('error', () => {}).pause();
      for (let piece = 0; piece < 64; piece += 1) socket.write(commands); // 6 MiB of commands, 100 times as much of replies
    }
    const feels = await felt(new Promise((resolve) => setTimeout(resolve, 2_000)));
    const each = Math.round((resident() - before) / STALLED / KIB);
    tell({ name: 'replies', kibEach: each, ...feels });
    expect(each).toBeLessThan(2_048);
    for (const { socket } of clients) expect((socket as TLSSocket).writableLength).toBeGreaterThan(0);
    for (const client of clients) client.close();
    await server.idle();
  });

  it(`a listing of ${LISTED} entries to a slow reader is whole, in bounded memory, and others are served`, async () => {
    const client = await logIn();
    const before = resident();
    let peak = before;
    let lines = 0;
    const data = await unread(client, 'MLSD many');
    const end = (async () => {
      let pieces = 0;
      for await (const piece of data as AsyncIterable<Buffer>) {
        for (const byte of piece) if (byte === 10) lines += 1;
        pieces += 1;
        if (pieces % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        if (pieces % 32 === 0) peak = Math.max(peak, resident());
      }
    })();
    const feels = await felt(end);
    expect(await client.reply()).toMatch(/^226/);
    tell({ name: `${LISTED} entries`, mib: Math.round((peak - before) / KIB / KIB), ...feels });
    expect(lines).toBeGreaterThanOrEqual(LISTED);
    expect(peak - before).toBeLessThan(256 * KIB * KIB);
    expect(feels.longest).toBeLessThan(1_000);
    client.close();
    await server.idle();
  });

  it('reloads in a loop, with new certificates and accounts, disturb no session', async () => {
    const client = await logIn();
    const issued = await Promise.all([server.authority.issue(), server.authority.issue()]);
    const accounts = readFileSync(join(server.folder, 'accounts.json'), 'utf8');
    const deadline = Date.now() + 3_000;
    let reloads = 0;
    const loop = (async () => {
      while (Date.now() < deadline) {
        const next = issued[reloads % 2]!;
        writeFileSync(join(server.folder, 'server.key'), next.key, { mode: 0o600 });
        writeFileSync(join(server.folder, 'server.pem'), next.certificate);
        writeFileSync(join(server.folder, 'accounts.json'), `${accounts}${' '.repeat(reloads % 2)}`);
        if (reloads % 2) process.kill(server.pid, 'SIGHUP');
        else await fetch(`http://127.0.0.1:${JSON.parse(readFileSync(join(server.folder, 'ready.json'), 'utf8')).admin}/reload`, { method: 'POST' });
        reloads += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    let logins = 0;
    const newcomers = (async () => {
      while (Date.now() < deadline) {
        const other = await logIn();
        expect(await other.send('SIZE huge')).toBe(`213 ${1024 * KIB * KIB}`);
        other.close();
        logins += 1;
      }
    })();
    const feels = await felt(Promise.all([loop, newcomers]));
    expect(await client.send('NOOP')).toMatch(/^200/);
    tell({ name: 'reloads', reloads, logins, ...feels });
    expect(reloads).toBeGreaterThan(10);
    expect(logins).toBeGreaterThan(3);
    expect(feels.longest).toBeLessThan(1_000);
    client.close();
    await server.idle();
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('a thief at the same address who comes first gets nothing, under %s', async (version) => {
    const tls = { minVersion: version, maxVersion: version };
    writeFileSync(join(server.files, 'salaries'), 'the salaries of everybody');
    const client = await logIn(tls);
    const port = await client.epsv();
    const visit = () => connectTls({ host: '127.0.0.1', port, ca: server.authority.pem, servername: 'localhost', ...tls }).on('error', () => {});
    const thief = visit();
    const stolen = received(thief);
    await once(thief, 'secureConnect');
    const own = received(visit());
    await new Promise((resolve) => setTimeout(resolve, 10));
    client.write('RETR salaries\r\n');
    expect(await client.reply()).toMatch(/^150 /);
    expect({ stolen: await stolen, own: await own }).toEqual({ stolen: '', own: '' });
    expect(await client.reply()).toMatch(/^522 /);
    // Who resumes the session is served all the same.
    const next = await client.epsv();
    client.write('RETR salaries\r\n');
    const data = await client.data(server, next);
    expect((await readAll(data)).toString()).toBe('the salaries of everybody');
    expect(await client.reply()).toMatch(/^150 /);
    expect(await client.reply()).toMatch(/^226 /);
    expect(auditLines(server).filter((line) => line.includes('session-not-resumed')).length).toBeGreaterThan(0);
    expect(auditLines(server).join('')).not.toContain(PASSWORD);
    client.close();
    await server.idle();
  });
});

/** All that comes until the connection is closed. */
function received(socket: TLSSocket): Promise<string> {
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk;
  });
  return new Promise((resolve) => socket.once('close', () => resolve(got)));
}
