/**
 * Two built servers as partners of each other over a line that is cut again and again, each of them killed once on the way: a large message arrives whole and once, its receipt is good, and
 * little of it is sent twice.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Party, party } from '../../server/as2/served';
import { freePort } from '../../server/support/free-port';
import { type RestartableServer, serveRestartable } from '../support/restartable';
import { needRoom } from '../support/room';
import { USER } from '../support/served';

const MIB = 1024 * 1024;
/** Bytes of the file, 1 GiB where one asks for it: `AS2_LARGEST=1073741824`. */
const LARGEST = Number(process.env['AS2_LARGEST'] ?? 192 * MIB);
/** The line ends after so many bytes. */
const CUT = Math.floor(LARGEST / 6);
/** What is sent again at most for each end: a stretch that is filled, one that is stored, and what is on its way. Bytes. */
const MOST_AGAIN = 16 * MIB;
const MOST_MEMORY_MIB = 512;

class Line {
  sent = 0;
  cuts = 0;
  readonly open = new Set<Socket>();
  constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(to: number): Promise<Line> {
    const server = createServer((from) => {
      const onward = connect(to, '127.0.0.1');
      let here = 0;
      for (const [one, other] of [
        [from, onward],
        [onward, from],
      ] as const) {
        line.open.add(one);
        one
          .on('error', () => {})
          .on('close', () => {
            line.open.delete(one);
            other.destroy();
          });
      }
      from.on('data', (bytes) => {
        here += bytes.length;
        line.sent += bytes.length;
        if (here > CUT) {
          line.cuts += 1;
          onward.end();
          from.destroy();
        } else if (!onward.write(bytes)) {
          from.pause();
          onward.once('drain', () => from.resume());
        }
      });
      onward.on('data', (bytes) => from.write(bytes));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const line: Line = new Line(server, (server.address() as { port: number }).port);
    return line;
  }

  stop(): void {
    for (const socket of this.open) socket.destroy();
    this.server.close();
  }
}

const servers: RestartableServer[] = [];
let line: Line;
beforeAll(() => needRoom(tmpdir(), 6 * LARGEST));
afterAll(async () => {
  line?.stop();
  for (const server of servers) await server.stop();
});

async function serve(
  id: string,
  own: Party,
  port: number,
  partner: { readonly id: string; readonly port: number; readonly certificate: string },
): Promise<RestartableServer> {
  const server = await serveRestartable((files) => {
    const at = (name: string) => join(files, '..', name);
    writeFileSync(at('as2.pem'), own.certificate);
    writeFileSync(at('as2.key'), own.key, { mode: 0o600 });
    return {
      workers: 2,
      as2: {
        host: '127.0.0.1',
        plainPort: port,
        outboxSeconds: 0.2,
        identity: { as2Id: id, url: `http://127.0.0.1:${port}/as2`, signing: { kind: 'file', certificate: at('as2.pem'), key: at('as2.key') } },
        partners: [
          {
            as2Id: partner.id,
            account: USER,
            url: `http://127.0.0.1:${partner.port}/as2`,
            allowPlainHttp: true,
            certificates: [partner.certificate],
            retry: { attempts: 200, firstSeconds: 0.2, longestSeconds: 1 },
            restart: { send: true, receive: true },
          },
        ],
      },
    };
  });
  servers.push(server);
  return server;
}

/** The most that each process of a server has had. MiB. */
function memoryOf({ pid }: RestartableServer): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return Math.max(...[pid, ...children].map((one) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))![1]) / 1024));
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: MIB }), hash);
  return hash.digest('hex');
}

it(`${LARGEST} bytes over a line that ends every ${CUT}, while each side is killed once`, async () => {
  const [us, them] = await Promise.all([party('us'), party('them')]);
  const [ourPort, theirPort] = [await freePort(), await freePort()];
  line = await Line.start(theirPort);
  const ours = await serve('Us', us, ourPort, { id: 'Them', port: line.port, certificate: them.certificate });
  const theirs = await serve('Them', them, theirPort, { id: 'Us', port: ourPort, certificate: us.certificate });
  async function* content() {
    const piece = randomBytes(MIB);
    for (let at = 0; at < LARGEST; at += piece.length) {
      piece.writeUInt32BE(at / MIB);
      yield Buffer.from(piece.subarray(0, Math.min(piece.length, LARGEST - at)));
    }
  }
  const file = join(ours.files, 'large.bin');
  await pipeline(content, createWriteStream(file));
  const sum = await sumOf(file);
  mkdirSync(join(ours.files, 'outbox'), { recursive: true });
  renameSync(file, join(ours.files, 'outbox/large.bin'));
  const passes = async (bytes: number) => {
    while (line.sent < bytes) await sleep(5);
  };
  const memory: number[] = [];
  const killed = async (server: RestartableServer) => {
    memory.push(memoryOf(server));
    await server.kill();
    await server.start();
  };
  await passes(CUT * 1.5);
  await killed(theirs);
  await passes(CUT * 3.5);
  await killed(ours);
  while (!existsSync(join(ours.files, 'sent/large.bin'))) {
    if (existsSync(join(ours.files, 'failed/large.bin'))) throw new Error(JSON.stringify(ours.audit().slice(-3)));
    await sleep(50);
  }
  memory.push(memoryOf(ours), memoryOf(theirs));
  const again = line.sent - LARGEST;
  console.log(
    `${LARGEST / MIB} MiB, ${line.cuts} cuts and 2 kills: ${(again / MIB).toFixed(1)} MiB sent again; ${Math.round(Math.max(...memory))} MiB of memory at most`,
  );
  expect(line.cuts).toBeGreaterThan(3);
  expect(again).toBeLessThan((line.cuts + 2) * MOST_AGAIN);
  expect(readdirSync(join(theirs.files, 'inbox'))).toEqual(['large.bin']);
  expect(await sumOf(join(theirs.files, 'inbox/large.bin'))).toBe(sum);
  const told = (server: RestartableServer, event: string) => server.audit().filter((one) => one.unmapped?.event === event);
  expect(told(theirs, 'as2-message').filter((one) => one.status === 'Success')).toHaveLength(1);
  expect(told(ours, 'as2-delivery').at(-1)).toMatchObject({ unmapped: { state: 'delivered' } });
  expect(Math.max(...memory)).toBeLessThan(MOST_MEMORY_MIB);
}, 300_000);
