/** Ways out of the home, under load: `..` in every spelling, and links that are put into the path while it is walked. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { Client, FTPError } from 'basic-ftp';
import { leaks, PASSWORD, type Watched, watched } from './watched';

const SECONDS = 10;
const SIDE_BY_SIDE = 8;
const SECRET = 'what lies outside';

let server: Watched;
let outside: string;
beforeAll(async () => {
  server = await watched({ passive: { ports: 'any:16', connectSeconds: 10 } });
  outside = join(server.folder, 'outside');
  mkdirSync(outside);
  mkdirSync(join(outside, 'sub'));
  writeFileSync(join(outside, 'file.txt'), SECRET);
  writeFileSync(join(outside, 'other.txt'), SECRET);
  for (const name of ['folder', 'plain']) {
    mkdirSync(join(server.files, name));
    writeFileSync(join(server.files, name, 'file.txt'), 'inside');
  }
});
afterAll(() => server.stop());

/** Everything that could show a change outside: names, kinds, contents, times. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const walk = (folder: string) => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const { mode, mtimeMs, size, ino } = lstatSync(path);
      hash.update(JSON.stringify([path, mode, mtimeMs, size, ino]));
      if (lstatSync(path).isDirectory()) walk(path);
      else hash.update(readFileSync(path));
    }
  };
  walk(outside);
  return hash.digest('hex');
}

async function connected(): Promise<Client> {
  const client = new Client(30_000);
  await client.access({
    host: '127.0.0.1',
    port: server.ports.implicit,
    user: 'demo',
    password: PASSWORD,
    secure: 'implicit',
    secureOptions: { ca: server.authority.pem, servername: 'localhost' },
  });
  return client;
}

class Sink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
  }
}

const tries: readonly (readonly [name: string, go: (client: Client, turn: number) => Promise<string>])[] = [
  ['download through the folder', (client) => download(client, 'folder/file.txt')],
  ['download the file', (client) => download(client, 'plain/file.txt')],
  ['listing of the folder', async (client) => (await client.list('folder')).map(({ name }) => name).join(' ')],
  ['upload through the folder', (client, turn) => upload(client, `folder/up${turn % 4}.txt`)],
  ['upload over the file', (client) => upload(client, 'plain/file.txt')],
  ['append to the file', async (client) => (await client.appendFrom(Readable.from(['+']), 'plain/file.txt')).message],
  ['size', (client) => send(client, 'SIZE folder/other.txt')],
  ['hash', (client) => send(client, 'HASH folder/other.txt')],
  ['time', (client) => send(client, 'MFMT 19990101000000 folder/other.txt')],
  ['removal', (client) => send(client, 'DELE folder/other.txt')],
  ['removal of a folder', (client) => send(client, 'RMD folder/sub')],
  ['a new folder', (client, turn) => send(client, `MKD folder/made${turn % 4}`)],
  ['rename within', async (client) => `${await send(client, 'RNFR folder/other.txt')} ${await send(client, 'RNTO folder/renamed.txt')}`],
  ['rename out of it', async (client) => `${await send(client, 'RNFR folder/other.txt')} ${await send(client, 'RNTO plain/stolen.txt')}`],
  ['change into it', async (client) => `${await send(client, 'CWD folder')} ${await send(client, 'SIZE other.txt')} ${await send(client, 'CWD /')}`],
  ...[
    '../outside/file.txt',
    '/../outside/file.txt',
    'folder/../../outside/file.txt',
    './/..//outside/file.txt',
    'plain/..\\..\\outside\\file.txt',
    '..%2foutside%2ffile.txt',
  ].map((path) => [`download ${path}`, (client: Client) => download(client, path)] as const),
];

async function send(client: Client, line: string): Promise<string> {
  return (await client.sendIgnoringError(line)).message;
}

async function download(client: Client, path: string): Promise<string> {
  const sink = new Sink();
  await client.downloadTo(sink, path);
  return sink.text;
}

async function upload(client: Client, path: string): Promise<string> {
  return (await client.uploadFrom(Readable.from(['inside']), path)).message;
}

it(`nothing outside of the home is read, listed or changed in ${SECONDS} seconds of ${SIDE_BY_SIDE} clients and swapped links`, async () => {
  const untouched = fingerprint();
  const warm = await connected();
  for (const [, go] of tries) await go(warm, 0).catch(() => {});
  warm.close();
  await server.idle();
  const before = await server.measure();

  const swapper = spawn(process.execPath, [join(__dirname, 'swapper.cjs'), server.files, outside], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(swapper.stdout, 'data');
  const outcomes = new Map<string, { done: number; refused: number }>(tries.map(([name]) => [name, { done: 0, refused: 0 }]));
  const seen: string[] = [];
  const broken: string[] = [];
  const until = Date.now() + SECONDS * 1_000;
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, async (_, number) => {
      const client = await connected();
      for (let turn = number; Date.now() < until; turn += 1) {
        const [name, go] = tries[turn % tries.length]!;
        const outcome = outcomes.get(name)!;
        try {
          const text = await go(client, turn);
          seen.push(...[SECRET, outside].filter((secret) => text.includes(secret)).map((secret) => `${name}: ${secret}`));
          if (/^5\d\d/.test(text)) outcome.refused += 1;
          else outcome.done += 1;
        } catch (error) {
          if (!(error instanceof FTPError)) broken.push(`${name}: ${(error as Error).message}`);
          outcome.refused += 1;
        }
      }
      client.close();
    }),
  );
  swapper.kill('SIGTERM');
  const [swaps] = await once(swapper.stdout, 'data');
  await server.idle();
  process.stdout.write(`races: ${String(swaps).trim()} swaps; ${JSON.stringify(Object.fromEntries(outcomes))}\n`);

  expect(seen).toEqual([]);
  expect(broken).toEqual([]);
  expect(fingerprint()).toBe(untouched);
  // The links really were in the way: the same request now went through and now did not.
  for (const name of ['download through the folder', 'download the file', 'upload through the folder']) {
    expect(outcomes.get(name)!.done).toBeGreaterThan(0);
    expect(outcomes.get(name)!.refused).toBeGreaterThan(0);
  }
  // A client may take some seconds to close a data connection that the server has ended.
  let leaked: string[] = [];
  for (let patience = 20; patience > 0; patience -= 1) {
    leaked = leaks(before, await server.measure(), { memory: 4 * 1024 * 1024 });
    if (leaked.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  expect({ warnings: server.warnings(), leaked }).toEqual({ warnings: [], leaked: [] });
}, 90_000);
