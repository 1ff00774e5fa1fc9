/** What is measured, and how. Each measurement yields one or several figures of one server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Client, inParallel } from './client';
import type { Peer } from './peers/peer';
import type { Server } from './server';
import { CIPHER, MIB, PASSWORD, UID, USER, type Workplace } from './workplace';

export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly digits: number;
  /** The figure whose values these are, where they are measured as another one and compared in another way. */
  readonly of?: string;
  /** What this server is compared with: the best peer by default, or itself with everything equal to the peers. */
  readonly against?: 'equal';
  /** Which of this server's columns has to reach it. Default: `ours`, on its defaults. */
  readonly own?: 'equal';
  /** The one peer that this server is compared with, by name; the best by default. */
  readonly peer?: string;
  /** What must be reached and what is aimed at: `ratio` to the best peer (or what it is compared with), or a `value` of its own. */
  readonly must?: { readonly ratio?: number; readonly value?: number };
  readonly aim?: { readonly ratio?: number; readonly value?: number };
}

export interface Measurement {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Whether variants of this server are measured as well. */
  readonly variants?: boolean;
  /** Which servers take part; all by default. */
  applies?(peer: Peer, place: Workplace): boolean;
  /** Whether the server must not have served anybody before. */
  readonly fresh?: boolean;
  /** Whether the account's hash costs what an honest one costs. Needs `fresh`. */
  readonly honestHash?: boolean;
  /** Measured in one round only: it takes long and hardly varies. */
  readonly once?: boolean;
  measure(server: Server, place: Workplace): Promise<Readonly<Record<string, number>>>;
}

export const GIB = 1024 * MIB;

function curlArguments(place: Workplace): string[] {
  return [
    ...['-4', '--silent', '--show-error', '--ssl-reqd', '--cacert', place.ca, '--user', `${USER}:${PASSWORD}`, '--max-time', '300'],
    ...['--tls13-ciphers', CIPHER.tls13, '--ciphers', CIPHER.tls12],
  ];
}

/** Runs a program to its end and answers with its standard output. `input` is what it reads. */
export async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const child: ChildProcess = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin?.on('error', () => {}).end(input);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => errors.push(chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(errors).toString().trim().slice(-300)}`);
  return Buffer.concat(output).toString();
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

const url = ({ port }: Server, path: string) => `ftp://localhost:${port}/${path}`;

/** A folder that every server may write into, whoever it runs as. */
export function uploadFolder({ home }: Workplace): string {
  const folder = join(home, 'up');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  chownSync(folder, UID, UID);
  chmodSync(folder, 0o777);
  return folder;
}

const download: Measurement = {
  title: 'download of one large file',
  variants: true,
  figures: [
    { id: 'down', title: 'Download', unit: 'MB/s', better: 'more', digits: 0, must: { ratio: 1 }, aim: { ratio: 1.2 } },
    { id: 'down-cpu', title: 'Download, CPU of the server', unit: 's/GiB', better: 'less', digits: 2, must: { ratio: 1 }, aim: { value: 0.9 } },
  ],
  async measure(server, place) {
    const before = server.meter.cpuSeconds();
    const written = await run('curl', [...curlArguments(place), '-o', '/dev/null', '-w', '%{size_download} %{time_total}', url(server, 'big')]);
    const [size, time] = written.split(' ').map(Number) as [number, number];
    if (size !== place.scale.bigFile) throw new Error(`${size} bytes came instead of ${place.scale.bigFile}`);
    return { down: size / time / 1e6, 'down-cpu': ((server.meter.cpuSeconds() - before) * GIB) / size };
  },
};

