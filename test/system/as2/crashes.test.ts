/**
 * A process that ends at each step of taking a message, of putting right what another has left, and of sending a file: nothing is lost, and nothing is delivered twice, also where a program takes
 * everything from the inbox at once. A step is whatever another process could see: a note, a name in a folder, a request to S3. The process ends before it, or when it is done and before
 * anybody has heard of it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { writeReceipt } from '../../../server/as2/message';
import type { ServerConfigInput } from '../../../server/config';
import { Folder } from '../../../server/files/storage/local/folder';
import { LocalNotes } from '../../../server/files/storage/local/notes';
import { LocalStretches } from '../../../server/files/storage/local/stretches';
import { type As2Served, as2Served, asking, type Party, PLAIN, party, receiptIn, send } from '../../server/as2/served';
import { type S3Server, startS3 } from '../storage/servers';

type When = 'before' | 'after';
const WHENS: readonly When[] = ['before', 'after'];

/** The end of a process, at a step. */
class Death {
  private at = Number.POSITIVE_INFINITY;
  private when: When = 'before';
  private steps = 0;
  isDead = false;
  /** What the steps were. */
  readonly names: string[] = [];

  arm(at: number, when: When): void {
    this.at = at;
    this.when = when;
    this.steps = 0;
    this.isDead = false;
    this.names.length = 0;
  }

  /** The next process. */
  over(): void {
    this.arm(Number.POSITIVE_INFINITY, 'before');
  }

  /** What becomes of a step. */
  fate(name: string): 'done' | 'not-done' | 'done-unheard' {
    if (this.isDead) return 'not-done';
    this.steps += 1;
    this.names.push(name);
    if (this.steps < this.at) return 'done';
    this.isDead = true;
    return this.when === 'before' ? 'not-done' : 'done-unheard';
  }
}

const death = new Death();
const gone = () => new Error('the process has ended');

/** Each of these can be the last that a process does. */
function dieAt(prototype: object, methods: readonly string[]): void {
  const all = prototype as Record<string, (...values: unknown[]) => Promise<unknown>>;
  for (const method of methods) {
    const act = all[method]!;
    all[method] = async function (this: unknown, ...values: unknown[]) {
      const fate = death.fate(`${method} ${typeof values[0] === 'string' ? values[0] : ''}`.trim());
      if (fate === 'not-done') throw gone();
      const result = await act.apply(this, values);
      if (fate === 'done-unheard') throw gone();
      return result;
    };
  }
}
dieAt(LocalNotes.prototype, ['create', 'replace', 'remove', 'clear']);
dieAt(LocalStretches.prototype, ['create', 'clear']);
dieAt(Folder.prototype, ['link', 'remove', 'adopt', 'rmdir']);

/** Where files lie, and a program that takes them away. */
interface Backend {
  readonly storage: ServerConfigInput['storage'];
  /** Whoever comes next need not wait until the lease of the dead has run out. */
  endLease(): Promise<void>;
  /** The time has passed in which nobody but its own process sends a receipt. */
  turnIsOver(): Promise<void>;
  /** `modified`: the time that it keeps, as a file does that is renamed. */
  put(path: string, content: string | Buffer, modified?: Date): Promise<void>;
  names(folder: string): Promise<string[]>;
  read(path: string): Promise<string>;
  bytes(path: string): Promise<Buffer>;
  take(path: string): Promise<void>;
  records(): Promise<{ readonly direction: string; readonly state: string; readonly messageId: string }[]>;
  /** Messages that are on their way. */
  due(): Promise<number>;
}

const over = (receipt: string) => JSON.stringify({ ...JSON.parse(receipt), nextAt: 0 });

