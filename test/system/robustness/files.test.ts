/** What accounts can do to each other by their files: quotas that race, copies that nobody waits for, trees without end. With one worker and with two. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quickHash } from '../../server/support/quick-hash';
import { PASSWORD, RawClient } from '../../server/support/server';
import { type Watched, watched } from './watched';

const QUOTA = 1_000_000;

describe.each([1, 2])('with %d worker(s)', (workers) => {
  let server: Watched;
  let folder: string;
  let home: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ftps-accounts-'));
    const accounts = [
      { user: 'demo', home: '/home', quota: { bytes: QUOTA } },
      { user: 'box', home: '/home', overwrite: false },
      { user: 'deep', home: '/deep', quota: { bytes: QUOTA } },
    ];
    writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts: accounts.map((one) => ({ ...one, passwordHash: quickHash(PASSWORD) })) }));
    server = await watched({ workers, passive: { ports: 'any:16', connectSeconds: 5 }, identity: [{ kind: 'file', file: join(folder, 'accounts.json') }] });
    home = join(server.files, 'home');
    mkdirSync(home);
  });
  afterAll(async () => {
    expect(server.warnings()).toEqual([]);
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const logIn = (user = 'demo') =>
    RawClient.loggedIn({ explicit: server.ports.explicit, authority: server.authority } as Parameters<typeof RawClient.loggedIn>[0], {}, user);

  async function store(client: RawClient, command: string, content: Buffer): Promise<string> {
    const port = await client.epsv();
    client.write(`${command}\r\n`);
    const first = await client.reply();
    if (!first.startsWith('150')) return first;
    const data = await client.data(server, port);
    data.on('error', () => {}).resume();
    data.end(content);
    return client.reply();
  }

  const inHome = () => readdirSync(home).reduce((sum, name) => sum + statSync(join(home, name)).size, 0);
  const staged = () => {
    const root = join(server.files, '.ftps-staging');
    return existsSync(root) ? readdirSync(root).flatMap((owner) => readdirSync(join(root, owner))).length : 0;
  };

  it('a quota holds against uploads of one name, removals and renames side by side', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => logIn()));
    expect(await store(clients[0]!, 'STOR same', Buffer.alloc(600_000))).toContain('226');
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(
        clients.map(async (client, index) => {
          if (index === 0) await client.send('DELE same');
          else if (index === 1) {
            await client.send('RNFR same');
            await client.send(`RNTO other${round % 2}`);
          } else expect(await store(client, 'STOR same', Buffer.alloc(600_000))).toMatch(/^(226|552)/);
        }),
      );
      expect(inHome()).toBeLessThanOrEqual(QUOTA);
      expect(await clients[3]!.send('AVBL')).toBe(`213 ${QUOTA - inHome()}`);
    }
    for (const name of readdirSync(home)) expect(await clients[0]!.send(`DELE ${name}`)).toContain('250');
    for (const client of clients) client.close();
  });

  it('a file takes the place of another by a rename, and a drop box keeps what it has', async () => {
    const [client, box] = await Promise.all([logIn(), logIn('box')]);
    expect(await store(client, 'STOR report', Buffer.from('old'))).toContain('226');
    expect(await store(client, 'STOR report.partial', Buffer.from('newer'))).toContain('226');
    expect(await client.send('RNFR report.partial')).toContain('350');
    expect(await client.send('RNTO report')).toContain('250');
    expect(await client.send('SIZE report')).toBe('213 5');
    expect(await client.send('RNFR report')).toContain('350');
    expect(await client.send('RNTO report')).toContain('250');
    expect(await store(box, 'STOR report', Buffer.from('other'))).toContain('550');
    expect(await store(box, 'APPE report', Buffer.from('other'))).toContain('550');
    expect(await store(box, 'STOR own', Buffer.from('x'))).toContain('226');
    expect(await box.send('RNFR own')).toContain('350');
    expect(await box.send('RNTO report')).toContain('550');
    for (const name of ['report', 'own']) expect(await client.send(`DELE ${name}`)).toContain('250');
    for (const one of [client, box]) one.close();
  });

  it('commands that continue a large file make nothing before bytes come', async () => {
    writeFileSync(join(home, 'large'), '');
    truncateSync(join(home, 'large'), 1024 * 1024 * 1024);
    const many = await Promise.all(Array.from({ length: 8 }, () => logIn()));
    await Promise.all(
      many.map(async (one) => {
        await one.epsv();
        one.write('APPE large\r\n');
        expect(await one.reply()).toContain('150');
      }),
    );
    expect(staged()).toBe(0);
    for (const one of many) one.close();
  });

  it('a tree of 3,000 levels is counted while others are served, and none as deep can be made', async () => {
    const here = process.cwd();
    mkdirSync(join(server.files, 'deep'), { recursive: true });
    process.chdir(join(server.files, 'deep'));
    try {
      for (let level = 0; level < 3_000; level += 1) {
        mkdirSync('d');
        process.chdir('d');
      }
      writeFileSync('file', 'x'.repeat(1_000));
    } finally {
      process.chdir(here);
    }
    const [client, other] = await Promise.all([logIn('deep'), logIn()]);
    client.write('AVBL\r\n');
    expect(await other.send('NOOP')).toContain('200');
    expect(await client.reply()).toBe(`213 ${QUOTA - 1_000}`);
    expect(await client.send(`MKD ${'d/'.repeat(100)}e`)).toContain('553');
    expect(await client.send(`CWD ${'d/'.repeat(1_000)}`)).toContain('250'); // what is there stays within reach
    // From one level into another, as often as one likes: it ends at a hundred.
    expect(await client.send('CWD /')).toContain('250');
    let depth = 1;
    expect(await client.send('MKD tree')).toContain('257');
    for (let turn = 0; turn < 120; turn += 1) {
      if (!(await client.send('MKD outer')).startsWith('257')) break;
      await client.send('RNFR tree');
      if (!(await client.send('RNTO outer/tree')).startsWith('250')) break;
      await client.send('RNFR outer');
      if (!(await client.send('RNTO tree')).startsWith('250')) break;
      depth += 1;
    }
    expect(depth).toBe(100);
    for (const one of [client, other]) one.close();
    execFileSync('rm', ['-rf', join(server.files, 'deep')]); // deeper than Node's own removal goes
  }, 60_000);
});
