/** What is measured of HTTPS: files by curl; small ones on connections that stay open, sign-ins and idle connections with many in one process. */
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { inParallel } from '../client';
import { type Figure, GIB, type Measurement, run, seconds, settledMemory, uploadFolder } from '../figures';
import type { Server } from '../server';
import { CIPHER, PASSWORD, USER, type Workplace } from '../workplace';
import { filesAt, nginx } from './peers';

/** Clients at once that ask for small files. */
const LANES = 4;
/** How often each small file is asked for. */
const TURNS = 1;
const IDLE = [100, 1_100] as const;

const speed = (id: string, title: string, unit = 'MB/s'): Figure => ({ id, title, unit, better: 'more', digits: 0, peer: nginx.name });
const cost = (id: string, title: string, unit = 's/GiB'): Figure => ({
  id: `${id}-cpu`,
  title: `${title}, CPU of the server`,
  unit,
  better: 'less',
  digits: 2,
  peer: nginx.name,
  ...(unit === 's/GiB' ? { must: { ratio: 1.3 }, aim: { ratio: 1 } } : {}),
});

/** Of an upload: nginx hashes nothing. */
const withoutSha256 = (figure: Figure): Figure => ({ ...figure, own: 'equal' });

const isNginx = ({ peer }: Server) => peer === nginx;
const address = (server: Server, path: string) => `https://127.0.0.1:${server.port}${filesAt(server.peer)}${path}`;

/** The header by which who asks is known; none to nginx, which looks at nobody. */
const cookies = new WeakMap<Server, string>();
async function signedIn(server: Server, place: Workplace): Promise<readonly string[]> {
  if (isNginx(server)) return [];
  if (!cookies.has(server)) {
    const body = JSON.stringify({ user: USER, password: PASSWORD });
    const url = `https://127.0.0.1:${server.port}/api/v1/sign-in`;
    const answer = await run('curl', ['-sS', '-i', '--cacert', place.ca, '-H', 'content-type: application/json', '-d', body, url]);
    cookies.set(server, /^set-cookie: ([^;]+)/im.exec(answer)![1]!);
  }
  return ['-H', `Cookie: ${cookies.get(server)}`];
}

async function curl(server: Server, place: Workplace, args: readonly string[], config = ''): Promise<string> {
  const common = ['-sS', '--fail', '--cacert', place.ca, '--tls13-ciphers', CIPHER.tls13, ...(await signedIn(server, place))];
  return run('curl', [...common, ...(config === '' ? [] : ['--config', '-']), ...args], config);
}

/** One large file one way: speed, and what it costs the server. */
function large(id: string, title: string, move: (server: Server, place: Workplace) => Promise<unknown>): Measurement {
  const isUp = id.includes('up');
  return {
    title: title.toLowerCase(),
    variants: true,
    figures: [speed(id, title), isUp ? withoutSha256(cost(id, title)) : cost(id, title)],
    async measure(server, place) {
      const folder = uploadFolder(place);
      const size = place.scale.bigFile;
      await signedIn(server, place);
      const before = server.meter.cpuSeconds();
      const time = await seconds(() => move(server, place));
      const cpu = server.meter.cpuSeconds() - before;
      if (isUp && statSync(join(folder, 'big')).size !== size) throw new Error('not all of it arrived');
      uploadFolder(place);
      return { [id]: size / time / 1e6, [`${id}-cpu`]: (cpu * GIB) / size };
    },
  };
}

const small: Measurement = {
  title: 'small files on connections that stay open',
  variants: true,
  figures: (['down', 'up'] as const).flatMap((way) => {
    const title = `Files of 4 KiB, ${LANES} clients, ${way}`;
    return [speed(`https-small-${way}`, title, 'requests/s'), cost(`https-small-${way}`, title, 'ms')];
  }),
  async measure(server, place) {
    const figures: Record<string, number> = {};
    const names = readdirSync(join(place.home, 'small'));
    await signedIn(server, place);
    const folder = uploadFolder(place);
    for (const way of ['down', 'up'] as const) {
      const config = (lane: number) =>
        Array.from({ length: TURNS }, (_, turn) =>
          names
            .map((name) =>
              way === 'down'
                ? `url = "${address(server, `/small/${name}`)}"\noutput = "/dev/null"\n`
                : `url = "${address(server, `/up/${lane}-${turn}-${name}`)}"\nupload-file = "${place.home}/small/${name}"\noutput = "/dev/null"\n`,
            )
            .join(''),
        ).join('');
      const before = server.meter.cpuSeconds();
      const time = await seconds(() => Promise.all(Array.from({ length: LANES }, (_, lane) => curl(server, place, [], config(lane)))));
      const requests = names.length * TURNS * LANES;
      figures[`https-small-${way}`] = requests / time;
      figures[`https-small-${way}-cpu`] = ((server.meter.cpuSeconds() - before) / requests) * 1000;
      if (way === 'up' && readdirSync(folder).filter((name) => !name.startsWith('.')).length !== requests) throw new Error('not all files arrived');
    }
    uploadFolder(place);
    return figures;
  },
};

