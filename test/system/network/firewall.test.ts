import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, USER } from '../support/served';
import { FarServer, IMPLICIT, Script } from './far-server';
import { cable, Host } from './hosts';

/** The server, and two hosts that each reach it by a cable of their own. */
let serverHost: Host;
let alice: Host;
let bob: Host;
let server: FarServer;
const AT = { alice: '10.99.1.1', bob: '10.99.2.1', alice6: 'fd99:1::1', bob6: 'fd99:2::1' };

beforeAll(async () => {
  [serverHost, alice, bob] = await Promise.all([Host.create('server'), Host.create('alice'), Host.create('bob')]);
  await cable(serverHost, [`${AT.alice}/24`, `${AT.alice6}/64`], alice, ['10.99.1.2/24', 'fd99:1::2/64']);
  await cable(serverHost, [`${AT.bob}/24`, `${AT.bob6}/64`], bob, ['10.99.2.2/24', 'fd99:2::2/64']);
  server = await FarServer.prepare(serverHost, [AT.alice, AT.bob], { passive: { ports: '50000-50015', connectSeconds: 20 } });
  await server.startFirewall();
  await server.startServer();
  writeFileSync(join(server.files, 'file.bin'), randomBytes(200_000));
});
afterAll(async () => {
  await server?.stop();
  for (const host of [serverHost, alice, bob]) await host?.remove();
});

/** How the whole passive range looks from a host, by a scan of nmap's: port → state. */
async function scan(from: Host, target: string, kind = '-sS'): Promise<Map<number, string>> {
  const output = await from.must(
    'nmap',
    ...(target.includes(':') ? ['-6'] : []),
    ...[kind, '-n', '-Pn', '-p', '50000-50015', '--max-retries', '1', '--max-rtt-timeout', '150ms', '-oG', '-', target],
  );
  const ports = new Map<number, string>();
  for (const [, port, state] of output.matchAll(/(\d+)\/([a-z|]+)\/tcp/g)) ports.set(Number(port), state!);
  const ignored = /Ignored State: (\S+) \((\d+)\)/.exec(output);
  if (ignored) for (let port = 50_000; port <= 50_015; port += 1) if (!ports.has(port)) ports.set(port, ignored[1]!);
  return ports;
}

async function open(from: Host, target: string): Promise<number[]> {
  const ports = await scan(from, target);
  expect(ports.size).toBe(16);
  return [...ports].filter(([, state]) => state !== 'filtered').map(([port]) => port);
}

async function session(host: Host, target: string): Promise<Script> {
  const script = new Script(host, 'session.mjs', JSON.stringify({ host: target, port: IMPLICIT, user: USER, password: PASSWORD, ca: server.caPem }));
  expect(await script.hear()).toMatch(/^230 /);
  return script;
}

const portOf = (reply: string) => Number(/\|\|\|(\d+)\|/.exec(reply)?.[1]);
const delivered = { bytes: 200_000, reply: expect.stringMatching(/^226 /) };

it('before PASV a scan finds nothing open; after it exactly one port, for that host alone; after the transfer nothing', async () => {
  expect(await open(alice, AT.alice)).toEqual([]);
  const client = await session(alice, AT.alice);
  expect(await open(alice, AT.alice)).toEqual([]);
  const port = portOf(await client.ask({ send: 'EPSV' }));
  expect(await open(alice, AT.alice)).toEqual([port]);
  expect(await open(bob, AT.bob)).toEqual([]);
  expect(await client.ask({ retrieve: 'file.bin', port })).toMatchObject(delivered);
  expect(await open(alice, AT.alice)).toEqual([]);
  await client.end();
});
