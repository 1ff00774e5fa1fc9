import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, USER } from '../support/served';
import { EXPLICIT, FarServer, IMPLICIT, Script } from './far-server';
import { cable, Host } from './hosts';

let serverHost: Host;
let alice: Host;
let bob: Host;
const SERVER = '10.99.1.1';
const SERVER6 = 'fd99:1::1';
const ALICE = '10.99.1.2';
const ALICE6 = 'fd99:1::2';
const BOB = '10.99.2.2';

beforeAll(async () => {
  [serverHost, alice, bob] = await Promise.all([Host.create('server'), Host.create('alice'), Host.create('bob')]);
  await cable(serverHost, [`${SERVER}/24`, `${SERVER6}/64`], alice, [`${ALICE}/24`, `${ALICE6}/64`]);
  await cable(serverHost, ['10.99.2.1/24'], bob, [`${BOB}/24`]);
});
afterAll(async () => {
  for (const host of [serverHost, alice, bob]) await host?.remove();
});

async function serve(active: { enabled?: boolean; sourcePorts?: string }): Promise<FarServer> {
  const server = await FarServer.prepare(serverHost, [SERVER], { active: { enabled: true, ...active } });
  await server.startFirewall();
  await server.startServer('+net_bind_service');
  writeFileSync(join(server.files, 'file.bin'), randomBytes(200_000));
  return server;
}

async function session(server: FarServer, target: string): Promise<Script> {
  const script = new Script(alice, 'session.mjs', JSON.stringify({ host: target, port: IMPLICIT, user: USER, password: PASSWORD, ca: server.caPem }));
  expect(await script.hear()).toMatch(/^230 /);
  return script;
}

const eprt = (address: string, port: number) => `EPRT |${address.includes(':') ? 2 : 1}|${address}|${port}|`;
const portCommand = (address: string, port: number) => `PORT ${address.replaceAll('.', ',')},${port >> 8},${port & 255}`;

describe('active mode from port 20', () => {
  let server: FarServer;
  beforeAll(async () => {
    server = await serve({ sourcePorts: '20-20' });
  });
  afterAll(() => server?.stop());

  it.each([
    ['PORT', SERVER, (port: number) => portCommand(ALICE, port)],
    ['EPRT over IPv4', SERVER, (port: number) => eprt(ALICE, port)],
    ['EPRT over IPv6', SERVER6, (port: number) => eprt(ALICE6, port)],
    ['EPRT with the address written at length', SERVER6, (port: number) => eprt('FD99:0001:0:0::2', port)],
  ])('delivers a file by %s, resuming the session of the control connection', async (_name, target, command) => {
    const client = await session(server, target);
    for (let time = 0; time < 3; time += 1) {
      const port = await client.ask<number>({ listen: true });
      expect(await client.ask({ send: command(port) })).toMatch(/^200 /);
      expect(await client.ask({ retrieveActive: 'file.bin' })).toMatchObject({ bytes: 200_000, from: 20, reply: expect.stringMatching(/^226 /) });
    }
    await client.end();
    const data = server.audit().filter(({ message }) => message.startsWith('TLS on the data channel'));
    expect(data.length).toBeGreaterThanOrEqual(3);
    expect(data.every(({ unmapped }) => unmapped?.['binding'] === 'resumed')).toBe(true);
  });

  // curl 7.88 of Debian 12 is left out: in active mode it sends the file in plain text, which the server refuses.
  it.each([
    ['PORT', SERVER],
    ['EPRT over IPv6', SERVER6],
  ])('carries files for Python ftplib by %s', async (_name, target) => {
    const [sent, back] = [join(server.folder, 'sent.bin'), join(server.folder, 'back.bin')];
    writeFileSync(sent, randomBytes(300_000));
    rmSync(back, { force: true });
    await alice.must('python3', join(__dirname, 'active.py'), target, String(EXPLICIT), server.ca, USER, PASSWORD, sent, back);
    expect(readFileSync(back).equals(readFileSync(sent))).toBe(true);
  });

  it('carries files for lftp', async () => {
    const [sent, back] = [join(server.folder, 'sent.bin'), join(server.folder, 'lftp-back.bin')];
    writeFileSync(sent, randomBytes(300_000));
    const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
    const { code, output } = await alice.run(
      'lftp',
      [],
      [
        `set ssl:ca-file ${quoted(server.ca)}`,
        ...['set ftp:ssl-force true', 'set ftp:ssl-protect-data true', 'set ftp:passive-mode false', 'set net:max-retries 1', 'set cmd:fail-exit true'],
        `open -u ${quoted(USER)},${quoted(PASSWORD)} ftp://${SERVER}:${EXPLICIT}`,
        `put ${quoted(sent)} -o lftp.bin`,
        `get lftp.bin -o ${quoted(back)}`,
        'bye',
      ].join('\n'),
    );
    if (code !== 0) throw new Error(output);
    expect(readFileSync(back).equals(readFileSync(sent))).toBe(true);
  });

  it('refuses to be bounced off to another host or a port below 1024, and says so in the audit', async () => {
    await bob.nft(`
      add table inet watch
      add chain inet watch input { type filter hook input priority 0; }
      add rule inet watch input tcp flags syn counter`);
    const client = await session(server, SERVER);
    const before = server.audit().length;
    for (const command of [portCommand(BOB, 8080), eprt(BOB, 8080), portCommand('127.0.0.1', 9990), portCommand(ALICE, 22), eprt('::1', 9990)]) {
      expect(await client.ask({ send: command })).toMatch(/^504 /);
      expect(await client.ask({ send: 'RETR file.bin' })).toMatch(/^425 /);
    }
    await client.end();
    const lines = server.audit().slice(before);
    expect(lines.filter(({ message }) => message === 'Refused on the data channel: bounce')).toHaveLength(5);
    expect(await bob.must('nft', 'list', 'table', 'inet', 'watch')).toContain('counter packets 0 ');
  });
});

it('active mode from a range of source ports uses them in turn', async () => {
  const server = await serve({ sourcePorts: '40000-40003' });
  const client = await session(server, SERVER);
  const from: number[] = [];
  for (let time = 0; time < 4; time += 1) {
    const port = await client.ask<number>({ listen: true });
    await client.ask({ send: eprt(ALICE, port) });
    from.push((await client.ask<{ from: number }>({ retrieveActive: 'file.bin' })).from);
  }
  expect(from.sort()).toEqual([40_000, 40_001, 40_002, 40_003]);
  await client.end();
  await server.stop();
});

it('active mode is off by default', async () => {
  const server = await serve({ enabled: false });
  const client = await session(server, SERVER);
  expect(await client.ask({ send: portCommand(ALICE, 50_000) })).toMatch(/^502 /);
  await client.end();
  await server.stop();
});
