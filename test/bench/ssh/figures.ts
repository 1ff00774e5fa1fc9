/** What is measured of SFTP, with OpenSSH's own clients; logins and idle sessions with ssh2's, many in one process. */
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type ConnectConfig } from 'ssh2';
import { inParallel } from '../client';
import { type Figure, GIB, type Measurement, run, seconds, settledMemory, uploadFolder } from '../figures';
import type { Server } from '../server';
import { MIB, PASSWORD, USER, type Workplace } from '../workplace';
import { sshPlace } from './place';

/** What is compared with sshd alone: it is what an SFTP server is usually replaced from. */
const speed = (id: string, title: string): Figure => ({
  id,
  title,
  unit: 'MB/s',
  better: 'more',
  digits: 0,
  peer: 'sshd',
  must: { ratio: 0.7 },
  aim: { ratio: 1 },
});
const cost = (id: string, title: string): Figure => ({
  id,
  title: `${title}, CPU of the server`,
  unit: 's/GiB',
  better: 'less',
  digits: 2,
  peer: 'sshd',
  must: { ratio: 1.3 },
  aim: { ratio: 1 },
});

const CIPHERS = { gcm256: 'aes256-gcm@openssh.com', gcm128: 'aes128-gcm@openssh.com', ctr: 'aes256-ctr' } as const;

interface Tool {
  readonly cipher?: string;
  readonly further?: readonly string[];
}

/** OpenSSH's sftp, working off a batch. Fails where a command of it does. */
function sftp(server: Server, place: Workplace, batch: string, { cipher = CIPHERS.gcm256, further = [] }: Tool = {}): Promise<string> {
  const options = [...sshPlace(place).options, ...further, '-P', String(server.port), '-c', cipher, '-b', '-'];
  return run('sftp', [...options, `${USER}@127.0.0.1`], batch);
}

function scp(server: Server, place: Workplace, from: string, to: string): Promise<string> {
  return run('scp', [...sshPlace(place).options, '-P', String(server.port), '-c', CIPHERS.gcm256, from, to]);
}

/** One large file one way: speed, and what it costs the server. */
function large(id: string, title: string, move: (server: Server, place: Workplace) => Promise<unknown>, figures: { variants?: boolean } = {}): Measurement {
  const isUp = id.includes('up');
  return {
    title: title.toLowerCase(),
    variants: true,
    ...figures,
    figures: [speed(id, title), cost(`${id}-cpu`, title)],
    async measure(server, place) {
      const folder = uploadFolder(place);
      const size = place.scale.bigFile;
      const before = server.meter.cpuSeconds();
      const time = await seconds(() => move(server, place));
      const cpu = server.meter.cpuSeconds() - before;
      const arrived = isUp ? statSync(join(folder, 'big')).size : size;
      if (arrived !== size) throw new Error(`${arrived} bytes arrived instead of ${size}`);
      uploadFolder(place);
      return { [id]: size / time / 1e6, [`${id}-cpu`]: (cpu * GIB) / size };
    },
  };
}

const down = (cipher?: string) => (server: Server, place: Workplace) => sftp(server, place, 'get big /dev/null\n', { cipher });
const up = (cipher?: string) => (server: Server, place: Workplace) => sftp(server, place, `put ${place.home}/big up/big\n`, { cipher });
const remote = (path: string) => `${USER}@127.0.0.1:${path}`;

const parallel: Measurement = {
  title: 'four large files at once',
  variants: true,
  figures: [speed('ssh-down4', 'Four downloads at once'), speed('ssh-up4', 'Four uploads at once')],
  async measure(server, place) {
    const total = 4 * place.scale.parallelFile;
    const four = (batch: (index: number) => string) => seconds(() => Promise.all([0, 1, 2, 3].map((index) => sftp(server, place, batch(index)))));
    const downTime = await four(() => 'get parallel /dev/null\n');
    uploadFolder(place);
    const upTime = await four((index) => `put ${place.home}/parallel up/${index}\n`);
    uploadFolder(place);
    return { 'ssh-down4': total / downTime / 1e6, 'ssh-up4': total / upTime / 1e6 };
  },
};

