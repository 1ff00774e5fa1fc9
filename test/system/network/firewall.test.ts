import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PASSWORD, run, USER } from '../support/served';
import { FarServer, IMPLICIT, Script } from './far-server';
import { cable, Host } from './hosts';
import { carries } from './programs';

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
  server = await FarServer.prepare(serverHost, [AT.alice, AT.bob, AT.alice6], { passive: { ports: '50000-50015', connectSeconds: 20 } });
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

it('the server has no capability at all, and its firewall CAP_NET_ADMIN alone', () => {
  expect(server.capabilities('server')).toBe(0);
  expect(server.capabilities('firewall')).toBe(0x1000);
});

it.each([
  ['IPv4', AT.alice, AT.bob],
  ['IPv6', AT.alice6, AT.bob6],
])('before PASV a scan finds nothing open; after it exactly one port, for that host alone; after the transfer nothing (%s)', async (_version, target, bobs) => {
  expect(await open(alice, target)).toEqual([]);
  const client = await session(alice, target);
  expect(await open(alice, target)).toEqual([]);
  const port = portOf(await client.ask({ send: 'EPSV' }));
  expect(await open(alice, target)).toEqual([port]);
  expect(await open(bob, bobs)).toEqual([]);
  expect(await client.ask({ retrieve: 'file.bin', port })).toMatchObject(delivered);
  expect(await open(alice, target)).toEqual([]);
  await client.end();
});

it.each(['curl', 'lftp'] as const)('%s carries files by EPSV over IPv6', async (program) => {
  expect(await carries(server, program, 'EPSV', alice, AT.alice6)).toMatch(/229 .*\|\|\|500\d\d\|/);
});

it.each([
  ['FIN', '-sF'],
  ['NULL', '-sN'],
  ['Xmas', '-sX'],
  ['ACK', '-sA'],
  ['Window', '-sW'],
])('a %s scan learns nothing either: an open port looks like all others', async (_name, kind) => {
  const client = await session(alice, AT.alice);
  await client.ask({ send: 'EPSV' });
  expect(new Set((await scan(bob, AT.bob, kind)).values()).size).toBe(1);
  await client.end();
});

it('a port is closed again when the session that asked for it ends, and when it asks for another', async () => {
  const client = await session(alice, AT.alice);
  await client.ask({ send: 'EPSV' });
  const port = portOf(await client.ask({ send: 'EPSV' }));
  expect(await open(alice, AT.alice)).toEqual([port]);
  expect(await client.ask({ send: 'QUIT' })).toMatch(/^221 /);
  await client.end();
  expect(await open(alice, AT.alice)).toEqual([]);
});

it('a crash of the firewall opens nothing; sessions are told, and when it is back a client on its way finds its port', async () => {
  const early = await session(alice, AT.alice);
  const late = await session(bob, AT.bob);
  const port = portOf(await early.ask({ send: 'EPSV' }));
  await server.crash('firewall');
  expect(await open(bob, AT.bob)).toEqual([]);
  expect(await late.ask({ send: 'EPSV' })).toMatch(/^425 The firewall/);
  expect(await server.health()).toMatchObject({ status: 'failed', parts: { firewall: expect.stringMatching(/^down: .*ftps firewall/) } });

  const back = Date.now();
  await server.startFirewall();
  await server.audited(({ message, time }) => message === 'The firewall is up' && time >= back);
  expect(await server.health()).toMatchObject({ status: 'ok', parts: { firewall: 'up' } });
  expect(await early.ask({ retrieve: 'file.bin', port })).toMatchObject(delivered);
  const again = portOf(await late.ask({ send: 'EPSV' }));
  expect(await late.ask({ retrieve: 'file.bin', port: again })).toMatchObject(delivered);
  for (const client of [early, late]) await client.end();
});

it.each([
  ['flushes all rules', async () => void (await serverHost.must('nft', 'flush', 'ruleset'))],
  ['ends nft', async () => server.crashNft()],
])('somebody who %s opens nothing for long: the next to ask finds the table made again', async (_name, break_) => {
  const client = await session(alice, AT.alice);
  await break_();
  const port = portOf(await client.ask({ send: 'EPSV' }));
  expect(await open(alice, AT.alice)).toEqual([port]);
  expect(await open(bob, AT.bob)).toEqual([]);
  expect(await client.ask({ retrieve: 'file.bin', port })).toMatchObject(delivered);
  await client.end();
});

it('a crash of the server closes what it had opened', async () => {
  const client = await session(alice, AT.alice);
  const port = portOf(await client.ask({ send: 'EPSV' }));
  const admitted = () => serverHost.must('nft', 'list', 'set', 'inet', 'ftps', 'admitted4');
  expect(await admitted()).toContain(`10.99.1.2 . ${port}`);
  await server.crash('server');
  while ((await admitted()).includes('10.99.1.2')) {} // the firewall hears of it by its socket
  await client.end();
  await server.startServer();
});

describe('the socket of the firewall', () => {
  /** Says something as the server would, and answers with what came back until it was answered or cut off. */
  function say(text: string): Promise<string> {
    const socket = connect(server.socket).setEncoding('utf8');
    socket.write(text);
    return new Promise((resolve) => {
      let heard = '';
      socket.on('data', (answer) => {
        heard += answer;
        socket.end();
      });
      socket.on('error', () => {}).on('close', () => resolve(heard));
    });
  }

  it.each([
    ['admit 10.99.2.2 22 60\n', /^error port 22 is not in the range 50000-50015\n$/],
    ['admit 10.99.2.2 50000 60; flush ruleset\n', /^$/],
    ['admit 10.99.2.2 50000 60 }\n', /^$/],
    ['flush ruleset\n', /^$/],
    [`${'x'.repeat(100)}`, /^$/],
    ['health\n', /^ok\n$/],
  ])('%j is answered by %s', async (text, answer) => {
    expect(await say(text)).toMatch(answer);
  });

  it('has opened nothing by what it refused', async () => {
    expect(await open(bob, AT.bob)).toEqual([]);
  });

  it('is closed to everyone but the group of the server', async () => {
    const script = `const socket = require('node:net').connect(process.argv[1], () => { console.log('connected'); socket.end(); });
      socket.on('error', ({ code }) => console.log(code));`;
    const as = (user: string) => run('setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', process.execPath, '-e', script, server.socket]);
    expect((await as('64003')).output.trim()).toBe('EACCES');
  });
});

it('without CAP_NET_ADMIN the firewall’s process says what it needs, and the table stays as it was', async () => {
  await server.crash('firewall');
  await expect(server.startFirewall('')).rejects.toThrow(/nftables can't be changed \(.*Operation not permitted.*\); `ftps firewall` needs .*CAP_NET_ADMIN/);
  expect(await open(alice, AT.alice)).toEqual([]);
  await server.startFirewall();
});
