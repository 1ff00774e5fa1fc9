/** Two built servers as partners of each other: a large file goes from the outbox of one into the inbox of the other, in a memory that does not grow with it. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Party, party } from '../../server/as2/served';
import { freePort } from '../../server/support/free-port';
import { needRoom } from '../support/room';
import { type ServedProcess, serveConfigured } from '../support/served';

const MIB = 1024 * 1024;
/** Bytes of the file, 1 GiB where one asks for it: `AS2_LARGEST=1073741824`. */
const LARGEST = Number(process.env['AS2_LARGEST'] ?? 64 * MIB);
/** What the processes of a server have at most. Bytes. */
const MOST_MEMORY = 512 * MIB;

let folder: string;
const servers: ServedProcess[] = [];
const local = (name: string) => join(folder, name);
beforeAll(() => {
  needRoom(tmpdir(), 4 * LARGEST);
  folder = mkdtempSync(join(tmpdir(), 'ftps-as2-between-'));
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(
  id: string,
  own: Party,
  port: number,
  partner: { readonly id: string; readonly port: number; readonly certificate: string },
): Promise<ServedProcess> {
  writeFileSync(local(`${id}.pem`), own.certificate);
  writeFileSync(local(`${id}.key`), own.key);
  writeFileSync(local('accounts.json'), JSON.stringify({ accounts: [{ user: 'partner', clientCertificate: 'instead-of-password', home: '/partner' }] }));
  const signing = { kind: 'file', certificate: local(`${id}.pem`), key: local(`${id}.key`) };
  const server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    workers: 1,
    tls: { certificates: [signing] },
    identity: [{ kind: 'file', file: local('accounts.json') }],
    as2: {
      host: '127.0.0.1',
      plainPort: port,
      outboxSeconds: 0.2,
      identity: { as2Id: id, url: `http://127.0.0.1:${port}/as2`, signing },
      partners: [
        { as2Id: partner.id, account: 'partner', url: `http://127.0.0.1:${partner.port}/as2`, allowPlainHttp: true, certificates: [partner.certificate] },
      ],
    },
  });
  servers.push(server);
  return server;
}

/** The most that each process of a server has had. Bytes. */
function memoryOf({ pid }: ServedProcess): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  const peaks = [pid, ...children].map((one) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))![1]) * 1024);
  return Math.max(...peaks);
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: MIB }), hash);
  return hash.digest('hex');
}

it(`${LARGEST} bytes, signed and encrypted, with a signed receipt`, async () => {
  const [us, them] = await Promise.all([party('us'), party('them')]);
  const [ourPort, theirPort] = [await freePort(), await freePort()];
  const ours = await serve('Us', us, ourPort, { id: 'Them', port: theirPort, certificate: them.certificate });
  const theirs = await serve('Them', them, theirPort, { id: 'Us', port: ourPort, certificate: us.certificate });
  async function* content() {
    const piece = randomBytes(MIB);
    for (let at = 0; at < LARGEST; at += piece.length) {
      piece.writeUInt32BE(at / MIB);
      yield Buffer.from(piece.subarray(0, Math.min(piece.length, LARGEST - at)));
    }
  }
  await pipeline(content, createWriteStream(local('large.bin')));
  const sum = await sumOf(local('large.bin'));
  mkdirSync(join(ours.files, 'partner/outbox'), { recursive: true });
  const started = performance.now();
  renameSync(local('large.bin'), join(ours.files, 'partner/outbox/large.bin'));
  while (!existsSync(join(ours.files, 'partner/sent/large.bin'))) {
    if (existsSync(join(ours.files, 'partner/failed/large.bin'))) throw new Error(JSON.stringify(ours.audit().slice(-3)));
    await sleep(100);
  }
  const seconds = (performance.now() - started) / 1000;
  const [sending, taking] = [memoryOf(ours), memoryOf(theirs)];
  console.log(
    `${LARGEST / MIB} MiB in ${seconds.toFixed(1)} s, ${(LARGEST / MIB / seconds).toFixed(0)} MiB/s; ${Math.round(sending / MIB)} MiB to send it, ${Math.round(taking / MIB)} MiB to take it`,
  );
  expect(await sumOf(join(theirs.files, 'partner/inbox/large.bin'))).toBe(sum);
  expect(Math.max(sending, taking)).toBeLessThan(MOST_MEMORY);
  expect(theirs.audit().filter((line) => line.unmapped?.event === 'as2-message')).toMatchObject([{ status: 'Success' }]);
}, 420_000);
