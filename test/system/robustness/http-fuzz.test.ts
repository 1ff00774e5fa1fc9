/**
 * Fuzz of HTTPS against the built server in a process of its own: good requests of every kind, changed in their bytes, in their framing, and in what they
 * say, before the sign-in and behind it. What is counted must be zero: crashes, rejections that nobody handled, hangs, leaks, answers that are none, and
 * errors of the server's own.
 *
 * HTTP_FUZZ_INPUTS  how many requests, 20,000 by default; 100,000 is the long form
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Counts, fuzzed } from './fuzzed';
import { HttpWire } from './http-wire';
import { mutated } from './inputs';
import type { Random } from './random';
import { PASSWORD, type Watched, watched } from './watched';

/** What a server may say by itself: not implemented, not now, not this version, no room. */
const FINE_5XX = [501, 503, 505, 507];

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const none = Buffer.alloc(0);
const get = (path: string, ...headers: string[]): Request => ({ method: 'GET', path, headers, body: none });
const sent = (method: string, path: string, body: string | Buffer = '', ...headers: string[]): Request => ({ method, path, headers, body: Buffer.from(body) });
const json = (method: string, path: string, body: object) => sent(method, path, JSON.stringify(body), 'content-type: application/json');
const tus = (method: string, path: string, body: string, ...headers: string[]) => sent(method, path, body, 'tus-resumable: 1.0.0', ...headers);

/** One of each that there is. */
const good: readonly Request[] = [
  get('/'),
  get('/page/main.js'),
  get('/api/v1/'),
  get('/api/v1/openapi.json'),
  json('POST', '/api/v1/sign-in', { user: 'demo', password: 'wrong' }),
  get('/api/v1/sign-in'),
  get('/api/v1/space'),
  get('/api/v1/sessions'),
  get('/api/v1/folders?limit=10&cursor=0&sort=size&order=descending&search=a'),
  get('/api/v1/folders/folder?limit=1'),
  sent('PUT', '/api/v1/folders/new'),
  sent('DELETE', '/api/v1/folders/new'),
  get('/api/v1/files/there'),
  get('/api/v1/files/there', 'range: bytes=10-19', 'if-range: "x"'),
  get('/api/v1/files/there', 'range: bytes=-5'),
  get('/api/v1/files/folder%2Ffile', 'if-none-match: "a", W/"b"', 'if-modified-since: Sun, 29 Nov 2026 00:00:00 GMT'),
  { ...get('/api/v1/files/there'), method: 'HEAD' },
  sent('PUT', '/api/v1/files/put', 'some bytes', 'if-none-match: *'),
  sent('PUT', '/api/v1/files/put', 'others', 'if-match: "x"'),
  sent('PUT', '/api/v1/files/put', 'more', 'expect: 100-continue', 'content-type: application/octet-stream'),
  sent('DELETE', '/api/v1/files/put', '', 'if-match: *'),
  get('/api/v1/entries/there'),
  json('PATCH', '/api/v1/entries/there', { modified: '2026-01-02T03:04:05Z' }),
  json('POST', '/api/v1/moves', { from: '/put', to: '/moved', replace: true }),
  json('POST', '/api/v1/moves', { from: '/moved', to: '/folder/moved' }),
  tus('POST', '/api/v1/uploads', '', 'upload-length: 20', `upload-metadata: path ${Buffer.from('/up').toString('base64')},existing a2VlcA==`),
  tus('HEAD', '/api/v1/uploads/0-AAAAAAAAAAAAAAAAAAAAAA', ''),
  tus('PATCH', '/api/v1/uploads/0-AAAAAAAAAAAAAAAAAAAAAA', '0123456789', 'upload-offset: 0', 'content-type: application/offset+octet-stream'),
  tus('DELETE', '/api/v1/uploads/0-AAAAAAAAAAAAAAAAAAAAAA', ''),
  get('/api/v1/archive?path=/folder&path=/there'),
  get('/api/v1/files/there', 'authorization: Bearer ftps_demo_abcdefghijkl_0123456789'),
  sent('DELETE', '/api/v1/sign-in'),
];

