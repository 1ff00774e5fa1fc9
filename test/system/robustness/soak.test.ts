/**
 * Mixed clients that come and go, many of them killed or frozen in the middle. When the last has gone, everything is back where it
 * was: descriptors, sessions, ports, memory, staging. And every file is whole.
 *
 * SOAK_MINUTES  how long, 2 by default
 * SOAK_SEED     what was printed, to make the same choices again
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'basic-ftp';
import { verifyChain } from '../../../server/audit/chain';
import { SHARED_PIECES } from '../../../server/files/buffers';
import { Random } from './random';
import { auditLines, leaks, megabytes, PASSWORD, type Watched, watched } from './watched';
import { Wire } from './wire';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 2);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 32));
const SIDE_BY_SIDE = 8;
const MIB = 1024 * 1024;
const SIZES = [0, 1, 1_000, 100_000, 2_000_000, 20_000_000] as const;

let server: Watched;
beforeAll(async () => {
  server = await watched({
    passive: { ports: 'any:16', connectSeconds: 3 },
    limits: { sessionsPerAddress: 1_000, stallSeconds: 3, idleSeconds: 10, connectionsPerMinutePerAddress: 1_000_000 },
  });
  writeFileSync(curlConfig(), `user = "demo:${PASSWORD}"\ncacert = "${join(server.folder, 'ca.pem')}"\nsilent\nshow-error\n`, { mode: 0o600 });
  const random = new Random(1);
  const block = random.bytes(1_000_000);
  for (const size of SIZES) writeFileSync(sourceOf(size), Buffer.alloc(size, block.subarray(0, Math.max(1, Math.min(size, block.length)))));
});
afterAll(() => server.stop());

const sourceOf = (size: number) => join(server.folder, `source-${size}`);
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** One visit: upload, download, list, remove. Its name says how large its file is. */
type Visit = (name: string, size: number) => ChildProcess;

const curlConfig = () => join(server.folder, 'curlrc');
const curl = (...args: string[]): ChildProcess => spawn('curl', ['--config', curlConfig(), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });

const python = `
import ftplib, io, ssl, sys
port, ca, password, name, source = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]
class Client(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session), size
ftp = Client(context=ssl.create_default_context(cafile=ca), timeout=30)
ftp.connect('localhost', port); ftp.login('demo', password); ftp.prot_p()
with open(source, 'rb') as file: ftp.storbinary('STOR ' + name, file, 65536)
ftp.retrbinary('RETR ' + name, lambda piece: None)
ftp.nlst()
ftp.quit()
`;

