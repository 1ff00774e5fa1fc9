/** Logins as a weapon: against transfers, against each other, and against the limits that count them. The built server, alone and with two workers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { hashPassword } from '../../../server/identity/password';
import { quickHash } from '../../server/support/quick-hash';
import { PASSWORD, type Watched, watched } from './watched';

const MIB = 1024 * 1024;
const FILE = 1024 * MIB;
/** The limits that would keep one address from making this load. */
const unlimited = {
  sessionsPerAddress: 10_000,
  sessionsPerAccount: 10_000,
  connectionsPerMinutePerAddress: 1_000_000_000,
  lockout: { failuresPerAddress: 1_000_000_000, failuresPerAccount: 1_000_000_000 },
};
const withoutLockouts = { ...unlimited, strangersPerAddress: 10_000 };

interface Outcome {
  readonly replies: Readonly<Record<string, number>>;
  readonly times: readonly number[];
}

/** Clients in a process of their own. `stop` ends their loops and says what became of them. */
async function loops(server: Watched, settings: object): Promise<{ stop(): Promise<Outcome>; outcome: Promise<Outcome> }> {
  const common = { port: server.ports.explicit, ca: join(server.folder, 'ca.pem'), user: 'demo', password: PASSWORD };
  const child = spawn(process.execPath, [join(__dirname, 'login-loops.mjs'), JSON.stringify({ ...common, ...settings })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  await lines.next();
  const outcome = lines.next().then(({ value }) => JSON.parse(value) as Outcome);
  return {
    outcome,
    stop() {
      child.stdin!.end();
      return outcome;
    },
  };
}

async function connected(server: Watched): Promise<Client> {
  const client = new Client(60_000);
  const secureOptions = { ca: server.authority.pem, servername: 'localhost' };
  await client.access({ host: '127.0.0.1', port: server.ports.implicit, user: 'demo', password: PASSWORD, secure: 'implicit', secureOptions });
  return client;
}

/** MB/s. */
async function download(client: Client): Promise<number> {
  let bytes = 0;
  const nowhere = new Writable({
    highWaterMark: MIB,
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  const begin = performance.now();
  await client.downloadTo(nowhere, 'big');
  if (bytes !== FILE) throw new Error(`${bytes} bytes came instead of ${FILE}`);
  return bytes / 1e3 / (performance.now() - begin);
}

/** Milliseconds that NOOPs of another session take while something goes on; the 99th of a hundred. */
async function noopsDuring(client: Client, work: Promise<unknown>): Promise<number> {
  let over = false;
  const done = () => {
    over = true;
  };
  work.then(done, done);
  const times: number[] = [];
  while (!over) {
    const begin = performance.now();
    await client.send('NOOP');
    times.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

describe.each([1, 2])('with %s worker(s)', (workers) => {
  describe('at what an honest hash costs', () => {
    let server: Watched;
    let passwordHash: string;
    beforeAll(async () => {
      passwordHash = await hashPassword(PASSWORD);
      server = await watched({ workers, limits: withoutLockouts }, [{ user: 'demo', passwordHash }]);
      const file = openSync(join(server.files, 'big'), 'w');
      for (let at = 0; at < FILE; at += MIB) writeSync(file, Buffer.alloc(MIB, at / MIB));
      closeSync(file);
    }, 120_000);
    afterAll(() => server.stop());

    it.each(['wrong', 'right'])(
      'a download goes on beside sixteen clients that log in in a loop with the %s password',
      async (kind) => {
        // How fast is for the bench to say: here it is printed. Alone is before and after, with the other session's NOOPs as beside the logins.
        const [downloader, other] = [await connected(server), await connected(server)];
        const timed = async () => {
          const whole = download(downloader);
          const noop = await noopsDuring(other, whole);
          return { speed: await whole, noop }; // whole, or it had thrown
        };
        await timed();
        const before = await timed();
        const attack = await loops(server, { lanes: 16, ...(kind === 'wrong' ? { password: 'wrong' } : {}) });
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        const begin = performance.now();
        const late = await connected(server);
        const login = performance.now() - begin;
        const { speed, noop } = await timed();
        const { replies } = await attack.stop();
        const after = await timed();
        const alone = (before.speed + after.speed) / 2;
        process.stdout.write(
          `logins: ${workers} worker(s), ${kind}: download ${speed.toFixed(0)} MB/s beside, ${alone.toFixed(0)} alone (${(speed / alone).toFixed(2)}); ` +
            `NOOP p99 ${noop.toFixed(0)} ms; a login ${login.toFixed(0)} ms; ${JSON.stringify(replies)}\n`,
        );
        for (const client of [downloader, other, late]) client.close();
        expect(Object.keys(replies)).toEqual([kind === 'wrong' ? '530' : '230']);
      },
      180_000,
    );

    it('a hundred clients that come at once with the right password are all let in', async () => {
      const { replies, times } = await (await loops(server, { lanes: 100, logins: 100, timeoutMs: 15_000 })).outcome;
      process.stdout.write(`logins: ${workers} worker(s), a hundred at once: the last after ${Math.max(...times).toFixed(0)} ms; ${JSON.stringify(replies)}\n`);
      expect(replies).toEqual({ 230: 100 });
    }, 60_000);

    it('no file work waits for hashes: a listing comes at once while forty passwords are checked', async () => {
      const client = await connected(server);
      const attack = await loops(server, { lanes: 40, password: 'wrong' });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const times: number[] = [];
      for (let count = 0; count < 20; count += 1) {
        const begin = performance.now();
        await client.list();
        times.push(performance.now() - begin);
      }
      await attack.stop();
      client.close();
      process.stdout.write(`logins: ${workers} worker(s): a listing beside forty logins ${median(times).toFixed(0)} ms\n`);
      expect(median(times)).toBeLessThan(300);
    }, 120_000);
  });

  describe('the limits', () => {
    it('hold when a hundred passwords come at the same moment: ten are looked at, the account is locked once and for as long as the first time', async () => {
      const server = await watched({ workers, limits: { ...unlimited, lockout: { failuresPerAddress: 1_000 } } }, [
        { user: 'demo', passwordHash: await hashPassword(PASSWORD) },
      ]);
      const { replies } = await (await loops(server, { lanes: 100, logins: 100, password: 'wrong', lastPassword: PASSWORD })).outcome;
      await server.stop();
      const reasons = new Map<string, number>();
      for (const { status_detail: reason = '', count = 1 } of eventsOf(server, 'login')) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
      const lockouts = lockoutsOf(server);
      process.stdout.write(`logins: ${workers} worker(s), a burst: ${JSON.stringify([replies, Object.fromEntries(reasons), lockouts])}\n`);
      expect(reasons.get('wrong-password')).toBe(10);
      expect(replies['last 530']).toBe(1);
      expect(lockouts).toEqual([30]);
    }, 60_000);

    it('count connections that never speak and handshakes that fail', async () => {
      const server = await watched({ workers, limits: { strangersPerAddress: 20 } });
      const open = () => connect(server.ports.explicit, '127.0.0.1').on('error', () => {});
      for (let count = 0; count < 10; count += 1) {
        const failing = open();
        await once(failing, 'data');
        failing.write('AUTH TLS\r\n');
        await once(failing, 'data');
        failing.end('no TLS at all\r\n');
        await once(failing, 'close');
      }
      const silent = Array.from({ length: 10 }, open);
      await Promise.all(silent.map((socket) => once(socket, 'data')));
      const [refused] = await once(open(), 'data');
      expect(String(refused)).toMatch(/^421 Too many connections from your address/);
      for (const socket of silent) socket.destroy();
      await server.stop();
    }, 60_000);
  });

  it('a name says nothing by time: with an account, without one, and with a password that is remembered', async () => {
    // Of two costs, so that it shows where names without an account always cost the same.
    const dear = quickHash(PASSWORD).replace('ln=4', 'ln=12');
    const accounts = ['demo', 'ann', 'bob'].map((user, index) => ({ user, passwordHash: index === 2 ? dear : quickHash(PASSWORD) }));
    const server = await watched({ workers, limits: withoutLockouts }, accounts);
    const wrong = async (user: string) => {
      const { times } = await (await loops(server, { lanes: 1, logins: 20, user, password: 'wrong' })).outcome;
      return Math.min(...times); // what it costs, whatever else the machine does
    };
    await (await loops(server, { lanes: 1, logins: 3, user: 'ann' })).outcome;
    const figures = { remembered: await wrong('ann'), 'not remembered': await wrong('demo'), dear: await wrong('bob') };
    const unknown: number[] = [];
    for (let name = 0; name < 12; name += 1) unknown.push(await wrong(`nobody${name}`));
    await server.stop();
    process.stdout.write(`logins: ${workers} worker(s), a wrong password: ${JSON.stringify({ ...figures, unknown })}\n`);
    // Were all of them cheap, a dear name would be one that has an account.
    expect(unknown.filter((time) => time > figures.dear / 2).length).toBeGreaterThan(0);
    expect(unknown.filter((time) => time < figures.dear / 2).length).toBeGreaterThan(0);
    expect(figures.remembered).toBeLessThan(figures.dear / 2);
    for (const time of unknown) expect(time).toBeGreaterThan(Math.min(figures.remembered, figures['not remembered']) / 3);
  }, 120_000);
});

type AuditEvent = { readonly status_detail?: string; readonly count?: number; readonly unmapped: Readonly<Record<string, unknown>> };

function eventsOf(server: Watched, kind: string): AuditEvent[] {
  const lines = server.audited().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as AuditEvent).filter(({ unmapped }) => unmapped['event'] === kind);
}

const lockoutsOf = (server: Watched) => eventsOf(server, 'lockout').map(({ unmapped }) => unmapped['seconds']);