/** What stands in places where a path, a number, a date or a name is wanted. */
const odd = [
  '..',
  '../../etc/passwd',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%5c..%5c',
  '%00',
  '%c0%af',
  '%ff%fe',
  '%',
  '%zz',
  '/'.repeat(300),
  'a/'.repeat(400),
  'x'.repeat(300),
  '.ftps-staging',
  '.ftps-quarantine/x',
  '%E2%80%AE',
  '-1',
  '0',
  '999999999999999',
  '99999999999999999999999',
  'NaN',
  '{}',
  '[]',
  'null',
  '"',
  '*',
  'bytes=0-0,2-3',
  'bytes=9-1',
  'Sat, 31 Feb 2026 99:99:99 GMT',
  '__proto__',
  'constructor',
  ...Array.from({ length: 4 }, (_, index) => String.fromCharCode(0xe9 + index)),
];

let server: Watched;
beforeAll(async () => {
  const https = { host: '127.0.0.1', port: 0, headSeconds: 2, keepAliveSeconds: 5, uploadIdleSeconds: 1, signInIdleSeconds: 5, requestsPerMinute: 100_000_000 };
  server = await watched({ https });
  mkdirSync(join(server.files, 'folder'));
  writeFileSync(join(server.files, 'there'), 'x'.repeat(100_000));
  writeFileSync(join(server.files, 'folder/file'), 'y');
});
afterAll(() => server.stop());

const counts = new Counts(['bytes', 'framing', 'meaning', 'together']);
/** How often each was answered. */
const statuses: Record<number, number> = {};

/** As it goes over the wire. */
function bytesOf(
  { method, path, headers, body }: Request,
  cookie: string | undefined,
  framing = body.length > 0 ? [`content-length: ${body.length}`] : [],
): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: localhost', ...(cookie ? [`cookie: ${cookie}`] : []), ...headers, ...framing];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

async function signedIn(wire: HttpWire): Promise<string | undefined> {
  wire.write(bytesOf(json('POST', '/api/v1/sign-in', { user: 'demo', password: PASSWORD }), undefined));
  const answer = await wire.answer(false);
  return /^set-cookie: ([^;]+)/m.exec(answer?.headers ?? '')?.[1];
}

function check(answers: readonly ({ readonly status: number } | undefined)[]): void {
  for (const answer of answers) {
    if (!answer) continue;
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    if (answer.status >= 500 && !FINE_5XX.includes(answer.status)) throw new Error(`answered ${answer.status}`);
  }
}

/** Bytes changed anywhere: what comes is answered or refused, and the connection ends. */
async function bytes(random: Random, wire: HttpWire, cookie: string | undefined): Promise<void> {
  for (let pack = random.between(1, 3); pack > 0; pack -= 1) {
    const input = mutated(random, bytesOf(random.pick(good), random.chance(4) ? undefined : cookie));
    const cut = random.chance(4) ? random.below(input.length + 1) : input.length;
    wire.write(input.subarray(0, cut));
    wire.write(input.subarray(cut));
    counts.count('bytes');
  }
  check(await wire.end());
}