let count = 0;
function local(): Backend {
  const root = join(process.env['TMPDIR'] ?? tmpdir(), `crashes-${process.pid}-${count++}`);
  const at = (path: string) => join(root, path);
  const names = async (folder: string) => {
    try {
      return readdirSync(at(folder), { recursive: true, withFileTypes: true }).flatMap((one) =>
        one.isFile() ? [join(one.parentPath, one.name).slice(at(folder).length + 1)] : [],
      );
    } catch {
      return [];
    }
  };
  return {
    storage: { kind: 'local', root, fsync: true },
    endLease: async () => rmSync(at('.ftps-notes/as2/lease'), { recursive: true, force: true }),
    async turnIsOver() {
      for (const name of await names('.ftps-notes/as2/receipts')) {
        const path = at(`.ftps-notes/as2/receipts/${name}`);
        writeFileSync(path, over(readFileSync(path, 'utf8')));
      }
    },
    async put(path, content, modified) {
      mkdirSync(at(path.slice(0, path.lastIndexOf('/'))), { recursive: true });
      writeFileSync(at('.put'), content);
      if (modified) utimesSync(at('.put'), modified, modified);
      renameSync(at('.put'), at(path));
    },
    names,
    read: async (path) => readFileSync(at(path), 'utf8'),
    bytes: async (path) => readFileSync(at(path)),
    take: async (path) => rmSync(at(path)),
    due: async () => (await names('.ftps-notes/as2/due')).length,
    records: async () =>
      (await names('.ftps-notes/as2/messages'))
        .filter((name) => name.endsWith('.json'))
        .map((name) => JSON.parse(readFileSync(at(`.ftps-notes/as2/messages/${name}`), 'utf8'))),
  };
}