const upload: Measurement = {
  title: 'upload of one large file',
  variants: true,
  figures: [
    { id: 'up', title: 'Upload', unit: 'MB/s', better: 'more', digits: 0, must: { ratio: 1 }, aim: { ratio: 1.2 } },
    {
      id: 'up-hash',
      of: 'up',
      against: 'equal',
      title: 'Upload with SHA-256, to the same without',
      unit: 'MB/s',
      better: 'more',
      digits: 0,
      must: { ratio: 0.9 },
    },
    { id: 'up-cpu', own: 'equal', title: 'Upload, CPU of the server', unit: 's/GiB', better: 'less', digits: 2, must: { ratio: 1 }, aim: { ratio: 0.9 } },
  ],
  async measure(server, place) {
    const folder = uploadFolder(place);
    const size = place.scale.bigFile;
    const before = server.meter.cpuSeconds();
    const time = Number(await run('curl', [...curlArguments(place), '-T', join(place.home, 'big'), '-w', '%{time_total}', url(server, 'up/big')]));
    const cpu = server.meter.cpuSeconds() - before;
    const arrived = statSync(join(folder, 'big')).size;
    if (arrived !== size) throw new Error(`${arrived} bytes arrived instead of ${size}`);
    uploadFolder(place);
    return { up: size / time / 1e6, 'up-cpu': (cpu * GIB) / size };
  },
};

const parallel: Measurement = {
  title: 'four large files at once',
  variants: true,
  figures: [
    { id: 'down4', title: 'Four downloads at once', unit: 'MB/s', better: 'more', digits: 0, must: { ratio: 1 }, aim: { ratio: 1.2 } },
    { id: 'up4', own: 'equal', title: 'Four uploads at once', unit: 'MB/s', better: 'more', digits: 0, must: { ratio: 1 }, aim: { ratio: 1.2 } },
    { id: 'up4-cpu', own: 'equal', title: 'The same, CPU of the server', unit: 's/GiB', better: 'less', digits: 2 },
  ],
  async measure(server, place) {
    const total = 4 * place.scale.parallelFile;
    const four = (args: (index: number) => string[]) => Promise.all([0, 1, 2, 3].map((index) => run('curl', [...curlArguments(place), ...args(index)])));
    const down = await seconds(() => four(() => ['-o', '/dev/null', url(server, 'parallel')]));
    uploadFolder(place);
    const before = server.meter.cpuSeconds();
    const up = await seconds(() => four((index) => ['-T', join(place.home, 'parallel'), url(server, `up/${index}`)]));
    const cpu = server.meter.cpuSeconds() - before;
    uploadFolder(place);
    return { down4: total / down / 1e6, up4: total / up / 1e6, 'up4-cpu': (cpu * GIB) / total };
  },
};

/** Files a second, up and down together. Where a few files show already that a server is slow, they are enough. */
async function filesPerSecond(place: Workplace, both: (files: number) => Promise<number>): Promise<number> {
  const few = 8;
  const rate = (2 * few) / (await both(few));
  return rate < 10 ? rate : (2 * place.scale.smallFiles) / (await both(place.scale.smallFiles));
}

const smallFilesCurl: Measurement = {
  title: 'small files in one session, curl',
  variants: true,
  figures: [
    { id: 'small-curl', title: 'Files of 4 KiB in one session, curl', unit: 'files/s', better: 'more', digits: 1, must: { ratio: 20 }, aim: { ratio: 40 } },
    { id: 'small-curl-cpu', title: 'The same, CPU of the server a file', unit: 'ms', better: 'less', digits: 2, must: { ratio: 1 } },
  ],
  async measure(server, place) {
    const before = server.meter.cpuSeconds();
    let moved = 0;
    const list = join(place.folder, 'curl-list');
    const rate = await filesPerSecond(place, async (files) => {
      moved += 2 * files;
      const folder = uploadFolder(place);
      const all = Array.from({ length: files }, (_, index) => index);
      writeFileSync(list, all.map((index) => `upload-file="${place.home}/small/f${index}"\nurl="${url(server, `up/f${index}`)}"\n`).join(''));
      const up = await seconds(() => run('curl', [...curlArguments(place), '--config', list]));
      const arrived = readdirSync(folder).filter((name) => statSync(join(folder, name)).size === 4096).length;
      if (arrived !== files) throw new Error(`${arrived} of ${files} files arrived`);
      writeFileSync(list, all.map((index) => `url="${url(server, `small/f${index}`)}"\noutput="/dev/null"\n`).join(''));
      return up + (await seconds(() => run('curl', [...curlArguments(place), '--config', list])));
    });
    return { 'small-curl': rate, 'small-curl-cpu': ((server.meter.cpuSeconds() - before) / moved) * 1000 };
  },
};