/** A body whose end can be read in two ways, or in none. */
async function framing(random: Random, wire: HttpWire, cookie: string | undefined): Promise<void> {
  const body = random.bytes(random.between(0, 400));
  const size = body.length.toString(16);
  const chunk = random.pick([
    `${size}\r\n`,
    `${size};x=y\r\n`,
    `0${size}\r\n`,
    `${size} \r\n`,
    `${size}\n`,
    `-${size}\r\n`,
    `0x${size}\r\n`,
    'ffffffffffff\r\n',
    `${size}\r\r\n`,
  ]);
  const chunked = Buffer.concat([
    Buffer.from(chunk),
    body,
    Buffer.from(random.pick(['\r\n0\r\n\r\n', '\r\n0\r\nx: y\r\n\r\n', '\n0\n\n', '0\r\n\r\n', '\r\n'])),
  ]);
  const [framings, sentBody] = random.pick<readonly [readonly string[], Buffer]>([
    [['transfer-encoding: chunked'], chunked],
    [['transfer-encoding: chunked', 'content-length: 3'], chunked],
    [[`content-length: ${body.length}`, 'transfer-encoding: chunked'], body],
    [[`transfer-encoding: ${random.pick(['gzip', 'chunked, chunked', ' chunked', 'CHUNKED', 'x', 'identity', 'chunked;q=1'])}`], chunked],
    [[`content-length: ${random.pick(['1, 1', '+1', '-1', '1e1', '0x1', ' 5', '99999999999999999', ''])}`], body],
    [[`content-length: ${body.length}`, `content-length: ${body.length}`], body],
    [[`content-length: ${body.length + random.between(1, 50)}`], body],
  ]);
  wire.write(bytesOf({ ...random.pick(good.filter(({ body: one }) => one.length > 0)), body: sentBody }, cookie, [...framings]));
  if (random.chance(2)) wire.write(bytesOf(get('/api/v1/smuggled'), cookie));
  counts.count('framing');
  check(await wire.end());
}

/** Requests that are right in form, and say something odd. */
async function meaning(random: Random, wire: HttpWire, first: string | undefined): Promise<void> {
  let cookie = first;
  for (let left = random.between(5, 40); left > 0 && !wire.isClosed; left -= 1) {
    const one = random.pick(good);
    const word = random.pick(odd);
    const path = random.chance(2) ? one.path.replace(/[^/]*$/, () => word.replaceAll(/[^\x21-\x7e]/g, '')) : one.path;
    const headers = one.headers.map((header) => (random.chance(3) ? header.replace(/: .*/, `: ${word}`) : header));
    const said = one.body.length > 0 && random.chance(2) ? mutated(random, one.body) : one.body;
    const request = { ...one, path, headers: headers.filter((header) => !/^expect: [^1]/.test(header)), body: said };
    wire.write(bytesOf(request, random.chance(12) ? undefined : cookie));
    counts.count('meaning');
    const answer = await wire.answer(one.method === 'HEAD');
    check([answer]);
    if (answer?.status === 401 && !wire.isClosed) cookie = (await signedIn(wire)) ?? cookie;
  }
  if (random.chance(3)) wire.destroy();
  else check(await wire.end());
}

/** Several at once, before any is answered. */
async function together(random: Random, wire: HttpWire, cookie: string | undefined): Promise<void> {
  const requests = Array.from({ length: random.between(2, 12) }, () => random.pick(good.filter(({ method }) => method !== 'HEAD')));
  wire.write(Buffer.concat(requests.map((request) => bytesOf(request, cookie))));
  for (const _ of requests) counts.count('together');
  if (random.chance(4)) wire.destroy();
  else check(await wire.end());
}

async function episode(random: Random): Promise<void> {
  const wire = await HttpWire.open(server);
  try {
    const cookie = random.chance(4) ? undefined : await signedIn(wire);
    await random.pick([bytes, framing, meaning, meaning, meaning, together])(random, wire, cookie);
  } finally {
    wire.destroy();
  }
}

fuzzed({
  name: 'http fuzz',
  inputs: Number(process.env.HTTP_FUZZ_INPUTS ?? 20_000),
  counts,
  sideBySide: 16,
  memory: 6 * 1024 * 1024,
  timeout: 900_000,
  server: () => server,
  episode,
  left: () => (readdirSync(server.files, { recursive: true }) as string[]).filter((name) => /\.ftps-staging\/[^/]+\/./.test(name)),
});

it('has met every kind of answer', () => {
  process.stdout.write(`http fuzz: ${JSON.stringify(statuses)}\n`);
  for (const status of [200, 201, 204, 206, 400, 401, 403, 404, 409, 412, 501]) expect(Object.keys(statuses)).toContain(String(status));
});
