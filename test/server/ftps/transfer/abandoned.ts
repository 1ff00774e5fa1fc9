/**
 * ABOR, and a client that goes, at every step that a transfer takes on the disk, one after the other: before each of them the client changes its
 * mind. Whatever the step: a reply to everything, the old file or the new one and nothing between, no file in staging, none left open, the
 * quota as the home is, and one line in the audit.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { Folder } from '../../../../server/files/storage/local/folder';
import { KeptFolders } from '../../../../server/files/storage/local/kept-folders';
import { RawClient, type TestServer, testServer } from '../../support/server';

const QUOTA = 10 * 1024 * 1024;
const old = Buffer.alloc(300_000, 'o');
const sent = Buffer.alloc(200_000, 'n');

let server: TestServer;

/** The steps: what the storage does with folders and the names in them. */
const STEPS = ['folder', 'file', 'stat', 'remove', 'adopt', 'adoptNew', 'keyOf', 'available', 'names', 'close'] as const;

/** Calls `before` ahead of step `number`; the answer takes it away again, and says whether the step was reached. */
function beforeStep(number: number, before: () => Promise<void>): () => boolean {
  let step = 0;
  const methods = Folder.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = STEPS.map((name) => [name, methods[name]!] as const);
  for (const [name, original] of originals)
    methods[name] =
      name === 'names'
        ? async function* (this: Folder, ...args: unknown[]) {
            if (++step === number) await before();
            yield* original.apply(this, args) as AsyncIterable<unknown>;
          }
        : async function (this: Folder, ...args: unknown[]) {
            if (++step === number) await before();
            return original.apply(this, args);
          };
  return () => {
    for (const [name, original] of originals) methods[name] = original;
    return step >= number;
  };
}

const staged = () => {
  const root = join(server.files, '.ftps-staging');
  return existsSync(root) ? readdirSync(root).flatMap((owner) => readdirSync(join(root, owner))) : [];
};

/** What this process has open in the home, and in staging but for the folders themselves: those stay open for a while. */
const open = () =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(join(server.files, 'demo/')) || /\.ftps-staging\/.*\/./.test(path) ? [path] : [];
    } catch {
      return []; // closed meanwhile
    }
  });

async function settled(): Promise<void> {
  for (const deadline = Date.now() + 5_000; open().length > 0 || staged().length > 0; await sleep(5))
    if (Date.now() > deadline) throw new Error(`left: ${JSON.stringify([open(), staged()])}`);
}

async function put(client: RawClient, content: Buffer): Promise<void> {
  const port = await client.epsv();
  client.write('STOR file\r\n');
  await client.reply();
  (await client.data(server, port)).end(content);
  expect(await client.reply()).toContain('226');
}

type Change = 'ABOR' | 'control connection' | 'data connection';

/** One transfer, whose client changes its mind before that step. False where the transfer has fewer steps. */
async function attempt(command: string, step: number, change: Change): Promise<boolean> {
  const client = await RawClient.loggedIn(server);
  await put(client, old);
  await settled();
  const port = await client.epsv();
  const lines = server.audit.of('transfer').length;
  let data: TLSSocket | undefined;
  const reached = beforeStep(step, async () => {
    if (change === 'ABOR') client.write('ABOR\r\n');
    else if (change === 'control connection') client.close();
    else data?.destroy();
    await sleep(8);
  });
  const codes: string[] = [];
  const replies = async (most: number) => {
    while (codes.length < most) codes.push((await client.reply()).slice(0, 3));
  };
  let happened = false;
  try {
    client.write(`${command}\r\n`);
    await replies(1).catch(() => {});
    if (codes[0] === '150') {
      data = await client.data(server, port).catch(() => undefined);
      data?.on('error', () => {}).resume();
      if (data && !command.startsWith('RETR') && !command.startsWith('MLSD')) data.end(sent);
      await replies(2).catch(() => {});
    }
    if (data && !data.closed) await Promise.race([once(data, 'close'), sleep(50)]);
    await sleep(10); // steps behind the last reply
    happened = reached();
    if (happened && change === 'ABOR') await replies(codes.length + 1);
  } finally {
    reached();
  }
  if (!happened) {
    client.close();
    data?.destroy();
    return false;
  }
  const context = `${command}, ${change}, step ${step}: ${codes.join(' ')}`;
  if (change !== 'control connection') {
    expect([context, await client.send('NOOP')]).toEqual([context, expect.stringContaining('200')]);
    client.close();
  }
  data?.destroy();
  await settled();
  const now = readFileSync(join(server.files, 'demo/file'));
  const wanted = command.startsWith('APPE') ? Buffer.concat([old, sent]) : sent;
  expect([context, now.equals(old) || now.equals(wanted)]).toEqual([context, true]);
  if (codes.includes('226') && codes[0] === '150' && codes[1] === '226' && /STOR|APPE/.test(command))
    expect([context, now.equals(wanted)]).toEqual([context, true]);
  const told = () => server.audit.of('transfer').length - lines;
  for (const deadline = Date.now() + 5_000; codes[0] === '150' && told() === 0 && Date.now() < deadline; ) await sleep(5);
  expect([context, told()]).toEqual([context, codes[0] === '150' ? 1 : expect.any(Number)]);
  const after = await RawClient.loggedIn(server);
  expect([context, await after.send('AVBL')]).toEqual([context, `213 ${QUOTA - now.length}`]);
  after.close();
  return true;
}