const smallFilesPython: Measurement = {
  title: 'small files in one session, ftplib',
  variants: true,
  figures: [
    {
      id: 'small-python',
      title: 'Files of 4 KiB in one session, ftplib, resuming',
      unit: 'files/s',
      better: 'more',
      digits: 0,
      must: { ratio: 1 },
      aim: { ratio: 2 },
    },
    { id: 'small-python-cpu', title: 'The same, CPU of the server a file', unit: 'ms', better: 'less', digits: 2, must: { ratio: 1 } },
  ],
  async measure({ port, meter }, place) {
    const before = meter.cpuSeconds();
    let moved = 0;
    const rate = await filesPerSecond(place, async (files) => {
      moved += 2 * files;
      uploadFolder(place);
      const settings = { port, ca: place.ca, user: USER, password: PASSWORD, files, folder: 'up' };
      const [up, down] = (await run(place.python, [join(__dirname, 'small_files.py'), JSON.stringify(settings)])).split(' ').map(Number) as [number, number];
      return up + down;
    });
    return { 'small-python': rate, 'small-python-cpu': ((meter.cpuSeconds() - before) / moved) * 1000 };
  },
};

let shared: SecureContext | undefined;
export function clientContext(place: Workplace): SecureContext {
  shared ??= createSecureContext({ ca: readFileSync(place.ca), ciphers: `${CIPHER.tls13}:${CIPHER.tls12}` });
  return shared;
}

