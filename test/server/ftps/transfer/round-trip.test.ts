import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { Client } from 'basic-ftp';
import { RawClient, readAll, type TestServer, testServer } from '../../support/server';

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

async function download(client: Client, path: string, from = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await client.downloadTo(
    new Writable({
      write(chunk, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    }),
    path,
    from,
  );
  return Buffer.concat(chunks);
}

describe.each(['explicit', 'implicit'] as const)('files over %s mode', (mode) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('come back as they were sent, under %s', async (version) => {
    const client = await server.client(mode, { minVersion: version, maxVersion: version });
    for (const size of [0, 1, 2, 16_384, 1_048_576, 5_000_003]) {
      const sent = randomBytes(size);
      await client.uploadFrom(Readable.from(size === 0 ? [] : [sent]), 'file.bin');
      expect((await download(client, 'file.bin')).equals(sent)).toBe(true);
      expect(await client.size('file.bin')).toBe(size);
    }
  });

  it('go up and down many times in one session', async () => {
    const client = await server.client(mode);
    for (let count = 0; count < 40; count += 1) {
      await client.uploadFrom(Readable.from([`file ${count}`]), `many-${count}.txt`);
      expect((await download(client, `many-${count}.txt`)).toString()).toBe(`file ${count}`);
    }
  });
});

it('continues a download and an upload where they stopped', async () => {
  const client = await server.client();
  const whole = randomBytes(300_000);
  await client.uploadFrom(Readable.from([whole]), 'resume.bin');
  expect((await download(client, 'resume.bin', 100_000)).equals(whole.subarray(100_000))).toBe(true);

  const raw = await RawClient.loggedIn(server);
  expect(await raw.send('REST 100000')).toMatch(/^350 /);
  const port = await raw.epsv();
  raw.write('STOR resume.bin\r\n');
  // EPSV cleared nothing: REST belongs to the next transfer command.
  expect(await raw.reply()).toMatch(/^150 /);
  const data = await raw.data(server, port);
  data.end(Buffer.alloc(5, 'z'));
  expect(await raw.reply()).toMatch(/^226 /);
  expect((await readFile(join(server.files, 'resume.bin'))).equals(Buffer.concat([whole.subarray(0, 100_000), Buffer.alloc(5, 'z')]))).toBe(true);
  raw.close();
});

it('sends the end of a file from beyond 4 GiB on', async () => {
  const end = randomBytes(1_000);
  const file = await open(join(server.files, 'sparse.bin'), 'w');
  await file.write(end, 0, end.length, 5 * 2 ** 30);
  await file.close();
  const client = await server.client();
  expect(await client.size('sparse.bin')).toBe(5 * 2 ** 30 + 1_000);
  expect((await download(client, 'sparse.bin', 5 * 2 ** 30 - 10)).equals(Buffer.concat([Buffer.alloc(10), end]))).toBe(true);
});

it('appends with APPE and finds a name of its own with STOU', async () => {
  const client = await server.client();
  await client.uploadFrom(Readable.from(['one ']), 'append.txt');
  await client.appendFrom(Readable.from(['two']), 'append.txt');
  expect((await download(client, 'append.txt')).toString()).toBe('one two');

  const raw = await RawClient.loggedIn(server);
  const port = await raw.epsv();
  const opening = await raw.send('STOU');
  expect(opening).toMatch(/^150 FILE: upload\.[0-9a-f]{12}$/);
  const data = await raw.data(server, port);
  data.end('unique');
  expect(await raw.reply()).toMatch(/^226 /);
  expect((await readFile(join(server.files, opening.slice('150 FILE: '.length)))).toString()).toBe('unique');
  raw.close();
});

describe('an upload that is cut', () => {
  it('leaves the old file as it was, and is reported as a failure', async () => {
    await writeFile(join(server.files, 'precious.txt'), 'old');
    const raw = await RawClient.loggedIn(server);
    const port = await raw.epsv();
    raw.write('STOR precious.txt\r\n');
    await raw.reply();
    const data = await raw.data(server, port);
    data.write('half of the new');
    await new Promise((resolve) => data.write(' file', resolve));
    (data as unknown as { _parent: { destroySoon(): void } })._parent?.destroySoon?.();
    data.destroy();
    expect(await raw.reply()).toMatch(/^426 /);
    expect(await readFile(join(server.files, 'precious.txt'), 'utf8')).toBe('old');
    expect(await server.audit.next('transfer', ({ path, outcome }) => path === '/precious.txt' && outcome === 'failure')).toMatchObject({ transfer: 'upload' });
    expect(await raw.send('NOOP')).toMatch(/^200 /);
    raw.close();
  });

  it('shows nothing of a file before the last byte is there', async () => {
    const raw = await RawClient.loggedIn(server);
    const port = await raw.epsv();
    raw.write('STOR growing.bin\r\n');
    await raw.reply();
    const data = await raw.data(server, port);
    await new Promise((resolve) => data.write(randomBytes(3_000_000), resolve));
    expect(await readdir(server.files)).not.toContain('growing.bin');
    data.end();
    expect(await raw.reply()).toMatch(/^226 /);
    expect(await readdir(server.files)).toContain('growing.bin');
    raw.close();
  });
});

it('reports a transfer once, with bytes and SHA-256', async () => {
  const client = await server.client();
  const content = randomBytes(70_000);
  await client.uploadFrom(Readable.from([content]), 'audited.bin');
  const event = await server.audit.next('transfer', ({ path }) => path === '/audited.bin');
  expect(event).toMatchObject({ outcome: 'success', bytes: 70_000, sha256: createHash('sha256').update(content).digest('hex'), user: 'demo', encrypted: true });
  expect(server.audit.of('transfer').filter(({ path }) => path === '/audited.bin')).toHaveLength(1);
});

it('aborts a transfer with 426 and then 226, and goes on', async () => {
  await writeFile(join(server.files, 'long.bin'), Buffer.alloc(80_000_000));
  const raw = await RawClient.loggedIn(server);
  const port = await raw.epsv();
  raw.write('RETR long.bin\r\n');
  expect(await raw.reply()).toMatch(/^150 /);
  const data = await raw.data(server, port);
  data.on('error', () => {});
  data.pause();
  expect(await raw.send('STAT')).toMatch(/^211-[\s\S]*RETR \/long\.bin/);
  expect(await raw.send('NOOP')).toMatch(/^200 /);
  raw.write(Buffer.from([255, 244, 255, 242, ...Buffer.from('ABOR\r\n')]));
  expect(await raw.reply()).toMatch(/^426 /);
  expect(await raw.reply()).toMatch(/^226 /);
  data.destroy();
  const again = await raw.epsv();
  raw.write('NLST\r\n');
  expect(await raw.reply()).toMatch(/^150 /);
  expect((await readAll(await raw.data(server, again))).toString()).toContain('long.bin');
  expect(await raw.reply()).toMatch(/^226 /);
  raw.close();
});

it('takes an empty upload whose end came before the server looked for it', async () => {
  const raw = await RawClient.loggedIn(server);
  for (let count = 0; count < 5; count += 1) {
    const port = await raw.epsv();
    const data = await raw.data(server, port);
    const ended = once(data.resume(), 'close');
    data.end();
    await raw.send('NOOP'); // a round trip, by which the end has arrived
    raw.write(`STOR empty-${count}.txt\r\n`);
    expect(await raw.reply()).toMatch(/^150 /);
    expect(await raw.reply()).toMatch(/^226 /);
    await ended;
  }
  raw.close();
});
