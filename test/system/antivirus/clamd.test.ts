/** Uploads by curl past a real clamd. */
import { spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { AuditLine } from '../../../server/audit/schema';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';
import { BUNDLE, PASSWORD, type Ran, run, USER } from '../support/served';
import { Clamd, EICAR, LARGEST, SIGNATURE } from './clamd';

const MIB = 1024 * 1024;
const clamd = new Clamd();
let server: RestartableServer;

beforeAll(async () => {
  await clamd.start();
  server = await serveRestartable(() => ({ antivirus: { kind: 'clamd', socket: clamd.socket, maxBytes: LARGEST, timeoutSeconds: 900 } }));
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await clamd.stop();
});

const credentials = `user = "${USER}:${PASSWORD.replaceAll('"', '\\"')}"\n`;
const curlArgs = ({ ca, port }: RestartableServer, path: string, ...args: string[]) => [
  '-sS',
  '--cacert',
  ca,
  '--ssl-reqd',
  ...args,
  `ftp://localhost:${port}/${path}`,
];
const curl = (to: RestartableServer, path: string, ...args: string[]): Promise<Ran> =>
  run('curl', ['--config', '-', ...curlArgs(to, path, ...args)], credentials);
const ftps = (...args: string[]) => run(process.execPath, [BUNDLE, 'quarantine', ...args, '--config', server.config]);

/** A file that no compression makes small, with something at the end of each mebibyte that is named. */
async function makeFile(name: string, mebibytes: number, inserted: Readonly<Record<number, Buffer>> = {}): Promise<string> {
  const path = join(server.folder, name);
  const file = await open(path, 'w');
  const piece = Buffer.alloc(MIB);
  for (let index = 0; index < mebibytes; index += 1) {
    randomFillSync(piece);
    inserted[index]?.copy(piece, MIB - 100);
    await file.write(piece);
  }
  await file.close();
  return path;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: MIB })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The line of an upload; a reply may come before it is in the file. */
async function transferOf(path: string): Promise<AuditLine> {
  for (;;) {
    const line = server.audit().find((one) => one.class_uid === 4008 && one.file?.path === path && one.command === 'STOR');
    if (line) return line;
    await setTimeout(20);
  }
}

it('refuses EICAR inside 200 MiB with 550, never lets it be read, keeps it in quarantine and says so in the audit', async () => {
  const infected = await makeFile('infected.bin', 200, { 150: EICAR });
  let uploading = true;
  const readable: string[] = [];
  const watching = (async () => {
    let looks = 0;
    for (; uploading; looks += 1) {
      readable.push(...readdirSync(server.files).filter((name) => !name.startsWith('.ftps-')));
      const list = await curl(server, '', '--list-only');
      if (list.output !== '') readable.push(list.output);
      const read = await curl(server, 'infected.bin', '-o', join(server.folder, 'stolen'));
      if (read.code === 0) readable.push('infected.bin was read');
    }
    return looks;
  })();
  const upload = await curl(server, 'infected.bin', '-T', infected);
  uploading = false;
  expect(await watching).toBeGreaterThan(0);
  expect(upload.output).toContain('550');
  expect(upload.code).not.toBe(0);
  expect(readable).toEqual([]);
  expect(existsSync(join(server.folder, 'stolen'))).toBe(false);

  const line = await transferOf('/infected.bin');
  expect(line).toMatchObject({ status: 'Failure', severity: 'High', status_detail: 'infected', traffic: { bytes: 200 * MIB } });
  const { verdict } = line.unmapped as { verdict: { quarantined: string; engine: string } };
  expect(verdict).toMatchObject({ result: 'infected', signature: SIGNATURE, engine: expect.stringMatching(/^ClamAV \d/) });
  const [kept] = JSON.parse((await ftps('list', '--json')).output);
  expect(kept).toMatchObject({ id: verdict.quarantined, path: '/infected.bin', user: USER, size: 200 * MIB, signature: SIGNATURE, engine: verdict.engine });
  expect(kept.sha256).toBe(await sha256(infected));
  expect((await curl(server, `.ftps-quarantine/${kept.id}`)).code).not.toBe(0);

  expect((await ftps('release', kept.id)).output).toContain('is released');
  expect(statSync(join(server.files, 'infected.bin')).size).toBe(200 * MIB);
  expect((await ftps('list')).output).toContain('The quarantine is empty');
});

