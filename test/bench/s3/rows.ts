/** What is measured on S3, and how: through a server by an FTPS client, and by programs that speak to S3 themselves. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Client, inParallel } from '../client';
import { Meter } from '../meter';
import type { Server } from '../server';
import { CIPHER, MIB, PASSWORD, USER, type Workplace } from '../workplace';
import { type Programs, rcloneEnvironment } from './contenders';
import { BUCKET, type Gateway } from './gateway';

const GIB = 1024 * MIB;

/** One contender under measurement; each method may be missing where it can't do that. Answers are in the units of the rows. */
export interface Contender {
  readonly name: string;
  /** Sends local files under their new names, all at once. */
  put(files: readonly (readonly [from: string, to: string])[]): Promise<void>;
  /** Brings a file `copies` times, all at once. */
  get(name: string, copies: number): Promise<void>;
  /** Sends a folder of small files, so many at once. Answers how long it took, in seconds. */
  putMany?(folder: string, to: string, atOnce: number): Promise<number>;
  /** How many names there are. */
  list?(folder: string): Promise<number>;
  rename?(from: string, to: string): Promise<void>;
  /** Milliseconds from the command to the first byte. */
  firstByte?(name: string): Promise<number>;
  /** MiB of most memory while so many uploads of that size run at once. */
  memory?(uploads: number, size: number): Promise<number>;
  /** Why it has no figure in a row, by the row's id. */
  readonly without: Readonly<Record<string, string>>;
  /** Processor time so far: of a server, or of the programs that were run. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** A cell of the table that is not measured by then has no figure. Seconds. */
export const CELL_SECONDS = 60;

async function run(program: string, args: readonly string[], { meter, env }: { meter?: Meter; env?: Record<string, string> } = {}): Promise<string> {
  const [command, all] = meter ? (['sh', ['-c', `${meter.enter} && exec "$@"`, 'sh', program, ...args]] as const) : ([program, args] as const);
  const child = spawn(command, all, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: CELL_SECONDS * 1000,
    killSignal: 'SIGKILL',
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (child.killed) throw new Error(`not within ${CELL_SECONDS} seconds`);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(errors).toString().trim().slice(-300)}`);
  return Buffer.concat(output).toString();
}

/** A folder on tmpfs for what comes back, without which nothing would be fetched in parts; gone with the answer. */
async function intoFolder(place: Workplace, act: (folder: string) => Promise<unknown>): Promise<void> {
  const folder = mkdtempSync(join(place.folder, 'down-'));
  try {
    await act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export class ThroughServer implements Contender {
  private readonly context: SecureContext;
  readonly without = {};

  constructor(
    private readonly server: Server,
    private readonly place: Workplace,
  ) {
    this.context = createSecureContext({ ca: readFileSync(place.ca), ciphers: `${CIPHER.tls13}:${CIPHER.tls12}` });
  }

  get name(): string {
    return this.server.peer.name;
  }

  private curl(...args: string[]): Promise<string> {
    const tls = this.server.peer.plain ? [] : ['--ssl-reqd', '--cacert', this.place.ca, '--tls13-ciphers', CIPHER.tls13, '--ciphers', CIPHER.tls12];
    return run('curl', ['-4', '--silent', '--show-error', ...tls, '--user', `${USER}:${PASSWORD}`, ...args]);
  }

  private url(path: string): string {
    return `ftp://localhost:${this.server.port}/${path}`;
  }

  async put(files: readonly (readonly [from: string, to: string])[]): Promise<void> {
    await Promise.all(files.map(([from, to]) => this.curl('-T', from, this.url(to))));
  }

  get(name: string, copies: number): Promise<void> {
    return Promise.all(Array.from({ length: copies }, () => this.curl('-o', '/dev/null', this.url(name)))).then(() => {});
  }

  private async session(): Promise<Client> {
    const client = await Client.logIn(this.server.port, this.context, PASSWORD, this.server.peer.plain);
    await client.protect();
    return client;
  }

  async putMany(folder: string, to: string, atOnce: number): Promise<number> {
    const names = readdirSync(folder);
    const first = await this.session();
    await first.send(`MKD ${to}`); // some make it themselves
    const sessions = [first, ...(await Promise.all(Array.from({ length: atOnce - 1 }, () => this.session())))];
    const begin = performance.now();
    let next = 0;
    await Promise.all(
      sessions.map(async (session) => {
        for (let index = next++; index < names.length; index = next++) {
          const { data, final } = await session.open(`STOR ${to}/${names[index]}`);
          data.end(readFileSync(join(folder, names[index]!)));
          data.resume();
          await session.expect('226', final());
        }
      }),
    );
    const time = performance.now() - begin;
    for (const session of sessions) session.close();
    return time / 1000;
  }

