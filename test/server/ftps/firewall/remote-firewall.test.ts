import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RemoteFirewall } from '../../../../server/ftps/firewall/remote-firewall';
import { AuditRecorder, RawClient, testServer } from '../../support/server';

/** The other end of the socket, which notes what it hears and answers as it is told. */
class Listening {
  readonly heard: string[] = [];
  answer: string | undefined = 'ok\n';
  private readonly connections = new Set<Socket>();
  private readonly server: Server = createServer((connection) => {
    this.connections.add(connection);
    connection
      .on('error', () => {})
      .on('data', (bytes) => {
        for (const line of bytes.toString().trim().split('\n')) {
          this.heard.push(line);
          if (this.answer) connection.write(this.answer);
        }
      });
  });

  constructor(private readonly path: string) {}

  async open(): Promise<void> {
    await rm(this.path, { force: true });
    await once(this.server.listen(this.path), 'listening');
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let folder: string;
let path: string;
let audit: AuditRecorder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftps-firewall-'));
  path = join(folder, 'socket');
  audit = new AuditRecorder();
});
afterEach(() => rm(folder, { recursive: true }));

it('asks anew for what is still wanted when the connection broke, and says in the audit that it was down and up', async () => {
  const first = new Listening(path);
  await first.open();
  const firewall = await RemoteFirewall.open(path, audit);
  expect(firewall.state).toBe('up');
  await firewall.admit('192.0.2.1', 50_000, 60);
  await firewall.admit('192.0.2.2', 50_000, 60);
  firewall.withdraw('192.0.2.2', 50_000);
  await first.close();
  await audit.next('health', ({ state }) => state === 'down');
  expect(firewall.state).toMatch(/^down: /);

  const second = new Listening(path);
  await second.open();
  await firewall.admit('2001:db8::1', 50_001, 30);
  expect(firewall.state).toBe('up');
  expect(second.heard).toContainEqual(expect.stringMatching(/^admit 192\.0\.2\.1 50000 (60|59)$/));
  expect(second.heard).toContain('admit 2001:db8::1 50001 30');
  expect(second.heard.join('\n')).not.toContain('192.0.2.2');
  expect(audit.of('health').map(({ state }) => state)).toEqual(['up', 'down', 'up']);
  await firewall.close();
  await second.close();
});

it('gives up on a firewall that does not answer', async () => {
  const other = new Listening(path);
  await other.open();
  const firewall = await RemoteFirewall.open(path, audit);
  other.answer = undefined;
  await expect(firewall.admit('192.0.2.1', 50_000, 60)).rejects.toThrow('did not answer');
  expect(firewall.state).toMatch(/^down: /);
  await firewall.close();
  await other.close();
});

it('hands on why an opening was refused', async () => {
  const other = new Listening(path);
  await other.open();
  const firewall = await RemoteFirewall.open(path, audit);
  other.answer = 'error 65536 openings are the most at once\n';
  await expect(firewall.admit('192.0.2.1', 50_000, 60)).rejects.toThrow('65536 openings are the most at once');
  await firewall.close();
  await other.close();
});

it('without the firewall’s process the server runs, says so, and answers PASV with 425', async () => {
  const free = createServer();
  await once(free.listen(0, '127.0.0.1'), 'listening');
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  const server = await testServer({ passive: { ports: `${port}-${port}` }, firewall: { mode: 'nftables', socket: path } });
  expect(server.server.parts()['firewall']).toMatch(/^down: .*ftps firewall/);
  const raw = await RawClient.loggedIn(server);
  expect(await raw.send('EPSV')).toMatch(/^425 The firewall/);
  expect(await raw.send('NOOP')).toMatch(/^200 /);
  raw.close();
  await server.close();
});