const logins: Measurement = {
  title: 'logins',
  variants: true,
  figures: [
    { id: 'logins', title: 'Logins, 8 at a time', unit: '/s', better: 'more', digits: 0, must: { ratio: 2 }, aim: { ratio: 4 } },
    { id: 'login-cpu', title: 'Login, CPU of the server', unit: 'ms', better: 'less', digits: 1 },
  ],
  async measure(server, place) {
    const context = clientContext(place);
    const before = server.meter.cpuSeconds();
    const begin = performance.now();
    const end = begin + place.scale.loginSeconds * 1000;
    let count = 0;
    const lane = async () => {
      while (performance.now() < end) {
        const client = await Client.logIn(server.port, context);
        count += 1;
        await client.quit();
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    const time = (performance.now() - begin) / 1000;
    return { logins: count / time, 'login-cpu': ((server.meter.cpuSeconds() - before) / count) * 1000 };
  },
};

/** Clients that log in, sixteen of them, each in a loop. The function that is answered stops them. */
function loginLoops(server: Server, place: Workplace, password: string): () => Promise<void> {
  const context = clientContext(place);
  let goes = true;
  const lane = async () => {
    while (goes) {
      const client = await Client.logIn(server.port, context, password).catch(() => undefined);
      await client?.quit().catch(() => {});
    }
  };
  const lanes = Array.from({ length: 16 }, lane);
  return async () => {
    goes = false;
    await Promise.all(lanes);
  };
}

const besideLogins: Measurement = {
  title: 'a download beside sixteen login loops',
  fresh: true,
  honestHash: true,
  figures: (['right', 'wrong'] as const).flatMap((kind) => [
    {
      id: `beside-${kind}`,
      title: `Download beside 16 login loops, ${kind} password, honest hash`,
      unit: 'MB/s',
      better: 'more' as const,
      digits: 0,
      must: { ratio: 1 },
    },
    { id: `beside-${kind}-share`, title: 'The same, of its speed alone', unit: '%', better: 'more' as const, digits: 0, must: { value: 70 } },
  ]),
  async measure(server, place) {
    const speed = async () => Number(await run('curl', [...curlArguments(place), '-o', '/dev/null', '-w', '%{speed_download}', url(server, 'big')])) / 1e6;
    await speed();
    const alone = await speed();
    const figures: Record<string, number> = {};
    for (const kind of ['right', 'wrong'] as const) {
      const stop = loginLoops(server, place, kind === 'right' ? PASSWORD : 'wrong');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const beside = await speed().finally(stop);
      figures[`beside-${kind}`] = beside;
      figures[`beside-${kind}-share`] = (100 * beside) / alone;
    }
    return figures;
  },
};

const hundredLogins: Measurement = {
  title: 'a hundred logins at once',
  fresh: true,
  honestHash: true,
  figures: [
    { id: 'hundred', title: 'A hundred logins of an account at once, honest hash, all served', unit: 's', better: 'less', digits: 2, must: { ratio: 1 } },
  ],
  async measure(server, place) {
    const context = clientContext(place);
    const held: Client[] = [];
    try {
      const time = await seconds(async () => {
        held.push(...(await Promise.all(Array.from({ length: 100 }, () => Client.logIn(server.port, context)))));
      });
      return { hundred: time };
    } finally {
      for (const client of held) client.close();
    }
  },
};

const loginsSeenBefore: Measurement = {
  title: 'logins of an account seen before',
  fresh: true,
  honestHash: true,
  figures: [
    { id: 'logins-seen', title: 'Logins of an account seen before, honest hash, 8 at a time', unit: '/s', better: 'more', digits: 0, must: { ratio: 5 } },
  ],
  async measure(server, place) {
    await (await Client.logIn(server.port, clientContext(place))).quit();
    const { logins: rate } = await logins.measure(server, place);
    return { 'logins-seen': rate! };
  },
};

/** Opens sessions up to a number and keeps them. */
async function openUpTo(count: number, held: Client[], server: Server, place: Workplace): Promise<void> {
  const context = clientContext(place);
  const opened = await inParallel(count - held.length, 16, () => Client.logIn(server.port, context));
  for (const one of opened) {
    if (one.status === 'rejected') throw one.reason;
    held.push(one.value);
  }
}

const memory: Measurement = {
  title: 'memory per idle session',
  fresh: true,
  figures: [{ id: 'memory', title: 'Memory of an idle logged-in session', unit: 'KiB', better: 'less', digits: 0, must: { value: 150 }, aim: { value: 80 } }],
  async measure(server, place) {
    // The difference between few and many: what a server needs once, however many there are, is not a session's.
    const [few, many] = server.peer.forks ? [2, 8] : [500, 2_500];
    const held: Client[] = [];
    try {
      await openUpTo(few, held, server, place);
      const before = await settledMemory(server);
      await openUpTo(many, held, server, place);
      return { memory: ((await settledMemory(server)) - before) / (many - few) };
    } finally {
      for (const client of held) client.close();
    }
  },
};

/** The least memory within two seconds, after a garbage collector had its chance. */
export async function settledMemory({ meter }: Server): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 4; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    least = Math.min(least, meter.memoryKib());
  }
  return least;
}

const idleAndActive: Measurement = {
  title: 'many idle sessions, and a hundred transfers beside them',
  fresh: true,
  once: true,
  applies: ({ forks }) => !forks,
  figures: [
    {
      id: 'idle',
      title: 'Idle sessions held beside 100 transfers',
      unit: 'sessions',
      better: 'more',
      digits: 0,
      must: { value: 5_000 },
      aim: { value: 10_000 },
    },
  ],
  async measure(server, place) {
    const held: Client[] = [];
    try {
      await openUpTo(place.scale.idle, held, server, place);
      const wanted = createHash('sha256')
        .update(readFileSync(join(place.home, 'one-mib')))
        .digest('hex');
      const active = await inParallel(100, 100, async () => {
        const client = await Client.logIn(server.port, clientContext(place));
        held.push(client);
        await client.protect();
        const { data, final } = await client.open('RETR one-mib');
        if ((await digest(data)) !== wanted) throw new Error('a file came back changed');
        await client.expect('226', final());
      });
      const failed = active.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      const answers = await inParallel(place.scale.idle, 200, (index) => held[index]!.expect('200', held[index]!.send('NOOP')));
      return { idle: answers.filter(({ status }) => status === 'fulfilled').length };
    } finally {
      for (const client of held) client.close();
    }
  },
};