  async list(folder: string): Promise<number> {
    const session = await this.session();
    const { data, final } = await session.open(`LIST ${folder}`);
    const reply = final();
    let lines = 0;
    for await (const chunk of data as AsyncIterable<Buffer>) for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
    await session.expect('226', reply);
    session.close();
    return lines;
  }

  async rename(from: string, to: string): Promise<void> {
    const session = await this.session();
    await session.expect('350', session.send(`RNFR ${from}`));
    await session.expect('250', session.send(`RNTO ${to}`));
    session.close();
  }

  async firstByte(name: string): Promise<number> {
    const session = await this.session();
    let time = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 3; turn += 1) {
      const begin = performance.now();
      const { data, final } = await session.open(`RETR ${name}`);
      const reply = final();
      await new Promise((resolve) => data.once('data', resolve).resume());
      time = Math.min(time, performance.now() - begin);
      await session.expect('226', reply);
    }
    session.close();
    return time;
  }

  async memory(uploads: number, size: number): Promise<number> {
    const sessions = await Promise.all(Array.from({ length: uploads }, () => this.session()));
    const piece = Buffer.alloc(256 * 1024, 7);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, this.server.meter.memoryKib());
    }, 150);
    const sent = await inParallel(uploads, uploads, async (index) => {
      const { data, final } = await sessions[index]!.open(`STOR memory-${index}`);
      for (let left = size; left > 0; left -= piece.length) if (!data.write(piece)) await new Promise((resolve) => data.once('drain', resolve));
      data.end();
      data.resume();
      await sessions[index]!.expect('226', final());
    });
    clearInterval(watch);
    for (const session of sessions) session.close();
    const failed = sent.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    return most / 1024;
  }

  cpuSeconds(): number {
    return this.server.meter.cpuSeconds();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

/** What a program by itself can't be asked. */
const noServer = {
  'first-byte': 'a program that fetches a file by itself has no client that waits for the first byte',
  memory: 'a hundred of these programs are no server',
};

/** A program that speaks to S3 itself: what it costs, it costs on the client's side. */
abstract class Straight implements Contender {
  abstract readonly name: string;
  protected readonly meter: Meter;
  readonly without: Readonly<Record<string, string>> = noServer;

  constructor(
    protected readonly place: Workplace,
    name: string,
  ) {
    this.meter = Meter.create(name);
  }

  abstract put(files: readonly (readonly [from: string, to: string])[]): Promise<void>;
  abstract get(name: string, copies: number): Promise<void>;

  cpuSeconds(): number {
    return this.meter.cpuSeconds();
  }

  stop(): Promise<void> {
    return this.meter.close();
  }
}

export class Rclone extends Straight {
  readonly name = 'rclone copy';

  constructor(
    place: Workplace,
    private readonly gateway: Gateway,
    private readonly programs: Programs,
  ) {
    super(place, 'rclone');
  }

  private rclone(...args: string[]): Promise<string> {
    return run(this.programs.rclone, args, { meter: this.meter, env: rcloneEnvironment(this.gateway.endpoint) });
  }

  async put(files: readonly (readonly [from: string, to: string])[]): Promise<void> {
    await Promise.all(files.map(([from, to]) => this.rclone('copyto', from, `s3:${BUCKET}/${to}`)));
  }

  get(name: string, copies: number): Promise<void> {
    return intoFolder(this.place, (folder) =>
      Promise.all(Array.from({ length: copies }, (_, index) => this.rclone('copyto', `s3:${BUCKET}/${name}`, join(folder, `${index}`)))),
    );
  }

  async putMany(folder: string, to: string, atOnce: number): Promise<number> {
    const begin = performance.now();
    await this.rclone('copy', folder, `s3:${BUCKET}/${to}`, '--transfers', `${atOnce}`);
    return (performance.now() - begin) / 1000;
  }

  async list(folder: string): Promise<number> {
    return (await this.rclone('lsf', `s3:${BUCKET}/${folder}`)).split('\n').length - 1;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.rclone('moveto', `s3:${BUCKET}/${from}`, `s3:${BUCKET}/${to}`);
  }
}

export class AwsCli extends Straight {
  readonly name = 'AWS CLI';
  override readonly without = { ...noServer, 'small-1': 'the AWS CLI always sends ten at once' };

  constructor(
    place: Workplace,
    private readonly gateway: Gateway,
    private readonly programs: Programs,
  ) {
    super(place, 'aws');
  }

  private aws(...args: string[]): Promise<string> {
    return run(this.programs.aws, ['--endpoint-url', this.gateway.endpoint, 's3', ...args], { meter: this.meter });
  }

  async put(files: readonly (readonly [from: string, to: string])[]): Promise<void> {
    await Promise.all(files.map(([from, to]) => this.aws('cp', '--only-show-errors', from, `s3://${BUCKET}/${to}`)));
  }

  get(name: string, copies: number): Promise<void> {
    return intoFolder(this.place, (folder) =>
      Promise.all(Array.from({ length: copies }, (_, index) => this.aws('cp', '--only-show-errors', `s3://${BUCKET}/${name}`, join(folder, `${index}`)))),
    );
  }

  async putMany(folder: string, to: string): Promise<number> {
    const begin = performance.now();
    await this.aws('cp', '--recursive', '--only-show-errors', folder, `s3://${BUCKET}/${to}`);
    return (performance.now() - begin) / 1000;
  }

  async list(folder: string): Promise<number> {
    return (await this.aws('ls', `s3://${BUCKET}/${folder}/`)).split('\n').length - 1;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.aws('mv', '--only-show-errors', `s3://${BUCKET}/${from}`, `s3://${BUCKET}/${to}`);
  }
}

export interface Target {
  readonly to?: 'rclone copy' | 'cdk-ftps on disk';
  readonly must: number;
  readonly aim: number;
  /** Whether less is better. */
  readonly isLess?: true;
}

const toRclone: Target = { to: 'rclone copy', must: 0.8, aim: 1 };
const toDisk: Target = { to: 'cdk-ftps on disk', must: 2, aim: 1.5, isLess: true };
const ofBig = (delay: number): Readonly<Record<string, Target>> | undefined =>
  delay === 30 ? { 'MB/s': toRclone } : delay === 0 ? { 'CPU-s/GiB': toDisk } : undefined;

export interface S3Row {
  readonly id: string;
  readonly title: string;
  readonly delay: number;
  /** Whether the server on its local disk takes part, which no delay reaches. */
  readonly onDisk?: boolean;
  /** What this server is to reach in a unit: times another's figure, or by itself. */
  readonly targets?: Readonly<Record<string, Target>>;
  /** Figures by their title. Undefined where the contender can't do it. */
  measure(contender: Contender, place: Workplace, gateway: Gateway): Promise<Readonly<Record<string, number>> | undefined>;
}

async function seconds(act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await act();
  return (performance.now() - begin) / 1000;
}

/** Looks at what arrived, where it lies, so that no request of a measurement is another's. */
function arrived(files: string, name: string, size: number): void {
  const there = existsSync(join(files, name)) ? statSync(join(files, name)).size : undefined;
  if (there !== size) throw new Error(`${there ?? 'no'} bytes arrived instead of ${size}`);
}

const big = (delay: number): S3Row[] => [
  {
    id: `up-${delay}`,
    title: `Upload of one file, ${delay} ms`,
    delay,
    onDisk: delay === 0,
    targets: ofBig(delay),
    async measure(contender, { home, scale }, { files }) {
      const before = contender.cpuSeconds();
      const time = await seconds(() => contender.put([[join(home, 'big'), 'up-big']]));
      const cpu = contender.cpuSeconds() - before;
      const folder = contender.name.includes('on disk') ? home : files;
      arrived(folder, 'up-big', scale.bigFile);
      rmSync(join(folder, 'up-big'));
      return { 'MB/s': scale.bigFile / time / 1e6, 'CPU-s/GiB': (cpu * GIB) / scale.bigFile };
    },
  },
  {
    id: `down-${delay}`,
    title: `Download of one file, ${delay} ms`,
    delay,
    onDisk: delay === 0,
    targets: ofBig(delay),
    async measure(contender, { scale }) {
      const before = contender.cpuSeconds();
      const time = await seconds(() => contender.get('big', 1));
      return { 'MB/s': scale.bigFile / time / 1e6, 'CPU-s/GiB': ((contender.cpuSeconds() - before) * GIB) / scale.bigFile };
    },
  },
];

const four: S3Row = {
  id: 'four',
  title: 'Four at once, 30 ms',
  delay: 30,
  async measure(contender, { home, scale }, { files }) {
    const bytes = 4 * scale.parallelFile;
    const up = await seconds(() => contender.put([0, 1, 2, 3].map((index) => [join(home, 'parallel'), `up-${index}`])));
    for (const index of [0, 1, 2, 3]) {
      arrived(files, `up-${index}`, scale.parallelFile);
      rmSync(join(files, `up-${index}`));
    }
    const down = await seconds(() => contender.get('parallel', 4));
    return { 'MB/s up': bytes / up / 1e6, 'MB/s down': bytes / down / 1e6 };
  },
};

const small = (atOnce: number): S3Row => ({
  id: `small-${atOnce}`,
  title: `Small files up, ${atOnce === 1 ? 'one session' : 'eight sessions'}, 30 ms`,
  delay: 30,
  targets: atOnce === 1 ? undefined : { 'files/s': { to: 'rclone copy', must: 0.8, aim: 1.2 } },
  async measure(contender, { home, scale }, gateway) {
    if (!contender.putMany) return undefined;
    rmSync(join(gateway.files, 'small-up'), { recursive: true, force: true });
    const [folder, count] = atOnce === 1 ? [join(home, 'few'), FEW] : [join(home, 'small'), scale.smallFiles];
    await gateway.requests();
    const time = await contender.putMany(folder, 'small-up', atOnce);
    const requests = Object.values(await gateway.requests()).reduce((sum, one) => sum + one, 0);
    const there = readdirSync(join(gateway.files, 'small-up')).length;
    if (there < count) throw new Error(`${there} of ${count} files arrived`);
    return { 'files/s': count / time, 'requests/file': requests / count };
  },
});

/** Files that one session sends after each other: each takes as long as the next. */
export const FEW = 100;

const listing: S3Row = {
  id: 'list',
  title: 'LIST of 10,000 keys, 30 ms',
  delay: 30,
  async measure(contender) {
    let names = 0;
    const time = await seconds(async () => {
      names = (await contender.list?.('many')) ?? 0;
    });
    if (!contender.list) return undefined;
    if (names < 10_000 || names > 10_003) throw new Error(`${names} names instead of 10,000`);
    return { s: time };
  },
};

const rename: S3Row = {
  id: 'rename',
  title: 'Rename of one file, 30 ms',
  delay: 30,
  async measure(contender) {
    if (!contender.rename) return undefined;
    const time = await seconds(() => contender.rename!('big', 'renamed'));
    await contender.rename('renamed', 'big');
    return { s: time };
  },
};

const firstByte: S3Row = {
  id: 'first-byte',
  title: 'First byte of a download',
  delay: 30,
  targets: { 'requests’ delay': { must: 2, aim: 1, isLess: true } },
  async measure(contender, _place, gateway) {
    if (!contender.firstByte) return undefined;
    const slow = await contender.firstByte('one-mib');
    await gateway.setDelay(0);
    const quick = await contender.firstByte('one-mib');
    return { 'ms at 30 ms': slow, 'requests’ delay': (slow - quick) / 30 };
  },
};

/** Uploads at once whose memory is looked at. */
const UPLOADS = 100;

const memory: S3Row = {
  id: 'memory',
  title: 'A hundred uploads at once, 30 ms',
  delay: 30,
  targets: { 'MiB at most': { must: 1024, aim: 512, isLess: true } },
  async measure(contender, { scale }, { files }) {
    if (!contender.memory) return undefined;
    const size = scale.parallelFile / 8;
    const most = await contender.memory(UPLOADS, size);
    for (let index = 0; index < UPLOADS; index += 1) {
      arrived(files, `memory-${index}`, size);
      rmSync(join(files, `memory-${index}`));
    }
    return { 'MiB at most': most };
  },
};

export const rows: readonly S3Row[] = [...big(0), ...big(10), ...big(30), four, small(1), small(8), listing, rename, firstByte, memory];

/** What has to be there before: objects that versitygw finds as files, and a folder of few files. */
export function fill({ home }: Workplace, { files }: Gateway): void {
  for (const name of ['big', 'parallel', 'one-mib']) copyFileSync(join(home, name), join(files, name));
  mkdirSync(join(files, 'many'));
  for (let index = 0; index < 10_000; index += 1) writeFileSync(join(files, 'many', `entry-${String(index).padStart(5, '0')}.dat`), '');
  mkdirSync(join(home, 'few'));
  for (const name of readdirSync(join(home, 'small')).slice(0, FEW)) copyFileSync(join(home, 'small', name), join(home, 'few', name));
}