const visits: Readonly<Record<string, Visit>> = {
  curlUpload: (name, size) => curl('-T', sourceOf(size), `ftps://localhost:${server.ports.implicit}/${name}`),
  curlExplicit: (name, size) => curl('--ssl-reqd', '-T', sourceOf(size), `ftp://localhost:${server.ports.explicit}/${name}`),
  curlDownload: () => curl(`ftps://localhost:${server.ports.implicit}/`, `ftps://localhost:${server.ports.implicit}/seed-20000000`),
  lftp: (name, size) =>
    spawn(
      'lftp',
      [
        '-c',
        `set ssl:ca-file ${join(server.folder, 'ca.pem')}; set ftp:ssl-force yes; set net:timeout 20; set net:max-retries 1; open -u demo,${PASSWORD} -p ${server.ports.explicit} localhost && put ${sourceOf(size)} -o ${name} && ls && cat ${name} && rm ${name}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    ),
  python: (name, size) =>
    spawn('python3', ['-c', python, String(server.ports.explicit), join(server.folder, 'ca.pem'), PASSWORD, name, sourceOf(size)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
};

/** A client in this process, whose connection is cut rather than killed. */
async function basicFtp(name: string, size: number, cutAfter: number | undefined): Promise<void> {
  const client = new Client(30_000);
  // Given a path, the client closes the file while a read of it may still wait for its turn; that read then takes what lies behind the same
  // number meanwhile, another client's standard input for example, and may never end.
  const source = createReadStream(sourceOf(size));
  const timer = cutAfter === undefined ? undefined : setTimeout(() => client.close(), cutAfter);
  try {
    await client.access({
      host: '127.0.0.1',
      port: server.ports.explicit,
      user: 'demo',
      password: PASSWORD,
      secure: true,
      secureOptions: { ca: server.authority.pem, servername: 'localhost' },
    });
    await client.uploadFrom(source, name);
    await client.list();
    await client.rename(name, `renamed-${name}`);
  } finally {
    clearTimeout(timer);
    client.close();
    source.destroy();
  }
}

const tally = { visits: 0, finished: 0, killed: 0, frozen: 0 };
/** Clients that were left alone and failed all the same, in their own words. */
const failures: string[] = [];

async function visit(random: Random, undisturbed = false): Promise<void> {
  const kinds = [...Object.keys(visits), 'basicFtp'];
  await visitBy(random.pick(kinds), random, undisturbed);
}

/** No visit takes that long, on any machine; one that does hangs. */
const PATIENCE_MS = 60_000;

let number = 0;
async function visitBy(kind: string, random: Random, undisturbed: boolean): Promise<void> {
  tally.visits += 1;
  // Node as a client may end the connection of an empty upload without close_notify: where that comes in the same turn of its event loop as
  // the end of the handshake. The server must take that for a cut.
  const size = random.pick(kind === 'basicFtp' ? SIZES.filter((bytes) => bytes > 0) : SIZES);
  const name = `${kind}-${number++}-${size}`;
  const fate = undisturbed ? 'left' : random.pick(['left', 'killed', 'killed', 'frozen'] as const);
  const after = random.between(0, 1_200);
  if (kind === 'basicFtp') {
    try {
      // Cut in the middle of its handshake, this client may wait for ever for a connection that it has closed itself.
      const gone = fate === 'left' ? new Promise<never>(() => {}) : sleep(after + 1_000).then(() => Promise.reject(new Error('cut')));
      await Promise.race([basicFtp(name, size, fate === 'left' ? undefined : after), gone]);
      tally.finished += 1;
    } catch (error) {
      if (fate === 'left') failures.push(`${name}: ${(error as Error).message}`);
      else tally.killed += 1;
    }
    return;
  }
  const child = visits[kind]!(name, size);
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  if (fate !== 'left' && (await Promise.race([exited, sleep(after)])) === undefined) {
    // Frozen, its connections stay open and nothing moves, until the server has had enough of it.
    if (fate === 'frozen') {
      child.kill('SIGSTOP');
      await sleep(random.between(500, 6_000));
    }
    tally[fate] += 1;
    child.kill('SIGKILL');
    await exited;
    return;
  }
  const patience = setTimeout(() => {
    said += `hung for ${PATIENCE_MS / 1_000} s; its session: ${JSON.stringify(
      auditLines(server)
        .map((line) => JSON.parse(line))
        .filter((line, _index, all) => line.metadata.correlation_uid === all.findLast(({ file }) => file?.path === `/${name}`)?.metadata.correlation_uid)
        .map(({ message }) => message),
    )}`;
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  const [code] = await exited;
  clearTimeout(patience);
  if (code === 0) tally.finished += 1;
  else failures.push(`${name}: ${said}`);
}

it(
  `${MINUTES} minutes of clients that are killed at random leave nothing behind`,
  async () => {
    process.stdout.write(`soak: SOAK_SEED=${SEED}\n`);
    writeFileSync(join(server.files, 'seed-20000000'), readFileSync(sourceOf(20_000_000)));
    for (let round = 0; round < 2; round += 1)
      await Promise.all([...Object.keys(visits), 'basicFtp'].map((kind, index) => visitBy(kind, new Random(index), true)));
    // Nobody was disturbed so far, so everybody must have come to the end.
    expect(failures).toEqual([]);
    await server.idle();
    const before = await server.measure();

    const until = Date.now() + MINUTES * 60_000;
    await Promise.all(
      Array.from({ length: SIDE_BY_SIDE }, async (_, slot) => {
        const random = new Random(SEED + slot);
        while (Date.now() < until && !server.crashed()) await visit(random);
      }),
    );
    expect(server.crashed()).toBe(false);
    await server.idle();
    let leaked: string[] = [];
    for (let patience = 20; patience > 0; patience -= 1) {
      leaked = leaks(before, await server.measure(), { memory: 8 * MIB, shared: SHARED_PIECES * MIB });
      if (leaked.length === 0) break;
      await sleep(1_000);
    }
    const after = await server.measure();
    process.stdout.write(
      `soak: ${JSON.stringify(tally)}; heap ${megabytes(before.heapUsed)} before, ${megabytes(after.heapUsed)} after; resident ${megabytes(before.rss)} before, ${megabytes(after.rss)} after\n`,
    );
    expect({ leaked, warnings: server.warnings() }).toEqual({ leaked: [], warnings: [] });
    // Left alone, no client fails, whatever happens beside it.
    expect(failures).toEqual([]);
    expect(tally.killed + tally.frozen).toBeGreaterThan(0);
  },
  1_000 * (MINUTES * 60 + 170),
);

it('every file is whole, and no unfinished one is left', () => {
  const sums = new Map(SIZES.map((size) => [size as number, sha256(sourceOf(size))]));
  for (const name of readdirSync(server.files)) {
    if (name === '.ftps-staging') continue;
    expect(`${name} ${sha256(join(server.files, name))}`).toBe(`${name} ${sums.get(Number(name.split('-').at(-1)))}`);
  }
  const staging = join(server.files, '.ftps-staging');
  const owners = existsSync(staging) ? readdirSync(staging) : [];
  expect(owners.flatMap((owner) => readdirSync(join(staging, owner)))).toEqual([]);
});

it('every passive port can be had again', async () => {
  const wires = await Promise.all(server.ports.passive.map(() => Wire.loggedIn(server)));
  const offered = new Set<number>();
  for (const wire of wires) {
    wire.write('EPSV\r\n');
    offered.add(Number(/\|(\d+)\|/.exec(await wire.expect('229'))?.[1]));
  }
  for (const wire of wires) wire.socket.destroy();
  expect([...offered].sort()).toEqual([...server.ports.passive].sort());
});

it('the audit is whole, and has no secret', async () => {
  const lines = auditLines(server);
  expect((await verifyChain(lines)).breaks).toEqual([]);
  expect(`${lines.join('\n')}${server.output()}`.includes(PASSWORD)).toBe(false);
});
