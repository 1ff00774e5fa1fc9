/** Several processes behind one port: what is shared between them, and what happens when one dies. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, rmSync, watch, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { Client, FTPError } from 'basic-ftp';
import { localCertificate } from '../../../bin/commands/local-ca';
import { BUNDLE, PASSWORD, run, type ServedProcess, serveProcess, USER } from '../support/served';

let server: ServedProcess;
let admin: number;
const WORKERS = 3;

beforeEach(async () => {
  server = await serveProcess('--workers', String(WORKERS), '--admin-port', '0');
  admin = server.admin ?? 0;
});
afterEach(async () => {
  expect(await server.stop()).toBe(0);
});

async function client(password = PASSWORD): Promise<Client> {
  const one = new Client(20_000);
  await one.access({
    host: 'localhost',
    port: server.explicit,
    user: USER,
    password,
    secure: true,
    secureOptions: { ca: readFileSync(server.ca), host: 'localhost' },
  });
  return one;
}

/** Process ids of the workers, as the kernel knows them. */
function workers(): number[] {
  return readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** The worker that holds a control connection: it has the socket with both ends' ports among its descriptors. */
function workerOf({ ftp }: Client): number {
  const inode = inodeOf((ftp.socket as TLSSocket).localPort!);
  const found = workers().find((pid) => descriptorsOf(pid).includes(`socket:[${inode}]`));
  if (found === undefined) throw new Error('no worker holds the connection');
  return found;
}

/** The server's end of a control connection, by the port of the client. */
function inodeOf(clientPort: number): string | undefined {
  const inHex = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const ends = [inHex(server.explicit), inHex(clientPort)] as const;
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((one) => one.trim().split(/\s+/))
    .find(([, local, remote]) => local?.endsWith(ends[0]) && remote?.endsWith(ends[1]));
  return line?.[9];
}

function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}