const smallFiles: Measurement = {
  title: 'small files in one session',
  variants: true,
  figures: (['down', 'up'] as const).flatMap((way): Figure[] => [
    {
      id: `ssh-small-${way}`,
      title: `Files of 4 KiB in one session, ${way}`,
      unit: 'files/s',
      better: 'more',
      digits: 0,
      peer: 'sshd',
      must: { ratio: 0.7 },
      aim: { ratio: 1 },
    },
    { id: `ssh-small-${way}-cpu`, title: 'The same, CPU of the server a file', unit: 'ms', better: 'less', digits: 2, peer: 'sshd' },
  ]),
  async measure(server, place) {
    const files = place.scale.smallFiles;
    const local = join(place.folder, 'got');
    mkdirSync(local, { recursive: true });
    const figures: Record<string, number> = {};
    const folder = uploadFolder(place);
    for (const [way, batch] of [
      ['down', `get small/* ${local}/\n`],
      ['up', `put ${place.home}/small/* up/\n`],
    ] as const) {
      const before = server.meter.cpuSeconds();
      const time = await seconds(() => sftp(server, place, batch));
      figures[`ssh-small-${way}`] = files / time;
      figures[`ssh-small-${way}-cpu`] = ((server.meter.cpuSeconds() - before) / files) * 1000;
      const arrived = readdirSync(way === 'up' ? folder : local).length;
      if (arrived !== files) throw new Error(`${arrived} of ${files} files arrived`);
    }
    uploadFolder(place);
    return figures;
  },
};

/** A client that is logged in, by its key where there is no password. */
async function logIn({ port }: Server, place: Workplace, password?: string): Promise<Client> {
  const client = new Client();
  const options: ConnectConfig = {
    host: '127.0.0.1',
    port,
    username: USER,
    ...(password === undefined ? { privateKey: readFileSync(sshPlace(place).userKey) } : { password }),
    readyTimeout: 60_000,
    algorithms: { kex: ['curve25519-sha256'], serverHostKey: ['ssh-ed25519'], cipher: ['aes256-ctr'], hmac: ['hmac-sha2-256'] },
  };
  client.on('connect', () => (client as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true));
  client.connect(options);
  await new Promise<void>((resolve, reject) => client.once('ready', resolve).once('error', reject));
  client.on('error', () => {});
  return client;
}

const logins: Measurement = {
  title: 'logins',
  variants: true,
  figures: (['key', 'password'] as const).flatMap((kind): Figure[] => [
    {
      id: `ssh-logins-${kind}`,
      title: `Logins by ${kind}, 8 at a time`,
      unit: '/s',
      better: 'more',
      digits: 0,
      peer: 'sshd',
      must: { ratio: 1.5 },
      aim: { ratio: 2 },
    },
    { id: `ssh-logins-${kind}-cpu`, title: 'The same, CPU of the server a login', unit: 'ms', better: 'less', digits: 1, peer: 'sshd' },
  ]),
  async measure(server, place) {
    const figures: Record<string, number> = {};
    for (const kind of ['key', 'password'] as const) {
      const before = server.meter.cpuSeconds();
      const begin = performance.now();
      const end = begin + place.scale.loginSeconds * 1000;
      let count = 0;
      const lane = async () => {
        while (performance.now() < end) {
          const client = await logIn(server, place, kind === 'key' ? undefined : PASSWORD);
          count += 1;
          client.end();
          await once(client, 'close');
        }
      };
      await Promise.all(Array.from({ length: 8 }, lane));
      figures[`ssh-logins-${kind}`] = count / ((performance.now() - begin) / 1000);
      figures[`ssh-logins-${kind}-cpu`] = ((server.meter.cpuSeconds() - before) / count) * 1000;
    }
    return figures;
  },
};

const memory: Measurement = {
  title: 'memory per idle session',
  fresh: true,
  once: true,
  figures: [{ id: 'ssh-memory', title: 'Memory of an idle session with SFTP open', unit: 'KiB', better: 'less', digits: 0, peer: 'sshd', must: { ratio: 1 } }],
  async measure(server, place) {
    const [few, many] = server.peer.forks ? [2, 12] : [100, 500];
    const held: Client[] = [];
    const openUpTo = async (count: number) => {
      const opened = await inParallel(count - held.length, 8, async () => {
        const client = await logIn(server, place);
        held.push(client);
        await promisify(client.sftp.bind(client))();
      });
      for (const one of opened) if (one.status === 'rejected') throw one.reason;
    };
    try {
      await openUpTo(few);
      const before = await settledMemory(server);
      await openUpTo(many);
      return { 'ssh-memory': ((await settledMemory(server)) - before) / (many - few) };
    } finally {
      for (const client of held) client.destroy();
    }
  },
};