/** Who looks at the bucket beside the server. */
const PROGRAM = 'a-program';
let s3: S3Server;
let programs: S3Client;
async function bucket(): Promise<Backend> {
  const Bucket = await s3.newBucket();
  const read = async (Key: string) => (await programs.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
  const remove = async (Key: string) => void (await programs.send(new DeleteObjectCommand({ Bucket, Key })));
  const names = async (folder: string) =>
    ((await programs.send(new ListObjectsV2Command({ Bucket, Prefix: `${folder}/` }))).Contents ?? [])
      .map(({ Key }) => Key!.slice(folder.length + 1))
      .filter((name) => name !== '' && !name.endsWith('/'));
  return {
    storage: {
      kind: 's3',
      bucket: Bucket,
      endpoint: s3.endpoint,
      pathStyle: true,
      region: 'us-east-1',
      spool: join(process.env['TMPDIR'] ?? tmpdir(), 'crash-spool'),
    },
    async endLease() {
      for (const name of await names('.ftps-notes/as2/lease')) await remove(`.ftps-notes/as2/lease/${name}`);
    },
    async turnIsOver() {
      for (const name of await names('.ftps-notes/as2/receipts')) {
        const Key = `.ftps-notes/as2/receipts/${name}`;
        await programs.send(new PutObjectCommand({ Bucket, Key, Body: over(await read(Key)) }));
      }
    },
    async put(path, Body, modified) {
      const Metadata = modified && { mtime: String(modified.getTime() / 1000) };
      await programs.send(new PutObjectCommand({ Bucket, Key: path, Body, Metadata }));
    },
    names,
    read,
    bytes: async (Key) => Buffer.from(await (await programs.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray()),
    take: remove,
    due: async () => (await names('.ftps-notes/as2/due')).length,
    records: async () =>
      Promise.all(
        (await names('.ftps-notes/as2/messages'))
          .filter((name) => name.endsWith('.json'))
          .map(async (name) => JSON.parse(await read(`.ftps-notes/as2/messages/${name}`))),
      ),
  };
}

let us: Party;
beforeAll(async () => {
  us = await party('us');
  s3 = await startS3('versitygw');
  programs = new S3Client({ endpoint: s3.endpoint, forcePathStyle: true, customUserAgent: PROGRAM, responseChecksumValidation: 'WHEN_REQUIRED' });
  s3.judge = ({ method, url, headers }) => {
    if (headers['user-agent']?.includes(PROGRAM)) return 'pass';
    if (method === 'GET' || method === 'HEAD') return death.isDead ? 'deny' : 'pass';
    return ({ done: 'pass', 'not-done': 'deny', 'done-unheard': 'lost' } as const)[death.fate(`${method} ${url}`)];
  };
});
afterAll(async () => {
  death.over();
  programs?.destroy();
  await s3?.stop();
});

const MIB = 1024 * 1024;
/** Longer than two stretches of what is kept. */
const LONG = randomBytes(9 * MIB + 1);
const sumOf = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

const PAYLOADS = ["UNB+UNOC:3+THEM+US'one'", "UNB+UNOC:3+THEM+US'two'"] as const;
const MULTIPART = PAYLOADS.map(
  (content, index) => `--b\r\nContent-Type: application/edifact\r\nContent-Disposition: attachment; filename="order-${index}.edi"\r\n\r\n${content}\r\n`,
).join('');

const partnered = (backend: Backend, url?: string, goesTo: '/sent' | 'remove' = '/sent'): Promise<As2Served> =>
  as2Served(
    us,
    {
      restart: { fromBytes: MIB },
      partners: [
        {
          ...PLAIN,
          as2Id: 'Them',
          url,
          sent: goesTo,
          receipt: { signed: false, kind: 'sync' },
          retry: { attempts: 20, firstSeconds: 0.05, longestSeconds: 0.1 },
          restart: { receive: true, send: true },
        },
      ],
    },
    {
      storage: backend.storage,
    },
  );

/** Whether the message is receipted as taken, or is to be by a request. */
async function sent(server: As2Served, id: string, further: Record<string, string> = {}): Promise<boolean> {
  const headers = { ...asking(id, further), 'Content-Type': 'multipart/related; boundary=b; type="application/edifact"' };
  const answer = await send(server.as2Port, headers, `${MULTIPART}--b--\r\n`).catch(() => undefined);
  if (answer?.status !== 200 || 'Receipt-Delivery-Option' in further) return answer?.status === 200;
  return (await receiptIn(answer)).receipt?.processed === true;
}

const longHeaders = (id: string) => ({
  ...asking(id),
  'Content-Type': 'application/edifact',
  'Content-Disposition': 'attachment; filename="long.edi"',
  Etag: `"${id.slice(1, id.indexOf('@'))}"`,
});

/** Sends so much of the long message, and is gone; fulfilled when the server says that it has that. */
async function cut(server: As2Served, id: string, bytes: number): Promise<void> {
  const socket = connect(server.as2Port, '127.0.0.1');
  const lines = Object.entries({ Host: 'us', ...longHeaders(id), 'Content-Length': String(LONG.length) }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /as2 HTTP/1.1\r\n${lines.join('')}\r\n`);
  await new Promise<void>((resolve) => socket.write(LONG.subarray(0, bytes), () => resolve()));
  socket.end();
  socket.resume();
  await once(socket, 'close');
  await until(async () => (await kept(server, id)) === bytes);
}

async function kept(server: As2Served, id: string): Promise<number> {
  const { Etag } = longHeaders(id);
  const asked = request({
    host: '127.0.0.1',
    port: server.as2Port,
    method: 'HEAD',
    path: '/as2',
    headers: { 'AS2-From': 'Them', 'AS2-To': 'Us', Etag },
    agent: false,
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode === 200 ? Number(response.headers['content-length']) : 0;
}

/** Asks how much of the long message is there, and sends the rest. Whether it is receipted as taken. */
async function goOn(server: As2Served, id: string): Promise<boolean> {
  const first = Math.min(await kept(server, id), LONG.length - 1);
  const range: Record<string, string> = first > 0 ? { 'Content-Range': `bytes ${first}-${LONG.length - 1}/${LONG.length}` } : {};
  const answer = await send(server.as2Port, { ...longHeaders(id), ...range, 'Content-Length': String(LONG.length - first) }, LONG.subarray(first));
  return answer.status === 200 && (await receiptIn(answer)).receipt?.processed === true;
}

async function ended(server: As2Served, backend: Backend): Promise<void> {
  await server.close().catch(() => {}); // it is dead
  death.over();
  await backend.endLease();
}

describe.each([
  ['on a disk', async () => local()],
  ['in S3', bucket],
] as const)('%s', (_, open) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });

  /** Takes all that is in the inbox, as a program does that looks often. */
  const taking = async (taken: string[]) => {
    for (const name of await backend.names('inbox')) {
      taken.push(await backend.read(`inbox/${name}`));
      await backend.take(`inbox/${name}`);
    }
  };

  it('a message is delivered once, at whatever step the process ends that takes it', async () => {
    let server = await partnered(backend);
    let steps = 0;
    for (const when of WHENS)
      for (let at = 1; ; at += 1) {
        const id = `<${when}-${at}@them>`;
        const taken: string[] = [];
        death.arm(at, when);
        await sent(server, id);
        const wasReached = death.isDead;
        const what = [...death.names];
        await ended(server, backend);
        await taking(taken);
        server = await partnered(backend);
        await until(() => sent(server, id));
        await taking(taken);
        expect([when, at, what.at(-1), taken.sort()]).toEqual([when, at, what.at(-1), PAYLOADS]);
        steps = Math.max(steps, at);
        if (!wasReached) break;
      }
    await server.close();
    expect(steps).toBeGreaterThan(9);
  }, 300_000);

  it('the same holds where whoever puts it right ends as well', async () => {
    let server = await partnered(backend);
    // With both payloads safe, and the first of them there.
    const first = await stepOf(server, backend, taking);
    server = await partnered(backend);
    for (const when of WHENS)
      for (let at = 1; ; at += 1) {
        const id = `<again-${when}-${at}@them>`;
        const taken: string[] = [];
        death.arm(first, 'after');
        await sent(server, id);
        await ended(server, backend);
        await taking(taken);
        server = await partnered(backend);
        death.arm(at, when);
        await sent(server, id);
        const wasReached = death.isDead;
        const what = [...death.names];
        await ended(server, backend);
        await taking(taken);
        server = await partnered(backend);
        await until(() => sent(server, id));
        await taking(taken);
        expect([when, at, what.at(-1), taken.sort()]).toEqual([when, at, what.at(-1), PAYLOADS]);
        if (!wasReached) break;
      }
    await server.close();
  }, 300_000);

  it('a long message that was cut goes on and is delivered once, at whatever step the process ends that takes its rest', async () => {
    let server = await partnered(backend);
    for (const when of WHENS)
      for (let at = 1; ; at += 1) {
        const id = `<long-${when}-${at}@them>`;
        await cut(server, id, 5 * MIB);
        death.arm(at, when);
        await goOn(server, id).catch(() => false);
        const wasReached = death.isDead;
        const what = [...death.names];
        await ended(server, backend);
        const taken: string[] = [];
        const takeAll = async () => {
          for (const name of await backend.names('inbox')) {
            taken.push(sumOf(await backend.bytes(`inbox/${name}`)));
            await backend.take(`inbox/${name}`);
          }
        };
        await takeAll();
        server = await partnered(backend);
        await until(() => goOn(server, id).catch(() => false));
        await takeAll();
        expect([when, at, what.at(-1), taken]).toEqual([when, at, what.at(-1), [sumOf(LONG)]]);
        if (!wasReached) break;
      }
    await until(async () => (await backend.names('.ftps-notes/as2/kept')).length + (await backend.names('.ftps-notes/as2/kept-open')).length === 0);
    await server.close();
  }, 400_000);

  it('a long file that was cut arrives whole, by one Message-ID, at whatever step the process ends that sends it', async () => {
    const partner = await Partner.start();
    let server = await partnered(backend, partner.url);
    for (const when of WHENS)
      for (let at = 1; ; at += 1) {
        const name = `long-${when}-${at}.edi`;
        partner.ids.clear();
        partner.parts.clear();
        partner.cutAfter = 5 * MIB;
        death.arm(at, when);
        await backend.put(`outbox/${name}`, LONG);
        await until(async () => death.isDead || (await backend.names('sent')).includes(name));
        const wasReached = death.isDead;
        const what = [...death.names];
        await ended(server, backend);
        server = await partnered(backend, partner.url);
        await until(async () => (await backend.names('outbox')).length === 0);
        expect([when, at, what.at(-1), await backend.names('sent'), await backend.names('failed')]).toEqual([when, at, what.at(-1), [name], []]);
        await backend.take(`sent/${name}`);
        // What it had of an attempt before may wait there for ever: of one id all is there.
        expect([partner.ids.size, [...partner.parts.values()].map(sumOf).filter((sum) => sum === sumOf(LONG)).length]).toEqual([1, 1]);
        await until(async () => (await backend.names('.ftps-notes/as2/sealed')).length === 0);
        if (!wasReached) break;
      }
    await server.close();
    partner.stop();
  }, 400_000);

  it('a receipt that goes by a request of its own comes, also where the partner was told that the message is taken and never sends it again', async () => {
    const partner = await Partner.start();
    const further = { 'Receipt-Delivery-Option': partner.url };
    let server = await partnered(backend, partner.url);
    for (const when of WHENS)
      for (let at = 1; ; at += 1) {
        const id = `<async-${when}-${at}@them>`;
        partner.receipts.length = 0;
        death.arm(at, when);
        const isTaken = await sent(server, id, further);
        await until(async () => death.isDead || partner.receipts.length > 0);
        const wasReached = death.isDead;
        const what = [...death.names];
        await ended(server, backend);
        await backend.turnIsOver();
        server = await partnered(backend, partner.url);
        if (!isTaken) await until(() => sent(server, id, further));
        const receipts = () => partner.receipts.filter((receipt) => receipt.includes(`Original-Message-ID: ${id}`));
        await until(async () => receipts().length > 0);
        const taken: string[] = [];
        await taking(taken);
        expect([when, at, what.at(-1), new Set(receipts()).size, receipts()[0]!.includes('; processed\r\n'), taken.sort()]).toEqual([
          when,
          at,
          what.at(-1),
          1,
          true,
          PAYLOADS,
        ]);
        if (!wasReached) break;
      }
    await server.close();
    partner.stop();
  }, 300_000);

  it('a file leaves the outbox for what was sent, by one Message-ID and with one record, at whatever step the process ends that sends it', async () => {
    const partner = await Partner.start();
    let server = await partnered(backend, partner.url);
    for (const when of WHENS)
      for (let at = 1; ; at += 1) {
        const name = `${when}-${at}.edi`;
        partner.ids.clear();
        death.arm(at, when);
        await backend.put(`outbox/${name}`, `content of ${name}`);
        await until(async () => death.isDead || (await backend.names('sent')).includes(name));
        const wasReached = death.isDead;
        const what = [...death.names];
        await ended(server, backend);
        server = await partnered(backend, partner.url);
        await until(async () => (await backend.names('outbox')).length === 0);
        const there = async () => [when, at, what.at(-1), ...(await backend.names('sent')), ...(await backend.names('failed'))];
        expect(await there()).toEqual([when, at, what.at(-1), name]);
        expect(await backend.read(`sent/${name}`)).toBe(`content of ${name}`);
        await backend.take(`sent/${name}`);
        expect(partner.ids.size).toBe(1);
        const [messageId] = partner.ids;
        expect((await backend.records()).filter((one) => one.messageId === messageId)).toMatchObject([{ direction: 'sent', state: 'done' }]);
        if (!wasReached) break;
      }
    await server.close();
    partner.stop();
  }, 300_000);
});

describe.each([
  ['on a disk', async () => local(), ['/sent', 'remove']],
  ['in S3', bucket, ['/sent']],
] as const)('%s', (_, open, targets) => {
  it('a file that was renamed, which keeps its time, is sent as well', async () => {
    const backend = await open();
    const partner = await Partner.start();
    const server = await partnered(backend, partner.url);
    await backend.put('outbox/renamed.edi', 'renamed', new Date('2026-01-02T03:04:05.678Z'));
    await until(async () => (await backend.names('outbox')).length === 0);
    expect([await backend.names('sent'), partner.bodies]).toEqual([['renamed.edi'], [expect.stringContaining('renamed')]]);
    await server.close();
    partner.stop();
  });

  it.each(targets)(
    'a folder leaves the outbox for %s as one message, by one Message-ID and with one record, at whatever step the process ends that sends it',
    async (target) => {
      const backend = await open();
      const partner = await Partner.start();
      const begin = () => partnered(backend, partner.url, target as '/sent');
      const names = ['b.edi', 'a.edi', 'c.pdf'];
      let server = await begin();
      for (const when of WHENS)
        for (let at = 1; ; at += 1) {
          const folder = `${when}-${at}`;
          partner.forget();
          death.arm(at, when);
          // In any order: it goes when all of it is there.
          await backend.put(`outbox/${folder}/send.txt`, names.join('\n'));
          for (const name of names) await backend.put(`outbox/${folder}/${name}`, `${name} of ${folder}`);
          const isGone = async () => (await backend.names('outbox')).length === 0;
          await until(async () => death.isDead || (await isGone()));
          // Notes of it go behind it.
          await until(async () => death.isDead || (await backend.due()) === 0);
          const wasReached = death.isDead;
          const what = [...death.names];
          await ended(server, backend);
          server = await begin();
          await until(async () => (await isGone()) && (await backend.due()) === 0);
          const there = async () => [when, at, what.at(-1), (await backend.names('sent')).sort(), await backend.names('failed')];
          const sent = target === 'remove' ? [] : [...names, 'send.txt'].sort().map((name) => `${folder}/${name}`);
          expect(await there()).toEqual([when, at, what.at(-1), sent, []]);
          for (const name of sent) {
            if (!name.endsWith('send.txt')) expect(await backend.read(`sent/${name}`)).toBe(`${name.slice(name.indexOf('/') + 1)} of ${folder}`);
            await backend.take(`sent/${name}`);
          }
          const [messageId] = partner.ids;
          expect([partner.ids.size, new Set(partner.bodies).size, partner.bodies[0]!.match(/filename="?[abc]/g)]).toEqual([
            1,
            1,
            ['filename="b', 'filename="a', 'filename="c'],
          ]);
          const [record] = (await backend.records()).filter((one) => one.messageId === messageId);
          expect(record).toMatchObject({
            direction: 'sent',
            state: 'done',
            payloads: names.map((name, index) => ({ index, name, path: `/outbox/${folder}/${name}` })),
          });
          if (!wasReached) break;
        }
      await server.close();
      partner.stop();
    },
    400_000,
  );
});

/** Which step it is at which the first of the payloads has appeared. */
async function stepOf(server: As2Served, backend: Backend, taking: (taken: string[]) => Promise<void>): Promise<number> {
  death.arm(Number.MAX_SAFE_INTEGER, 'before');
  await until(() => sent(server, '<how@them>'));
  const step = death.names.findIndex((name) => name.startsWith('link') || /^POST .*inbox\/order-0[^/]*\?uploadId/.test(name)) + 1;
  expect(step).toBeGreaterThan(0);
  await ended(server, backend);
  await taking([]);
  return step;
}

/** Takes messages, and says of one that comes again that it has it. */
class Partner {
  readonly ids = new Set<string>();
  /** Of the messages. */
  readonly bodies: string[] = [];
  /** Those that came by a request of their own. */
  readonly receipts: string[] = [];
  /** What came of messages that can go on, by their Etag. */
  readonly parts = new Map<string, Buffer>();
  /** The next of those is cut after so many bytes. */
  cutAfter: number | undefined;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Partner> {
    const server: Server = createServer(async (request, response) => {
      const { socket } = request;
      const { etag } = request.headers;
      if (request.method === 'HEAD') return response.writeHead(200, { 'Content-Length': String(partner.parts.get(etag!)?.length ?? 0) }).end();
      const first = Number(/^bytes (\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? 0);
      const chunks: Buffer[] = etag === undefined ? [] : [(partner.parts.get(etag) ?? Buffer.alloc(0)).subarray(0, first)];
      let came = 0;
      try {
        for await (const chunk of request) {
          chunks.push(chunk as Buffer);
          came += (chunk as Buffer).length;
          if (etag === undefined || came < (partner.cutAfter ?? Number.POSITIVE_INFINITY)) continue;
          partner.cutAfter = undefined;
          throw new Error('cut');
        }
      } catch {
        socket.destroy();
        if (etag !== undefined) partner.parts.set(etag, Buffer.concat(chunks));
        return;
      }
      if (etag !== undefined) partner.parts.set(etag, Buffer.concat(chunks));
      if (request.headers['content-type']?.startsWith('multipart/report')) {
        partner.receipts.push(Buffer.concat(chunks).toString());
        return response.writeHead(200).end();
      }
      const id = String(request.headers['message-id']);
      const isRepeated = partner.ids.has(id);
      partner.ids.add(id);
      partner.bodies.push(Buffer.concat(chunks).toString());
      const receipt = { messageId: '<r@them>', originalMessageId: id, finalRecipient: 'Them', text: 'said' };
      const written = await writeReceipt(isRepeated ? { ...receipt, failure: 'duplicate-document' } : receipt);
      response.writeHead(200, written.headers).end(written.body);
    });
    const partner = new Partner(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return partner;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}/`;
  }

  forget(): void {
    this.ids.clear();
    this.bodies.length = 0;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await what()); await new Promise((resolve) => setTimeout(resolve, 20)))
    if (Date.now() > end) throw new Error(`it did not come to be; the last steps were ${death.names.slice(-3).join(', ')}`);
}
