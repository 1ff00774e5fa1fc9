import { join } from 'node:path';
import { EXPLICIT, FarServer, IMPLICIT } from './far-server';
import { cable, Host } from './hosts';
import { carries } from './programs';

/**
 * far ── (203.0.113.0/24) ── edge ── (198.51.100.0/24) ── gate ── (192.168.9.0/24) ── server, whose neighbour `inside` is.
 * `gate` forwards the ports of its public address to the server (DNAT); `edge` hides far clients behind its own (SNAT).
 */
const PUBLIC = '198.51.100.1';
const EDGE = '198.51.100.2';
const INNER = '192.168.9.2';
const PORTS = '50000-50003';

let far: Host;
let edge: Host;
let gate: Host;
let serverHost: Host;
let inside: Host;

beforeAll(async () => {
  [far, edge, gate, serverHost, inside] = await Promise.all([
    Host.create('far'),
    Host.create('edge'),
    Host.create('gate'),
    Host.create('server'),
    Host.create('inside'),
  ]);
  await cable(far, ['203.0.113.10/24'], edge, ['203.0.113.1/24']);
  await cable(edge, [`${EDGE}/24`], gate, [`${PUBLIC}/24`]);
  await cable(gate, ['192.168.9.1/24'], serverHost, [`${INNER}/24`]);
  await cable(inside, ['192.168.8.3/24'], serverHost, ['192.168.8.2/24']);
  for (const router of [edge, gate]) await router.must('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await far.must('ip', 'route', 'add', 'default', 'via', '203.0.113.1');
  await edge.must('ip', 'route', 'add', 'default', 'via', PUBLIC);
  await gate.must('ip', 'route', 'add', '203.0.113.0/24', 'via', EDGE);
  await serverHost.must('ip', 'route', 'add', 'default', 'via', '192.168.9.1');
  await gate.nft(`
    add table ip nat
    add chain ip nat in { type nat hook prerouting priority dstnat; }
    add rule ip nat in ip daddr ${PUBLIC} tcp dport { ${EXPLICIT}, ${IMPLICIT}, ${PORTS} } dnat to ${INNER}`);
  await edge.nft(`
    add table ip nat
    add chain ip nat out { type nat hook postrouting priority srcnat; }
    add rule ip nat out ip saddr 203.0.113.0/24 ip daddr ${PUBLIC} snat to ${EDGE}`);
});
afterAll(async () => {
  for (const host of [far, edge, gate, serverHost, inside]) await host?.remove();
});

const combinations = (['curl', 'lftp'] as const).flatMap((program) => (['PASV', 'EPSV'] as const).map((passive) => ({ program, passive })));

const advertised = (output: string) => /227[^(]*\((\d+),(\d+),(\d+),(\d+),/.exec(output)?.slice(1).join('.');

const settings = (advertisedAddress: string) => ({
  listeners: [
    {
      mode: 'explicit' as const,
      port: EXPLICIT,
      advertisedAddress,
      advertisedAddressFor: [{ network: '192.168.0.0/16', address: 'local' }],
    },
  ],
  passive: { ports: PORTS },
});

describe('a server behind address translation', () => {
  let server: FarServer;
  beforeAll(async () => {
    server = await FarServer.prepare(serverHost, [PUBLIC, '192.168.8.2'], settings(PUBLIC));
    await server.startFirewall();
    await server.startServer();
  });
  afterAll(() => server?.stop());

  it.each(combinations)('carries files for $program by $passive from the far side', async ({ program, passive }) => {
    const output = await carries(server, program, passive, far, PUBLIC);
    if (passive === 'PASV') expect(advertised(output)).toBe(PUBLIC);
    else expect(output).toMatch(/229 .*\|\|\|5000[0-3]\|/);
    // What the server and its firewall see is the address that far clients hide behind.
    expect(
      server
        .audit()
        .filter(({ message }) => message === 'Login')
        .at(-1),
    ).toMatchObject({ src_endpoint: { ip: EDGE } });
  });

  it.each(combinations)('tells $program of a neighbour the inner address, by $passive', async ({ program, passive }) => {
    const output = await carries(server, program, passive, inside, '192.168.8.2');
    if (passive === 'PASV') expect(advertised(output)).toBe('192.168.8.2');
  });
});

it('advertises what the instance metadata service says is the public address (IMDSv2 only)', async () => {
  await serverHost.must('ip', 'address', 'add', '169.254.169.254/32', 'dev', 'lo');
  const metadata = serverHost.start(process.execPath, [join(__dirname, 'metadata.mjs'), PUBLIC], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => metadata.stdout?.once('data', resolve));
  const server = await FarServer.prepare(serverHost, [PUBLIC], settings('auto'));
  await server.startFirewall();
  await server.startServer();
  expect(advertised(await carries(server, 'curl', 'PASV', far, PUBLIC))).toBe(PUBLIC);
  await server.stop();
});

it('advertises what a host name stands for', async () => {
  serverHost.knows({ 'ftps.example.test': PUBLIC });
  const server = await FarServer.prepare(serverHost, [PUBLIC], settings('ftps.example.test'));
  await server.startFirewall();
  await server.startServer();
  expect(advertised(await carries(server, 'curl', 'PASV', far, PUBLIC))).toBe(PUBLIC);
  await server.stop();
});
