/** Workers that are killed at every step of the way from one to the next: while they serve, put files into place, begin to serve, or wait to. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../server/support/free-port';
import { quickHash } from '../../server/support/quick-hash';
import { PASSWORD, RawClient } from '../../server/support/server';
import { type Watched, watched } from './watched';

const QUOTA = 1_000_000;
let server: Watched;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftps-accounts-'));
  const account = { user: 'demo', home: '/home', quota: { bytes: QUOTA }, passwordHash: quickHash(PASSWORD) };
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts: [account] }));
  // Fixed, as they are in service: where all workers die at once, a free port would be another one afterwards.
  const [explicit, implicit, proxied] = [await freePort(), await freePort(), await freePort()];
  const listeners = [
    { mode: 'explicit' as const, host: '127.0.0.1', port: explicit },
    { mode: 'implicit' as const, host: '127.0.0.1', port: implicit },
    { mode: 'explicit' as const, host: '127.0.0.1', port: proxied },
  ];
  server = await watched({
    workers: 2,
    listeners,
    passive: { ports: 'any:16', connectSeconds: 5 },
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
  });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

/** Process ids of the workers and of the one that waits to be one. */
const processes = () => readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
const kill = (pid: number) => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has gone by itself
  }
};

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await reached()); await sleep(20)) if (Date.now() > deadline) throw new Error('it never came to that');
}

const logIn = () => RawClient.loggedIn({ explicit: server.ports.explicit, authority: server.authority } as Parameters<typeof RawClient.loggedIn>[0]);

async function store(client: RawClient, name: string, bytes: number): Promise<string> {
  const port = await client.epsv();
  client.write(`STOR ${name}\r\n`);
  const first = await client.reply();
  if (!first.startsWith('150')) return first;
  const data = await client.data(server, port);
  data.on('error', () => {}).resume();
  data.end(Buffer.alloc(bytes, name));
  return client.reply();
}

/** That everything is as if nothing had happened: each worker serves, no name is held, the quota is as the home is, staging is empty. */
async function sound(): Promise<void> {
  await until(() => processes().length >= 2); // who waited to serve is not replaced before it is needed
  const clients: RawClient[] = [];
  // Connections that came to a worker that was just ending are lost; that is all that may be.
  while (clients.length < 4) {
    const one = await logIn().catch(() => undefined);
    if (one) clients.push(one);
  }
  for (const client of clients) expect(await store(client, 'same', 100_000)).toContain('226');
  const home = join(server.files, 'home');
  const held = readdirSync(home).reduce((sum, name) => sum + statSync(join(home, name)).size, 0);
  expect(await clients[0]!.send('AVBL')).toBe(`213 ${QUOTA - held}`);
  for (const client of clients) client.close();
  expect(JSON.parse(await server.admin('/health'))).toMatchObject({ status: 'ok' });
}

it('one that waits to serve', async () => {
  await until(() => processes().length >= 2);
  kill(Math.max(...processes()));
  await sleep(300);
  // None waits any more until the next is lost: then one is made, and another to wait.
  kill(Math.min(...processes()));
  await sound();
});

it('one that has just begun to, again and again', async () => {
  await until(() => processes().length >= 2);
  for (let turn = 0; turn < 6; turn += 1) {
    const before = new Set(processes());
    kill([...before][turn % 2]!);
    await until(() => processes().some((pid) => !before.has(pid)) || processes().length < 2); // or it was the one that waited
    await sleep(turn * 60); // a little later each time: forked, told to start, listening
    for (const pid of processes()) if (!before.has(pid)) kill(pid);
  }
  await sound();
}, 60_000);

it('both at once', async () => {
  await until(() => processes().length >= 2);
  for (const pid of processes()) kill(pid);
  await sound();
}, 60_000);

it('in the midst of uploads of one name that come into place, whose locks and rooms go with it', async () => {
  let stop = false;
  let stored = 0;
  const busy = Array.from({ length: 6 }, async () => {
    while (!stop) {
      const client = await logIn().catch(() => undefined);
      try {
        while (client && !stop) if ((await store(client, 'same', 100_000)).startsWith('226')) stored += 1;
      } catch {
        // its worker is gone
      } finally {
        client?.close();
      }
    }
  });
  for (let turn = 0; turn < 6; turn += 1) {
    const before = stored;
    await until(() => stored > before + 3);
    const [one] = processes();
    kill(one!);
  }
  stop = true;
  await Promise.all(busy);
  expect(stored).toBeGreaterThan(18);
  await sound();
  const content = readFileSync(join(server.files, 'home/same'));
  expect(content.equals(Buffer.alloc(100_000, 'same'))).toBe(true);
}, 120_000);
