/** Another process on the client's own address tries to get at its data connections, while it works. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'basic-ftp';
import { hashPassword } from '../../../server/identity/password';
import { CertificateFolder } from '../../server/support/certificates';
import { PASSWORD, run, type ServedProcess, serveConfigured } from '../support/served';

const TRANSFERS = 10;
const MALLORY = 'her own password';

let place: CertificateFolder;
let accounts: string;
beforeAll(async () => {
  place = await CertificateFolder.create();
  await place.write('ca.pem', place.authority.pem);
  accounts = await place.write(
    'accounts.json',
    JSON.stringify({
      accounts: [
        { user: 'victim', home: '/victim', passwordHash: await hashPassword(PASSWORD) },
        { user: 'mallory', home: '/mallory', passwordHash: await hashPassword(MALLORY) },
      ],
    }),
  );
});
afterAll(() => place.remove());

class Stranger {
  private output = '';
  private constructor(private readonly process: ChildProcess) {
    process.stdout?.on('data', (chunk) => {
      this.output += chunk;
    });
  }

  /** Fulfilled when the attack has begun. */
  static async begin(orders: object): Promise<Stranger> {
    const child = spawn(process.execPath, [join(__dirname, 'stranger.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const stranger = new Stranger(child);
    child.stdin?.end(JSON.stringify(orders));
    while (!stranger.output.includes('begun')) await once(child.stdout!, 'data');
    return stranger;
  }

  async end(): Promise<{ connections: number; handshakes: number; received: number }> {
    const closed = once(this.process, 'close');
    this.process.kill('SIGTERM');
    await closed;
    return JSON.parse(this.output.trim().split('\n').at(-1)!);
  }
}

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** lftp resumes its session on every data connection; it uploads, lists and downloads, and must succeed in all of it. */
async function victimWorks(server: ServedProcess, version: '1.2' | '1.3'): Promise<void> {
  const sent = join(server.folder, 'sent.bin');
  writeFileSync(sent, Buffer.alloc(200_000, 'the victim’s own bytes '));
  const script = join(server.folder, 'commands.lftp');
  const steps = Array.from({ length: TRANSFERS }, (_, index) => [
    `put ${quoted(sent)} -o up-${index}`,
    'cls -l',
    `get up-${index} -o ${quoted(join(server.folder, `down-${index}`))}`,
  ]).flat();
  writeFileSync(
    script,
    [
      `set ssl:ca-file ${quoted(place.path('ca.pem'))}`,
      `set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS${version}`,
      'set ftp:ssl-force true',
      'set net:max-retries 1',
      'set cmd:fail-exit true',
      `open -u victim,${quoted(PASSWORD)} ftp://localhost:${server.explicit}/`,
      ...steps,
      'bye',
    ].join('\n'),
  );
  const { code, output } = await run('lftp', ['-f', script]);
  expect(output).not.toContain('STOLEN');
  expect(`exit code ${code}: ${output.slice(-300)}`).toMatch(/^exit code 0/);
  const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  for (let index = 0; index < TRANSFERS; index += 1) {
    expect(digest(join(server.files, 'victim', `up-${index}`))).toBe(digest(sent));
    expect(digest(join(server.folder, `down-${index}`))).toBe(digest(sent));
  }
}

const PATIENCE_MS = 120_000;
const LOOK_MS = 200;
/** A port is asked for anew before the server gives it up. */
const LOOKS_PER_PORT = 25;

const refusals = (server: ServedProcess) =>
  server.audit().flatMap((line) => (line.class_uid === 4001 && line.unmapped?.event === 'refused' ? [line.status_detail] : []));

/** The victim has a port opened and keeps away from it, until the stranger was refused there for this reason. */
async function victimWaits(server: ServedProcess, maxVersion: 'TLSv1.2' | 'TLSv1.3', reason: string): Promise<void> {
  const client = new Client();
  try {
    const secureOptions = { ca: place.authority.pem, servername: 'localhost', maxVersion };
    await client.access({ host: '127.0.0.1', port: server.explicit, user: 'victim', password: PASSWORD, secure: true, secureOptions });
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
      await client.send('EPSV');
      for (let looks = 0; looks < LOOKS_PER_PORT; looks += 1) {
        if (refusals(server).includes(reason)) return;
        await sleep(LOOK_MS);
      }
    }
    expect(refusals(server)).toContain(reason);
  } finally {
    client.close();
  }
}

describe.each(['required', 'preferred'] as const)('data connections whose binding is %s', (dataTlsReuse) => {
  it.each([
    ['1.3', 'plain', 'stranger'],
    ['1.3', 'no-ticket', 'session-not-resumed'],
    ['1.3', 'other-session', 'other-session'],
    ['1.2', 'no-ticket', 'session-not-resumed'],
    ['1.2', 'other-session', 'other-session'],
  ] as const)('under TLS %s, a stranger (%s) gets and gives no byte, and every transfer of the victim completes', async (version, style, reason) => {
    const server = await serveConfigured({
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, dataTlsReuse }],
      passive: { ports: 'any:4' },
      tls: { certificates: [await place.put('server', await place.authority.issue())] },
      identity: [{ kind: 'file', file: accounts }],
      limits: { connectionsPerMinutePerAddress: 100_000 },
    });
    const stranger = await Stranger.begin({
      style,
      ports: server.passive,
      explicit: server.explicit,
      ca: place.path('ca.pem'),
      user: 'mallory',
      password: MALLORY,
      maxVersion: `TLSv${version}`,
    });
    await victimWaits(server, `TLSv${version}`, reason);
    await victimWorks(server, version);
    const { connections, received } = await stranger.end();
    expect(received).toBe(0);
    expect(connections).toBeGreaterThan(20);
    for (const name of readdirSync(join(server.files, 'victim'))) expect(readFileSync(join(server.files, 'victim', name)).includes('STOLEN')).toBe(false);
    expect(await server.stop()).toBe(0);
  });
});