async function digest(data: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of data) hash.update(chunk);
  return hash.digest('hex');
}

const sharing: Measurement = {
  title: 'transfers at once through sixteen ports',
  fresh: true,
  once: true,
  figures: [
    {
      id: 'sharing',
      title: 'Transfers at once through 16 ports, one address',
      unit: 'sessions',
      better: 'more',
      digits: 0,
      must: { value: 500 },
      aim: { value: 2_000 },
    },
  ],
  async measure(server, place) {
    // A server that gives each transfer a port of its own is full at sixteen; forty sessions are enough to see it.
    const wanted = server.peer.forks ? 40 : place.scale.sharing;
    const held: Client[] = [];
    try {
      // As many sessions as it lets in.
      const admitted = await inParallel(wanted, 16, () => Client.logIn(server.port, clientContext(place)));
      for (const one of admitted) if (one.status === 'fulfilled') held.push(one.value);
      const opened = await inParallel(held.length, 64, async (index) => {
        const client = held[index]!;
        await client.protect();
        return client.open('RETR one-mib');
      });
      // Every data connection that is there now waits for its client to read.
      const running = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const hash = createHash('sha256')
        .update(readFileSync(join(place.home, 'one-mib')))
        .digest('hex');
      const whole = await inParallel(running.length, 64, async (index) => {
        const { data, final } = running[index]!;
        const reply = final();
        if ((await digest(data)) !== hash || !(await reply).startsWith('226')) throw new Error('a transfer failed');
      });
      return { sharing: whole.filter(({ status }) => status === 'fulfilled').length };
    } finally {
      for (const client of held) client.close();
    }
  },
};

const listing: Measurement = {
  title: 'listing of a large folder',
  figures: [
    { id: 'list', title: 'LIST of 100,000 entries', unit: 's', better: 'less', digits: 2, must: { ratio: 1 }, aim: { ratio: 0.5 } },
    { id: 'list-first', title: 'LIST, first byte', unit: 'ms', better: 'less', digits: 0, must: { value: 100 } },
    { id: 'list-memory', title: 'LIST, growth of memory', unit: 'MiB', better: 'less', digits: 1 },
  ],
  async measure(server, place) {
    const client = await Client.logIn(server.port, clientContext(place));
    try {
      await client.protect();
      const memoryBefore = server.meter.memoryKib();
      let most = memoryBefore;
      const watch = setInterval(() => {
        most = Math.max(most, server.meter.memoryKib());
      }, 100);
      const begin = performance.now();
      const { data, final } = await client.open('LIST many');
      const reply = final();
      let first = 0;
      let lines = 0;
      for await (const chunk of data as AsyncIterable<Buffer>) {
        first ||= performance.now() - begin;
        for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
      }
      await client.expect('226', reply);
      const time = (performance.now() - begin) / 1000;
      clearInterval(watch);
      // Some list `.` and `..`, or a line with a total.
      if (lines < place.scale.entries || lines > place.scale.entries + 3) throw new Error(`${lines} lines came for ${place.scale.entries} entries`);
      return { list: time, 'list-first': first, 'list-memory': (most - memoryBefore) / 1024 };
    } finally {
      client.close();
    }
  },
};

export const measurements: readonly Measurement[] = [
  download,
  upload,
  parallel,
  smallFilesCurl,
  smallFilesPython,
  logins,
  loginsSeenBefore,
  hundredLogins,
  besideLogins,
  listing,
  memory,
  sharing,
  idleAndActive,
];