async function ask(path: string): Promise<string> {
  const [response] = await once(get({ host: '127.0.0.1', port: admin, path }), 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A download whose bytes are taken slowly: it runs until it is let go. */
async function slowDownload(one: Client, name: string): Promise<{ finish(): Promise<string> }> {
  const hash = createHash('sha256');
  let letGo!: () => void;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let first!: () => void;
  const begun = new Promise<void>((resolve) => {
    first = resolve;
  });
  const sink = new Writable({
    async write(chunk, _encoding, done) {
      hash.update(chunk);
      first();
      await held;
      done();
    },
  });
  const over = one.downloadTo(sink, name).then(() => hash.digest('hex'));
  over.catch(() => {}); // awaited by `finish`
  await begun;
  return {
    finish() {
      letGo();
      return over;
    },
  };
}

/** Waits until the audit's lines are so. */
async function until(reached: () => boolean): Promise<void> {
  const watcher = watch(server.auditFile);
  try {
    while (!reached()) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

/** Waits until the audit tells of a change of the server. */
const changed = (change: string) => until(() => server.audit().some(({ status_detail }) => status_detail === change));

it('a killed worker takes only its own sessions with it, and another serves in its place', async () => {
  const content = randomBytes(16 * 1024 * 1024);
  writeFileSync(join(server.files, 'large'), content);
  const clients = await Promise.all(Array.from({ length: 3 * WORKERS }, () => client()));
  const running = await Promise.all(clients.map((one) => slowDownload(one, 'large')));
  const places = clients.map(workerOf);
  const victim = places[0]!;
  expect(new Set(places).size).toBe(WORKERS);

  process.kill(victim, 'SIGKILL');
  await changed('worker-started');
  // New connections reach the workers in turn, so one of a few is served by the new process.
  const fresh = await Promise.all(Array.from({ length: WORKERS }, () => client()));
  expect(fresh.map(workerOf).filter((pid) => !places.includes(pid))).toHaveLength(1);
  const at = (change: string) => server.audit().find(({ status_detail }) => status_detail === change)!.time;
  console.info(`another worker served ${at('worker-started') - at('worker-lost')} ms after the loss of the killed one`);

  const outcomes = await Promise.allSettled(running.map(({ finish }) => finish()));
  outcomes.forEach((outcome, index) => {
    if (places[index] === victim) expect(outcome.status).toBe('rejected');
    else expect(outcome).toEqual({ status: 'fulfilled', value: sha256(content) });
  });
  for (const one of [...clients, ...fresh]) one.close();
});

it('what a dead worker held of the limits is free again', async () => {
  const clients = await Promise.all(Array.from({ length: 2 * WORKERS }, () => client()));
  expect(await sessionCount(2 * WORKERS)).toBe(2 * WORKERS);
  const victim = workerOf(clients[0]!);
  const lost = clients.filter((one) => workerOf(one) === victim).length;
  process.kill(victim, 'SIGKILL');
  expect(await sessionCount(2 * WORKERS - lost)).toBe(2 * WORKERS - lost);
  for (const one of clients) one.close();
});

it('a connection that is being handed to a worker when it is killed ends with it, and no other', async () => {
  const [victim, ...others] = workers() as [number, ...number[]];
  for (const pid of [victim, ...others]) process.kill(pid, 'SIGSTOP'); // takes nothing any more
  const sockets = await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      const socket = connect(server.explicit, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      const heard = Promise.race([once(socket, 'data').then(([data]) => String(data).slice(0, 3)), once(socket, 'close').then(() => 'closed')]);
      return { socket, heard, port: socket.localPort! };
    }),
  );
  const arrived = () => {
    const own = descriptorsOf(server.pid);
    return sockets.every(({ port }) => own.includes(`socket:[${inodeOf(port)}]`));
  };
  while (!arrived()) await sleep(20);
  process.kill(victim, 'SIGKILL');
  expect(await Promise.race(sockets.map(({ heard }) => heard))).toBe('closed');
  for (const pid of others) process.kill(pid, 'SIGCONT');
  expect((await Promise.all(sockets.map(({ heard }) => heard))).sort()).toEqual([...Array(WORKERS - 1).fill('220'), 'closed']);
  for (const { socket } of sockets) socket.destroy();
});

/** The number of sessions over all workers, once it is that. */
async function sessionCount(wanted: number): Promise<number> {
  let count = -1;
  for (let turn = 0; turn < 100 && count !== wanted; turn += 1) {
    count = (JSON.parse(await ask('/sessions')) as unknown[]).length;
    if (count !== wanted) await sleep(50);
  }
  return count;
}

it('failed logins count together, whichever worker they reach', async () => {
  for (let attempt = 0; attempt < 10; attempt += 1) await expect(client('wrong')).rejects.toThrow(FTPError);
  await expect(client()).rejects.toThrow(FTPError);
  expect(server.audit().some(({ activity_name, status_detail }) => `${activity_name} ${status_detail}`.includes('lock'))).toBe(true);
});

it('a quota is that of the account, whichever workers its uploads reach', async () => {
  const file = join(server.folder, `accounts-${USER}.json`);
  const content = JSON.parse(readFileSync(file, 'utf8'));
  content.accounts[0].quota = { files: 4 };
  writeFileSync(file, JSON.stringify(content));
  await until(() => server.audit().some(({ message }) => message.includes('reloaded')));
  const clients = await Promise.all(Array.from({ length: 2 * WORKERS }, () => client()));
  const uploads = await Promise.allSettled(clients.map((one, index) => one.uploadFrom(Readable.from([Buffer.from('x')]), `f${index}`)));
  expect(uploads.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
  for (const one of clients) one.close();
});

it('a bandwidth limit is that of the account, whichever workers its transfers reach', async () => {
  const rate = 400_000;
  const file = join(server.folder, `accounts-${USER}.json`);
  const content = JSON.parse(readFileSync(file, 'utf8'));
  content.accounts[0].bandwidth = { downloadBytesPerSecond: rate };
  writeFileSync(file, JSON.stringify(content));
  await until(() => server.audit().some(({ message }) => message.includes('reloaded')));
  const bytes = randomBytes(rate);
  writeFileSync(join(server.files, 'a-second'), bytes);
  const clients = await Promise.all(Array.from({ length: 2 * WORKERS }, () => client()));
  const apart = [...new Map(clients.map((one) => [workerOf(one), one])).values()].slice(0, 2);
  expect(apart).toHaveLength(2);
  const begin = performance.now();
  const hashes = await Promise.all(apart.map(async (one) => (await slowDownload(one, 'a-second')).finish()));
  // Each alone would be over within a second; what is moved before the limit says wait is a quarter of a second and a piece each.
  expect(performance.now() - begin).toBeGreaterThan(1_400);
  expect(hashes).toEqual([sha256(bytes), sha256(bytes)]);
  for (const one of clients) one.close();
});

it('metrics and sessions are those of all workers', async () => {
  const clients = await Promise.all(Array.from({ length: 2 * WORKERS }, () => client()));
  for (const one of clients) await one.uploadFrom(Readable.from([Buffer.from('x')]), `f${workerOf(one)}`);
  const text = await ask('/metrics');
  expect(text).toMatch(new RegExp(`^ftps_sessions ${2 * WORKERS}$`, 'm'));
  expect(text).toMatch(new RegExp(`^ftps_transfers_total\\{.*kind="upload".*\\} ${2 * WORKERS}$`, 'm'));
  for (const one of clients) one.close();
});

it('a drain lets the transfers of all workers finish', async () => {
  const content = randomBytes(16 * 1024 * 1024);
  writeFileSync(join(server.files, 'large'), content);
  const clients = await Promise.all(Array.from({ length: 2 * WORKERS }, () => client()));
  const running = await Promise.all(clients.map((one) => slowDownload(one, 'large')));
  process.kill(server.pid, 'SIGTERM');
  await changed('draining');
  await expect(client()).rejects.toThrow();
  expect(await Promise.all(running.map(({ finish }) => finish()))).toEqual(running.map(() => sha256(content)));
  for (const one of clients) one.close();
});

it('a replaced certificate is served by all workers, and the audit of all is whole', async () => {
  const before = await serialNumbers();
  expect(before.size).toBe(1);
  rmSync(join(server.folder, 'server.pem'));
  await localCertificate(server.folder);
  process.kill(server.pid, 'SIGHUP');
  for (let turn = 0; turn < 100; turn += 1) {
    const now = await serialNumbers();
    if (now.size === 1 && [...now][0] !== [...before][0]) break;
    await sleep(50);
  }
  const after = await serialNumbers();
  expect(after.size).toBe(1);
  expect(after).not.toEqual(before);
  const { code, output } = await run(process.execPath, [BUNDLE, 'audit', 'verify', server.auditFile]);
  expect(`${code} ${output}`).toMatch(/^0 /);
  expect(output).toContain(`of ${WORKERS + 1} processes, 0 breaks`);
});

/** The certificates that a dozen new connections are shown: they reach all workers in turn. */
async function serialNumbers(): Promise<Set<string>> {
  const secureContext = createSecureContext({ ca: readFileSync(server.ca) });
  const shown = await Promise.all(
    Array.from({ length: 4 * WORKERS }, async () => {
      const socket = connectTls({ port: server.implicit, host: '127.0.0.1', servername: 'localhost', secureContext });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    }),
  );
  return new Set(shown);
}
