import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { digestOf, newToken, writeToken } from '../../../server/identity/token';
import { ClamdPeer } from '../support/clamd';
import { secret } from '../support/written';
import { type HttpsClient, type HttpsServed, httpsServed } from './served';

const token = newToken('demo');
const reading = newToken('demo');
const bearer = { authorization: `Bearer ${secret(writeToken(token))}` };

let server: HttpsServed;
let client: HttpsClient;
beforeAll(async () => {
  server = await httpsServed({ https: { uploadIdleSeconds: 1 }, limits: { stallSeconds: 0.5 } }, [
    {
      user: 'demo',
      tokens: [
        { id: token.id, sha256: digestOf(token.secret), scopes: ['write'], folder: '/inbox' },
        { id: reading.id, sha256: digestOf(reading.secret), scopes: ['read'] },
      ],
    },
    { user: 'small', home: '/small', quota: { bytes: 100_000 } },
  ]);
  client = await server.signedIn();
});
afterAll(() => server.close());

const tus = { 'tus-resumable': '1.0.0' };
const metadata = (path: string, more: Record<string, string> = {}) =>
  Object.entries({ path, ...more })
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
const begin = async (path: string, length: number, { as = client, ...more }: { as?: HttpsClient; existing?: string } = {}) => {
  const answer = await as.ask('POST', '/api/v1/uploads', { headers: { ...tus, 'upload-length': String(length), 'upload-metadata': metadata(path, more) } });
  return { answer, at: answer.headers['location'] ?? '' };
};
const patch = (at: string, offset: number, body: Buffer, as = client) =>
  as.ask('PATCH', at, { body, headers: { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' } });
/** The status of its answer, or NaN where the connection ended without one. */
function send(socket: TLSSocket, at: string, offset: number, body: Buffer, length = body.length): Promise<number> {
  socket.write(
    `PATCH ${at} HTTP/1.1\r\nHost: a\r\nCookie: ${client.cookie}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: ${offset}\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`,
  );
  socket.write(body);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return new Promise((resolve) => socket.on('close', () => resolve(Number(text.split(' ', 2)[1]))));
}

/** Fulfilled when so much of an upload has come. */
async function moved(path: string, bytes: number): Promise<void> {
  const has = () => server.server.sessions.infos().some(({ transfer }) => transfer?.path === path && transfer.bytes >= bytes);
  while (!has()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const head = (at: string, as = client) => as.ask('HEAD', at, { headers: tus });

it('a file in parts appears with its last byte, hashed as a whole and told once', async () => {
  const content = randomBytes(700_000);
  const { answer, at } = await begin('/parts.bin', content.length);
  expect(answer).toMatchObject({ status: 201, headers: { 'tus-resumable': '1.0.0', location: expect.stringMatching(/^\/api\/v1\/uploads\/0-[\w-]{22}$/) } });
  for (let offset = 0; offset < content.length; offset += 200_000) {
    expect(existsSync(join(server.files, 'parts.bin'))).toBe(false);
    const part = content.subarray(offset, offset + 200_000);
    expect(await patch(at, offset, part)).toMatchObject({ status: 204, headers: { 'upload-offset': String(offset + part.length) } });
  }
  expect(readFileSync(join(server.files, 'parts.bin')).equals(content)).toBe(true);
  const told = server.audit.of('transfer').filter(({ path }) => path === '/parts.bin');
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ bytes: 700_000, sha256: createHash('sha256').update(content).digest('hex'), outcome: 'success' });
});

describe('two that go on from the same byte', () => {
  const content = randomBytes(600_000);

  async function finish(at: string, path: string): Promise<void> {
    const offset = Number((await head(at)).headers['upload-offset']);
    expect(offset).toBe(300_000);
    expect((await patch(at, offset, content.subarray(offset))).status).toBe(204);
    expect(readFileSync(join(server.files, path)).equals(content)).toBe(true);
  }

  it('at the same moment do not both: what they bring is one after the other', async () => {
    for (let round = 0; round < 5; round += 1) {
      const path = `/both-${round}.bin`;
      const { at } = await begin(path, content.length);
      const sockets = await Promise.all([server.socket(), server.socket(), server.socket()]);
      // A connection that hangs, and two that come for it.
      void send(sockets[0]!, at, 0, content.subarray(0, 1_000), content.length);
      await moved(path, 1_000);
      const answers = await Promise.all(sockets.slice(1).map((socket) => send(socket, at, 1_000, content.subarray(1_000, 300_000))));
      expect(answers).toEqual(expect.arrayContaining([204]));
      await finish(at, path);
    }
  });

  it('the second, where the first has come further, ends nobody', async () => {
    const path = '/further.bin';
    const { at } = await begin(path, content.length);
    const [first, second] = await Promise.all([server.socket(), server.socket()]);
    const answer = send(first!, at, 0, content.subarray(0, 100_000), 300_000);
    await moved(path, 100_000);
    // Never idle meanwhile.
    let sent = 100_000;
    const timer = setInterval(() => first!.write(content.subarray(sent, ++sent)), 50);
    expect(await send(second!, at, 0, content.subarray(0, 300_000))).toBe(409);
    clearInterval(timer);
    first!.write(content.subarray(sent, 300_000));
    expect(await answer).toBe(204);
    await finish(at, path);
  });
});

it('one request that brings bytes for longer than an upload may be idle is not idle', async () => {
  const content = randomBytes(60);
  const { at } = await begin('/slow.bin', content.length);
  const socket = await server.socket();
  const answer = send(socket, at, 0, content.subarray(0, 1), content.length);
  for (let sent = 1; sent < content.length; sent += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.write(content.subarray(sent, sent + 1));
  }
  expect(await answer).toBe(204);
  expect(readFileSync(join(server.files, 'slow.bin')).equals(content)).toBe(true);
});

describe('what is scanned after its last byte has come', () => {
  let scanner: ClamdPeer;
  let own: HttpsServed;
  let one: HttpsClient;
  let letThrough!: () => void;
  beforeEach(async () => {
    scanner = await ClamdPeer.listen();
    const asked = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    // It has everything, and thinks.
    scanner.answer = () => undefined;
    scanner.onBytes = (socket) => void asked.then(() => socket.end('stream: OK\0'));
    own = await httpsServed({ https: { uploadIdleSeconds: 0.2 }, antivirus: { kind: 'clamd', socket: scanner.path } });
    one = await own.signedIn();
  });
  afterEach(async () => {
    letThrough();
    await own.close();
    await scanner.close();
  });

  it('is not idle, however long that takes', async () => {
    const { at } = await begin('/scanned', 3, { as: one });
    const answer = patch(at, 0, Buffer.from('abc'), one);
    while (scanner.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 600));
    letThrough();
    expect((await answer).status).toBe(204);
    expect(readFileSync(join(own.files, 'scanned'), 'utf8')).toBe('abc');
  });

  it('is waited for by a server that goes down', async () => {
    const { at } = await begin('/scanned', 3, { as: one });
    const answer = patch(at, 0, Buffer.from('abc'), one);
    while (scanner.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const drained = own.server.drain();
    await new Promise((resolve) => setTimeout(resolve, 2_300)); // longer than a request that transfers nothing is waited for
    letThrough();
    expect((await answer).status).toBe(204);
    await drained;
    expect(readFileSync(join(own.files, 'scanned'), 'utf8')).toBe('abc');
  });
});

it('a connection that is cut three times on the way costs what had not come, and no more', async () => {
  const content = randomBytes(2_000_000);
  const { at } = await begin('/cut.bin', content.length);
  let offset = 0;
  for (let cuts = 0; cuts < 3; cuts += 1) {
    const socket = await server.socket();
    void send(socket, at, offset, content.subarray(offset, offset + 300_000), content.length - offset);
    await moved('/cut.bin', offset + 300_000);
    socket.destroy();
    await once(socket, 'close');
    offset = Number((await head(at)).headers['upload-offset']);
    expect(offset).toBe(300_000 * (cuts + 1));
  }
  expect((await patch(at, offset, content.subarray(offset))).status).toBe(204);
  expect(readFileSync(join(server.files, 'cut.bin')).equals(content)).toBe(true);
});

it('who comes again while the old connection is still there has its place', async () => {
  const { at } = await begin('/again', 10);
  const socket = await server.socket();
  void send(socket, at, 0, Buffer.from('abcd'), 10);
  await moved('/again', 4);
  expect((await head(at)).headers).toMatchObject({ 'upload-offset': '4', 'upload-length': '10' });
  expect((await patch(at, 4, Buffer.from('efghij'))).status).toBe(204);
  expect(readFileSync(join(server.files, 'again'), 'utf8')).toBe('abcdefghij');
});

it('an empty file is there at once; a name that is to stay free is not taken from anybody', async () => {
  expect((await begin('/empty', 0)).answer.status).toBe(201);
  expect(readFileSync(join(server.files, 'empty'))).toHaveLength(0);
  writeFileSync(join(server.files, 'taken'), 'x');
  expect((await begin('/taken', 3, { existing: 'keep' })).answer).toMatchObject({ status: 409, json: { code: 'exists' } });
});

it('what does not fit is refused: another offset, more than was said, another type, another version, no path', async () => {
  const { at } = await begin('/strict', 5);
  expect(await patch(at, 3, Buffer.from('x'))).toMatchObject({ status: 409, headers: { 'upload-offset': '0' } });
  expect((await patch(at, 0, Buffer.from('123456'))).status).toBe(413);
  expect((await client.ask('PATCH', at, { body: Buffer.from('x'), headers: { ...tus, 'upload-offset': '0' } })).status).toBe(415);
  expect(await client.ask('HEAD', at)).toMatchObject({ status: 412, headers: { 'tus-version': '1.0.0' } });
  expect((await client.ask('POST', '/api/v1/uploads', { headers: { ...tus, 'upload-length': '5' } })).status).toBe(400);
  expect((await client.ask('POST', '/api/v1/uploads', { headers: { ...tus, 'upload-length': '-1', 'upload-metadata': metadata('/x') } })).status).toBe(400);
  // Base64 of something else than UTF-8, what is no Base64, and a value too many: none is taken for another name.
  for (const text of ['path /w==', 'path L3g=?', 'path L3g= L3g='])
    expect((await client.ask('POST', '/api/v1/uploads', { headers: { ...tus, 'upload-length': '5', 'upload-metadata': text } })).status).toBe(400);
});

it('an upload is its account’s alone, and a token goes on with what is in its folder', async () => {
  const { at } = await begin('/outside', 5);
  expect((await head(at, await server.signedIn('small'))).status).toBe(404);
  expect((await server.connect().ask('HEAD', at, { headers: { ...tus, ...bearer } })).status).toBe(403);
  expect((await server.connect().ask('HEAD', at, { headers: tus })).status).toBe(401);
});

it('a token that may only read neither goes on with an upload nor gives it up', async () => {
  const { at } = await begin('/by-writer', 5);
  const authorization = `Bearer ${secret(writeToken(reading))}`;
  const headers = { ...tus, authorization, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  expect(await server.connect().ask('PATCH', at, { headers, body: Buffer.from('other') })).toMatchObject({ status: 403, json: { code: 'denied' } });
  expect((await server.connect().ask('DELETE', at, { headers: { ...tus, authorization } })).status).toBe(403);
  expect((await patch(at, 0, Buffer.from('bytes'))).status).toBe(204);
});

it('one that is given up, left alone or beyond the quota leaves nothing', async () => {
  const { at } = await begin('/given-up', 5);
  expect((await client.ask('DELETE', at, { headers: tus })).status).toBe(204);
  const { at: left } = await begin('/left', 5);
  await patch(left, 0, Buffer.from('abc'));
  expect(await server.audit.next('transfer', ({ path }) => path === '/left')).toMatchObject({ outcome: 'aborted', bytes: 3 });
  const small = await server.signedIn('small');
  const { at: large } = await begin('/large', 300_000, { as: small });
  expect(await patch(large, 0, randomBytes(300_000), small)).toMatchObject({ status: 507, json: { code: 'quota' } });
  for (const name of ['given-up', 'left', 'small/large']) expect(existsSync(join(server.files, name))).toBe(false);
});

it('a request that stalls ends, and the upload waits for the next', async () => {
  const { at } = await begin('/stalls', 6);
  const socket = await server.socket();
  socket.write(
    `PATCH ${at} HTTP/1.1\r\nHost: a\r\nCookie: ${client.cookie}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 6\r\n\r\nabc`,
  );
  socket.resume();
  await once(socket, 'close');
  expect((await head(at)).headers['upload-offset']).toBe('3');
  expect((await patch(at, 3, Buffer.from('def'))).status).toBe(204);
});

it('those that have ended count no more, and those that are begun at the same moment do', async () => {
  const own = await httpsServed();
  const one = await own.signedIn();
  const start = (path: string, as = one) => begin(path, 1, { as });
  for (let count = 0; count < 33; count += 1) {
    const { answer, at } = await start(`/ended-${count}`);
    expect([count, answer.status]).toEqual([count, 201]);
    if (count > 0) expect((await patch(at, 0, Buffer.from('x'), one)).status).toBe(204);
    if (count === 32) expect(await head(at, one)).toMatchObject({ status: 200, headers: { 'upload-offset': '1' } });
  }
  const others = await Promise.all(Array.from({ length: 40 }, () => own.signedIn()));
  const begun = await Promise.all(others.map(async (as, index) => (await start(`/at-once-${index}`, as)).answer.status));
  expect(begun.filter((status) => status === 201)).toHaveLength(31);
  await own.close();
});

it('an account has so many that were begun, and a server that goes down gives them up', async () => {
  const own = await httpsServed();
  const one = await own.signedIn();
  const headers = (path: string) => ({ ...tus, 'upload-length': '5', 'upload-metadata': metadata(path) });
  for (let count = 0; count < 32; count += 1) expect((await one.ask('POST', '/api/v1/uploads', { headers: headers(`/${count}`) })).status).toBe(201);
  expect(await one.ask('POST', '/api/v1/uploads', { headers: headers('/more') })).toMatchObject({ status: 429, json: { code: 'too-many-uploads' } });
  await own.close();
  expect(own.audit.of('transfer').filter(({ outcome }) => outcome === 'aborted')).toHaveLength(32);
});
