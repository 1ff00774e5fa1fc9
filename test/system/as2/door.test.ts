/** The built server and pyas2lib as partners: messages both ways, every protection, both kinds of receipts, and a worker that is killed meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { party } from '../../server/as2/served';
import { TestAuthority } from '../../server/support/authority';
import { freePort } from '../../server/support/free-port';
import { type ServedProcess, serveConfigured } from '../support/served';

const MIB = 1024 * 1024;
/** Bytes of the largest message, 1 GiB where one asks for it: `AS2_LARGEST=1073741824`. */
const LARGEST = Number(process.env['AS2_LARGEST'] ?? 16 * MIB);

let folder: string;
let server: ServedProcess;
let python: ChildProcess;
let theirPort: number;
const local = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-as2-'));
  const [us, them, authority] = await Promise.all([party('us'), party('them'), TestAuthority.create()]);
  const tls = await authority.issue();
  writeFileSync(local('ca.pem'), authority.pem);
  writeFileSync(local('tls.pem'), tls.certificate);
  writeFileSync(local('tls.key'), tls.key);
  writeFileSync(local('us.pem'), us.certificate);
  writeFileSync(local('us.key'), us.key);
  writeFileSync(local('them.pem'), them.certificate);
  writeFileSync(local('them.key'), `${them.key.trim()}\n${them.certificate.trim()}\n`);
  writeFileSync(local('accounts.json'), JSON.stringify({ accounts: [{ user: 'them', clientCertificate: 'instead-of-password', home: '/them' }] }));
  theirPort = await freePort();
  const ourPort = await freePort();
  const partner = {
    as2Id: 'Them',
    account: 'them',
    url: `http://127.0.0.1:${theirPort}/as2`,
    allowPlainHttp: true,
    certificates: [them.certificate],
    require: { signed: false, encrypted: false },
    retry: { attempts: 20, firstSeconds: 0.2, longestSeconds: 1 },
  };
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    workers: 2,
    tls: { certificates: [{ kind: 'file', certificate: local('tls.pem'), key: local('tls.key') }] },
    identity: [{ kind: 'file', file: local('accounts.json') }],
    as2: {
      host: '127.0.0.1',
      port: ourPort,
      outboxSeconds: 0.2,
      identity: { as2Id: 'Us', url: `https://localhost:${ourPort}/as2`, signing: { kind: 'file', certificate: local('us.pem'), key: local('us.key') } },
      partners: [
        partner,
        // It takes the last of several parts for what was signed, unless they are inside of what is compressed.
        ...(['sync', 'async'] as const).map((kind) => ({
          ...partner,
          as2Id: `Them-${kind}`,
          outbox: `/several-${kind}`,
          receipt: { kind },
          send: { compress: 'before-signing' as const, contentTypes: { pdf: 'application/pdf' } },
        })),
      ],
    },
  });
  ours = `https://localhost:${ourPort}/as2`;
  python = spawn(join(process.env['CDK_FTPS_VENV']!, 'bin/python'), [
    join(__dirname, 'pyas2_server.py'),
    JSON.stringify({
      key: local('them.key'),
      certificate: local('us.pem'),
      ca: local('ca.pem'),
      port: theirPort,
      own: `http://127.0.0.1:${theirPort}/as2`,
      folder,
    }),
  ]);
  python.stderr!.pipe(process.stderr);
  await Promise.race([
    once(python.stdout!, 'data'),
    once(python, 'exit').then(() => {
      throw new Error('the partner did not start');
    }),
  ]);
});
afterAll(async () => {
  python?.kill();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let ours: string;
interface Told {
  readonly id: string;
  readonly code: number;
  readonly status: string;
  readonly detail: string | null;
}
const theirs = async (path: string, body: object | string): Promise<Told> => {
  const response = await fetch(`http://127.0.0.1:${theirPort}${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  return (await response.json()) as Told;
};
const file = (name: string, bytes: number) => {
  const content = randomBytes(bytes);
  writeFileSync(local(name), content);
  return createHash('sha256').update(content).digest('hex');
};
const sumOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const until = async (what: () => boolean, seconds = 60) => {
  for (const end = Date.now() + seconds * 1000; !what(); await sleep(50)) if (Date.now() > end) throw new Error('it did not come to be');
};

const SIGNED = { sign: true, digest_alg: 'sha256' };
const ENCRYPTED = { encrypt: true, enc_alg: 'aes_256_cbc' };
const SYNC = { mdn_mode: 'SYNC', mdn_digest_alg: 'sha256' };
const ASYNC = { mdn_mode: 'ASYNC', mdn_digest_alg: 'sha256' };

it.each([
  ['plain', SYNC],
  ['signed', { ...SIGNED, ...SYNC }],
  ['encrypted', { ...ENCRYPTED, ...SYNC }],
  ['signed and encrypted', { ...SIGNED, ...ENCRYPTED, ...SYNC }],
  ['compressed, signed and encrypted', { ...SIGNED, ...ENCRYPTED, ...SYNC, compress: true }],
  ['signed and encrypted, with an asynchronous receipt', { ...SIGNED, ...ENCRYPTED, ...ASYNC }],
  ['signed and encrypted, with a receipt that is not signed', { ...SIGNED, ...ENCRYPTED, mdn_mode: 'SYNC' }],
])('a message of pyas2lib that is %s lands in the inbox, and its receipt convinces it', async (what, options) => {
  const name = `${what.replaceAll(/[ ,]+/g, '-')}.bin`;
  const sum = file(name, 70_000);
  const answer = await theirs('/send', { file: local(name), name, url: ours, options });
  const receipt = options.mdn_mode === 'ASYNC' ? await theirs('/receipt', answer.id) : [answer.status, answer.detail];
  expect([answer.code, receipt]).toEqual([200, ['processed', null]]);
  expect(sumOf(join(server.files, 'them/inbox', name))).toBe(sum);
});

it.each([1024, LARGEST])('%i bytes come in whole', async (bytes) => {
  const name = `large-${bytes}.bin`;
  const sum = file(name, bytes);
  const answer = await theirs('/send', { file: local(name), name, url: ours, options: { ...SIGNED, ...ENCRYPTED, ...SYNC } });
  expect(answer).toMatchObject({ code: 200, status: 'processed' });
  expect(sumOf(join(server.files, 'them/inbox', name))).toBe(sum);
});

it('a file in the outbox arrives at pyas2lib signed and encrypted, and its receipt moves the file', async () => {
  const sum = file('to-them.bin', 3 * MIB);
  mkdirSync(join(server.files, 'them/outbox'), { recursive: true });
  renameSync(local('to-them.bin'), join(server.files, 'them/outbox/to-them.bin'));
  await until(() => existsSync(join(server.files, 'them/sent/to-them.bin')));
  expect(sumOf(local('to-them.bin.taken'))).toBe(sum);
  expect(readFileSync(local('taken'), 'utf8')).toContain('"status": "processed"');
});

it.each(['sync', 'async'])(
  'a folder in the outbox arrives at pyas2lib as one message, compressed, signed and encrypted, and its %s receipt moves all of it',
  async (kind) => {
    const outbox = join(server.files, `them/several-${kind}`);
    const names = [`${kind}-one.edi`, `${kind}-two.pdf`, `${kind}-three.bin`];
    mkdirSync(join(outbox, 'order'), { recursive: true });
    const sums = names.map((name, index) => {
      const sum = file(name, 100_000 * (index + 1));
      renameSync(local(name), join(outbox, 'order', name));
      return sum;
    });
    writeFileSync(join(outbox, 'order/.list'), names.join('\n'));
    renameSync(join(outbox, 'order/.list'), join(outbox, 'order/send.txt'));
    const sent = join(server.files, 'them/sent', kind === 'sync' ? 'order' : 'order-2');
    await until(() => existsSync(sent));
    expect(readdirSync(sent).sort()).toEqual([...names, 'send.txt'].sort());
    expect(names.map((name) => sumOf(local(`${name}.taken`)))).toEqual(sums);
    const taken = readFileSync(local('taken'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ name }) => name === names[0]);
    expect(taken).toMatchObject([
      {
        status: 'processed',
        problem: null,
        signed: true,
        encrypted: true,
        compressed: true,
        types: ['application/octet-stream', 'application/pdf', 'application/octet-stream'],
      },
    ]);
    const told = server.audit().filter((line) => line.unmapped?.event === 'as2-delivery' && line.unmapped.message_id === `<${taken[0].id}>`);
    expect(told.map(({ unmapped }) => unmapped!.state)).toEqual(kind === 'sync' ? ['delivered'] : ['awaiting', 'delivered']);
    expect(told.at(-1)!.unmapped!.payloads).toEqual(names.map((name, index) => ({ name, bytes: 100_000 * (index + 1), sha256: sums[index] })));
  },
);

it('a worker is killed again and again while messages come: each is delivered once', async () => {
  const names: string[] = [];
  let isOver = false;
  // A worker that ends often is started again ever later: few kills, each in the middle of a message, at another moment.
  const killing = (async () => {
    for (let kills = 0; kills < 6; kills += 1) {
      await sleep(600 + Math.random() * 400);
      const all = workers();
      process.kill(all[kills % all.length]!, 'SIGKILL');
    }
    isOver = true;
  })();
  while (!isOver || names.length < 12) {
    const name = `killed-${names.length}.bin`;
    names.push(name);
    file(name, 400_000);
    // As a partner does it: the same Message-ID until there is a receipt.
    for (let tries = 0; ; tries += 1) {
      const answer = await theirs('/send', { file: local(name), name, url: ours, id: name, options: { ...SIGNED, ...ENCRYPTED, ...SYNC } }).catch(
        (): Told => ({ id: '', code: 0, status: '', detail: null }),
      );
      if (answer.code === 200 && answer.status === 'processed') break;
      if (tries === 300) throw new Error(`${name} is never receipted`);
      await sleep(100);
    }
  }
  await killing;
  const came = readdirSync(join(server.files, 'them/inbox')).filter((name) => name.startsWith('killed-'));
  expect(came.sort()).toEqual(names.sort());
  for (const name of names) expect(sumOf(join(server.files, 'them/inbox', name))).toBe(sumOf(local(name)));
});

it('a worker is killed again and again while files go: each leaves the outbox, and none is lost', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `going-${index}.bin`);
  for (const name of names) {
    file(name, 300_000);
    renameSync(local(name), join(server.files, 'them/outbox', name));
  }
  for (let kills = 0; kills < 3; kills += 1) {
    await sleep(700);
    for (const pid of workers()) process.kill(pid, 'SIGKILL');
  }
  await until(() => names.every((name) => existsSync(join(server.files, 'them/sent', name))), 120);
  for (const name of names) expect(sumOf(local(`${name}.taken`))).toBe(sumOf(join(server.files, 'them/sent', name)));
  // Whoever took one twice knew it by its Message-ID.
  const ids = readFileSync(local('taken'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ name }) => name?.startsWith('going-'));
  expect(new Set(ids.map(({ id }) => id)).size).toBe(names.length);
});

it('the audit has a line for each message, and no key', () => {
  const lines = server.audit();
  expect(lines.filter((line) => line.class_uid === 4002 && line.unmapped?.event === 'as2-message' && line.status === 'Success').length).toBeGreaterThanOrEqual(
    9,
  );
  expect(JSON.stringify(lines)).not.toContain('PRIVATE KEY');
});

function workers(): number[] {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
