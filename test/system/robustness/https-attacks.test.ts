/**
 * What strangers and accounts can do to everybody over HTTPS: each attack by a process of its own against the built server. Another session must go
 * on, memory stay bounded, the audit grow no faster than twice what is sent, and nothing be left behind.
 *
 * ATTACK_SECONDS  how long each attack lasts, 2 by default
 * ATTACK_P99      what the 99th percentile of another session's NOOP may be, in milliseconds. 50 is what it is on a machine that
 *                 does nothing else; the default, 2,000, leaves room for what runs beside on two processors
 * ATTACK_WORKERS  1 by default
 * HALF_OPEN       how many requests are begun at once and never ended, 500 by default
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'basic-ftp';
import { verifyChain } from '../../../server/audit/chain';
import { BYTES_OF_CONNECTION, type Cost, p99, timesUntil } from './attack';
import { HttpWire } from './http-wire';
import { leaks, PASSWORD, type Watched, watched } from './watched';

const SECONDS = Number(process.env.ATTACK_SECONDS ?? 2);
const LONGEST_P99 = Number(process.env.ATTACK_P99 ?? 2_000);
const WORKERS = Number(process.env.ATTACK_WORKERS ?? 1);
const MIB = 1024 * 1024;
/** What all attackers of a kind may hold of memory: sixteen connections and what the garbage collector has not looked at yet. */
const MOST_MEMORY = 150 * MIB;
const ATTACKER = join(__dirname, 'https-attacker.cjs');
const attacks = JSON.parse(execFileSync(process.execPath, [ATTACKER, 'list', '0', '0'], { encoding: 'utf8' })) as Record<'strangers' | 'accounts', string[]>;
/** What an auditor wants to read line by line, however often an account does it. */
const WANTED = [
  'archives that nobody reads',
  'ranges of one byte',
  'a large folder listed again and again',
  'a large folder searched, the answers never read',
  'moves that are refused',
];

let server: Watched;
let client: Client;
/** Of somebody who has signed in. */
let cookie: string;
beforeAll(async () => {
  const https = {
    host: '127.0.0.1',
    port: 0,
    headSeconds: 4,
    keepAliveSeconds: 4,
    uploadIdleSeconds: 4,
    signInIdleSeconds: 600,
    requestsPerMinute: 1_000_000_000,
  };
  server = await watched({ workers: WORKERS, https });
  writeFileSync(join(server.files, 'small'), 'a small file');
  writeFileSync(join(server.files, 'huge'), '');
  truncateSync(join(server.files, 'huge'), 1024 * MIB);
  mkdirSync(join(server.files, 'many'));
  for (let one = 0; one < 5_000; one += 1) writeFileSync(join(server.files, 'many', `entry-${one}`), '');
  const wire = await HttpWire.open(server);
  const body = JSON.stringify({ user: 'demo', password: PASSWORD });
  wire.write(`POST /api/v1/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  cookie = /^set-cookie: ([^;]+)/m.exec((await wire.answer(false))!.headers)![1]!;
  wire.destroy();
  client = new Client(60_000);
  const secureOptions = { ca: server.authority.pem, servername: 'localhost' };
  await client.access({ host: '127.0.0.1', port: server.ports.explicit, user: 'demo', password: PASSWORD, secure: true, secureOptions });
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

/** Bytes of all files of the audit. */
function auditBytes(): number {
  const folder = dirname(server.auditFile);
  return readdirSync(folder)
    .filter((name) => name.startsWith('audit'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** What the attack before has left to do is done: it is not this one's. */
async function quiet(): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (let [last, now] = [-1, auditBytes()]; now > last && Date.now() < deadline; now = auditBytes()) {
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Resident memory of the server and its workers. Bytes. */
function resident(): number {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [server.pid, ...children].reduce<number>((sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024, 0);
}

async function attack(name: string): Promise<Cost> {
  const { stdout } = await promisify(execFile)(process.execPath, [ATTACKER, name, String(server.ports.https), String(SECONDS), cookie], {
    timeout: (SECONDS + 60) * 1000,
  });
  const { bytes, connections } = JSON.parse(stdout) as Cost;
  return { connections, bytes: bytes + connections * BYTES_OF_CONNECTION };
}

it.each([...attacks.strangers, ...attacks.accounts])(
  '%s',
  async (name) => {
    await quiet();
    const before = { audit: auditBytes(), memory: resident() };
    let peak = before.memory;
    const watching = setInterval(() => {
      peak = Math.max(peak, resident());
    }, 100);
    const attacking = attack(name);
    const times = await timesUntil(attacking, () => client.send('NOOP')).finally(() => clearInterval(watching));
    const { bytes, connections } = await attacking;
    const grown = auditBytes() - before.audit;
    const told = {
      name,
      kib: Math.round(bytes / 1024),
      connections,
      requests: times.length,
      p99: Math.round(p99(times)),
      longest: Math.round(times.at(-1)!),
      mib: Math.round((peak - before.memory) / MIB),
      auditPerByte: Number((grown / bytes).toFixed(3)),
    };
    process.stdout.write(`https attack: ${JSON.stringify(told)}\n`);
    expect(server.crashed()).toBe(false);
    expect(connections).toBeGreaterThan(0);
    expect(told.p99).toBeLessThanOrEqual(LONGEST_P99);
    expect(peak - before.memory).toBeLessThan(MOST_MEMORY);
    // What an address has at once is no rate: 60 lines of less than 1,000 bytes, in each worker.
    // An account's connection has five besides: its begin, its handshake, its login, its transfer, its end.
    const ofAccounts = attacks.accounts.includes(name) ? connections * 6_000 : 0;
    if (!WANTED.includes(name)) expect(grown).toBeLessThanOrEqual(2 * bytes + WORKERS * 60_000 + ofAccounts);
  },
  (SECONDS + 150) * 1000,
);

it('has left nothing behind: no session, no handle, nothing staged, no memory; the audit is whole', async () => {
  client.close();
  await server.idle();
  const before = await server.measure();
  await attack('uploads that stall');
  await attack('archives that nobody reads');
  await server.idle();
  let leaked: string[] = [];
  for (let patience = 20; patience > 0; patience -= 1) {
    leaked = leaks(before, await server.measure(), { memory: 16 * MIB });
    if (leaked.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  expect(leaked).toEqual([]);
  expect(server.warnings()).toEqual([]);
  const staged = readdirSync(server.files, { recursive: true }).filter((name) => /\.ftps-staging\/[^/]+\/./.test(String(name)));
  expect(staged).toEqual([]);
  const lines = readdirSync(server.folder)
    .filter((name) => name.startsWith('audit'))
    .sort()
    .flatMap((name) => readFileSync(join(server.folder, name), 'utf8').split('\n'));
  expect((await verifyChain(lines)).breaks).toEqual([]);
}, 300_000);