/** One request on a connection, whose answer is read to its end. */
async function ask(socket: TLSSocket, head: readonly string[], body = ''): Promise<string> {
  socket.write(`${head.join('\r\n')}\r\n${body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body}`);
  let text = '';
  let left = Number.POSITIVE_INFINITY;
  for await (const [chunk] of on(socket)) {
    text += chunk.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) continue;
    left = end + 4 + Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0) - text.length;
    if (left <= 0) break;
  }
  if (!/^HTTP\/1\.1 20/.test(text)) throw new Error(text.slice(0, 60));
  return text;
}

async function* on(socket: TLSSocket): AsyncGenerator<[Buffer]> {
  for (;;) yield (await once(socket, 'data')) as [Buffer];
}

async function opened({ port }: Server, secureContext: SecureContext): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', secureContext });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

const context = (place: Workplace) => createSecureContext({ ca: readFileSync(place.ca), ciphers: CIPHER.tls13, minVersion: 'TLSv1.3' });

const signIns: Measurement = {
  title: 'sign-ins',
  variants: true,
  figures: [speed('https-logins', 'A connection with a password that is hashed, 8 at a time', '/s'), cost('https-logins', 'The same', 'ms')],
  async measure(server, place) {
    const secureContext = context(place);
    const body = JSON.stringify({ user: USER, password: PASSWORD });
    const basic = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    const before = server.meter.cpuSeconds();
    const begin = performance.now();
    const end = begin + place.scale.loginSeconds * 1000;
    let count = 0;
    const lane = async () => {
      while (performance.now() < end) {
        const socket = await opened(server, secureContext);
        if (isNginx(server)) await ask(socket, ['GET /one-mib HTTP/1.1', 'Host: localhost', 'Range: bytes=0-0', `Authorization: Basic ${basic}`]);
        else {
          const cookie = /^set-cookie: ([^;]+)/m.exec(
            await ask(socket, ['POST /api/v1/sign-in HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'], body),
          )![1]!;
          await ask(socket, ['DELETE /api/v1/sign-in HTTP/1.1', 'Host: localhost', `Cookie: ${cookie}`]);
        }
        count += 1;
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    return { 'https-logins': count / ((performance.now() - begin) / 1000), 'https-logins-cpu': ((server.meter.cpuSeconds() - before) / count) * 1000 };
  },
};

const memory: Measurement = {
  title: 'memory per idle connection',
  fresh: true,
  once: true,
  figures: [{ id: 'https-memory', title: 'Memory of an idle connection', unit: 'KiB', better: 'less', digits: 0, peer: nginx.name }],
  async measure(server, place) {
    const [few, many] = IDLE;
    const secureContext = context(place);
    const [, cookie] = await signedIn(server, place);
    const held: TLSSocket[] = [];
    const openUpTo = (count: number) =>
      inParallel(count - held.length, 8, async () => {
        const socket = await opened(server, secureContext);
        held.push(socket);
        await ask(socket, [`GET ${filesAt(server.peer)}/small/f0 HTTP/1.1`, 'Host: localhost', ...(cookie ? [cookie] : [])]);
      });
    try {
      await openUpTo(few);
      const before = await settledMemory(server);
      await openUpTo(many);
      return { 'https-memory': ((await settledMemory(server)) - before) / (many - few) };
    } finally {
      for (const socket of held) socket.destroy();
    }
  },
};

export const httpsMeasurements: readonly Measurement[] = [
  large('https-down', 'Download', (server, place) => curl(server, place, ['-o', '/dev/null', address(server, '/big')])),
  large('https-up', 'Upload', (server, place) => curl(server, place, ['-o', '/dev/null', '-T', join(place.home, 'big'), address(server, '/up/big')])),
  small,
  signIns,
  memory,
];