it('finds what is split over an upload and an append', async () => {
  const [half, rest] = [EICAR.subarray(0, 30), EICAR.subarray(30)];
  expect((await run('curl', curlArgs(server, 'split.bin', '-T', '-', '--user', `${USER}:${PASSWORD}`), half)).code).toBe(0);
  const appended = await run('curl', curlArgs(server, 'split.bin', '--append', '-T', '-', '--user', `${USER}:${PASSWORD}`), rest);
  expect(appended.output).toContain('550');
  expect(readFileSync(join(server.files, 'split.bin'))).toEqual(half);
});

it('gives no verdict when clamd dies in the middle of an upload: 451, nothing visible, audited; and goes on when it is back', async () => {
  const upload = spawn('curl', curlArgs(server, 'orphan.bin', '-T', '-', '--user', `${USER}:${PASSWORD}`), { stdio: ['pipe', 'ignore', 'pipe'] });
  let errors = '';
  upload.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const piece = Buffer.alloc(MIB, 'x');
  const ended = once(upload, 'close');
  upload.stdin.on('error', () => {}); // curl may be told before it has read everything
  const send = async (count: number) => {
    for (let index = 0; index < count; index += 1)
      if (!upload.stdin.write(piece)) await Promise.race([new Promise((next) => upload.stdin.once('drain', next)), ended]);
  };
  await send(40);
  await clamd.kill();
  await send(40);
  upload.stdin.end();
  const [code] = await ended;
  expect(code).not.toBe(0);
  expect(errors).toContain('451');
  expect(existsSync(join(server.files, 'orphan.bin'))).toBe(false);
  expect(await transferOf('/orphan.bin')).toMatchObject({ status: 'Failure', unmapped: { verdict: { result: 'error' } } });
  const health = () => server.audit().flatMap(({ unmapped }) => (unmapped?.['part'] === 'scanner' ? [unmapped['state']] : []));
  expect(health()).toEqual(['up', 'down']);
  await clamd.start();
  const good = await makeFile('good.bin', 3);
  expect((await curl(server, 'good.bin', '-T', good)).code).toBe(0);
  await transferOf('/good.bin');
  expect(health()).toEqual(['up', 'down', 'up']);
});

it('takes a clean GiB with scanning on; how fast, beside scanning off, is printed', async () => {
  const file = await makeFile('clean.bin', 1024);
  const plain = await serveRestartable(() => ({}));
  const seconds: Record<string, number> = {};
  try {
    for (const [name, to] of [
      ['off', plain],
      ['on', server],
    ] as const) {
      // curl waits two minutes for the reply, which is not enough for a scan on a busy machine.
      const client = await logIn(to, 900_000);
      const started = performance.now();
      expect((await client.uploadFrom(file, 'clean.bin')).code).toBe(226);
      seconds[name] = (performance.now() - started) / 1000;
      client.close();
      expect(statSync(join(to.files, 'clean.bin')).size).toBe(1024 * MIB);
    }
  } finally {
    await plain.stop();
  }
  expect(await transferOf('/clean.bin')).toMatchObject({ status: 'Success', unmapped: { verdict: { result: 'clean' } } });
  const speed = (name: string) => `${seconds[name]!.toFixed(1)} s, ${Math.round(1024 / seconds[name]!)} MiB/s`;
  process.stdout.write(
    `1 GiB upload: scanning off ${speed('off')}; scanning on ${speed('on')}; most memory of the server ${Math.round(server.peakMemory())} MiB\n`,
  );
}, 900_000);