/** `stride` 1 tries every step; a larger one every so many, beginning with the first or the second. */
export function abandonedTransfers(stride: number): void {
  beforeAll(async () => {
    server = await testServer({ passive: { ports: 'any:8', connectSeconds: 1 } }, [{ user: 'demo', home: '/demo', quota: { bytes: QUOTA } }]);
  });
  afterAll(() => server.close());

  const walk = KeptFolders.prototype.open;
  afterEach(() => {
    KeptFolders.prototype.open = walk;
  });

  describe.each(['walked to each time', 'kept open'])('folders %s', (how) => {
    it.each<Change>(['ABOR', 'control connection', 'data connection'])(
      '%s, before the steps of an upload, an append, a download and a listing',
      async (change) => {
        if (how !== 'kept open') KeptFolders.prototype.open = (parts) => Folder.walk(server.files, parts);
        const tried: Record<string, number> = {};
        for (const [index, command] of ['STOR file', 'APPE file', 'RETR file', 'MLSD'].entries()) {
          let step = 1 + (index % Math.min(stride, 2));
          for (; await attempt(command, step, change); step += stride) tried[command] = (tried[command] ?? 0) + 1;
        }
        // The test would be none if it no longer reached them.
        expect(Object.keys(tried)).toEqual(['STOR file', 'APPE file', 'RETR file', 'MLSD']);
        expect(tried['APPE file']! * stride).toBeGreaterThanOrEqual(how === 'kept open' ? 6 : 8);
      },
      120_000,
    );
  });

  it('an upload whose folder is removed or renamed beneath it is refused or comes along, and leaves nothing', async () => {
    const [client, other] = [await RawClient.loggedIn(server), await RawClient.loggedIn(server)];
    await put(client, old);
    const available = await client.send('AVBL');
    for (const [make, ends] of [
      ['RMD sub', '550'],
      ['RNFR sub\r\nRNTO moved', '226'],
    ] as const) {
      expect(await other.send('MKD sub')).toContain('257');
      const port = await client.epsv();
      client.write('STOR sub/file\r\n');
      expect(await client.reply()).toContain('150');
      const data = await client.data(server, port);
      data.write(sent);
      await sleep(30);
      for (const line of make.split('\r\n')) expect(await other.send(line)).toMatch(/^[23]50/);
      data.end(sent);
      data.on('error', () => {}).resume();
      expect([make, (await client.reply()).slice(0, 3)]).toEqual([make, ends]);
    }
    expect(readdirSync(join(server.files, 'demo')).sort()).toEqual(['file', 'moved']);
    expect(await other.send('DELE moved/file')).toContain('250');
    expect(await other.send('RMD moved')).toContain('250');
    await settled();
    expect(await client.send('AVBL')).toBe(available);
    client.close();
    other.close();
  });
}