const memoryOfTransfers: Measurement = {
  title: 'memory per transfer',
  fresh: true,
  once: true,
  figures: (['down', 'up'] as const).map((way) => ({
    id: `ssh-memory-${way}`,
    title: `Memory of a transfer, ${way}, 16 at once`,
    unit: 'KiB',
    better: 'less',
    digits: 0,
    peer: 'sshd',
  })),
  async measure(server, place) {
    const figures: Record<string, number> = {};
    const before = await settledMemory(server);
    for (const way of ['down', 'up'] as const) {
      uploadFolder(place);
      // Half a megabyte a second each: all of them are under way while it is looked.
      const batch = (index: number) => (way === 'down' ? 'get sixteen-mib /dev/null\n' : `put ${place.home}/sixteen-mib up/${index}\n`);
      const all = Promise.all(Array.from({ length: 16 }, (_, index) => sftp(server, place, batch(index), { further: ['-l', '16384'] })));
      all.catch(() => {}); // awaited below
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      figures[`ssh-memory-${way}`] = (server.meter.memoryKib() - before) / 16;
      await all;
    }
    uploadFolder(place);
    return figures;
  },
};

const listing: Measurement = {
  title: 'listing of a large folder',
  variants: true,
  figures: [
    { id: 'ssh-list', title: 'List of 10,000 entries', unit: 's', better: 'less', digits: 2, peer: 'sshd', must: { ratio: 1 / 0.7 }, aim: { ratio: 1 } },
    { id: 'ssh-list-cpu', title: 'The same, CPU of the server', unit: 's', better: 'less', digits: 3, peer: 'sshd' },
  ],
  async measure(server, place) {
    const folder = join(place.home, 'ten-thousand');
    const before = server.meter.cpuSeconds();
    let output = '';
    const time = await seconds(async () => {
      output = await sftp(server, place, 'ls -1f ten-thousand\n');
    });
    const listed = output.split('\n').filter((line) => line.includes('entry-')).length;
    if (listed !== readdirSync(folder).length) throw new Error(`${listed} entries came`);
    return { 'ssh-list': time, 'ssh-list-cpu': server.meter.cpuSeconds() - before };
  },
};

/** Makes the files of these figures once a run. */
function withFiles(measurement: Measurement): Measurement {
  return {
    ...measurement,
    measure: (server, place) => {
      const folder = join(place.home, 'ten-thousand');
      if (readdirSync(place.home).includes('ten-thousand')) return measurement.measure(server, place);
      mkdirSync(folder);
      for (let index = 0; index < 10_000; index += 1) writeFileSync(join(folder, `entry-${String(index).padStart(6, '0')}.dat`), '');
      writeFileSync(join(place.home, 'sixteen-mib'), readFileSync(join(place.home, 'parallel')).subarray(0, 16 * MIB));
      return measurement.measure(server, place);
    },
  };
}

export const sshMeasurements: readonly Measurement[] = [
  large('ssh-down', 'Download', down()),
  large('ssh-up', 'Upload', up()),
  large('ssh-scp-down', 'Download by scp', (server, place) => scp(server, place, remote('big'), '/dev/null'), { variants: false }),
  large('ssh-scp-up', 'Upload by scp', (server, place) => scp(server, place, join(place.home, 'big'), remote('up/big')), { variants: false }),
  large('ssh-down-128', 'Download, AES-128-GCM', down(CIPHERS.gcm128), { variants: false }),
  large('ssh-up-128', 'Upload, AES-128-GCM', up(CIPHERS.gcm128), { variants: false }),
  large('ssh-down-ctr', 'Download, AES-256-CTR', down(CIPHERS.ctr), { variants: false }),
  large('ssh-up-ctr', 'Upload, AES-256-CTR', up(CIPHERS.ctr), { variants: false }),
  parallel,
  smallFiles,
  logins,
  listing,
  memory,
  memoryOfTransfers,
].map(withFiles);
