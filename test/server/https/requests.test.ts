import { once } from 'node:events';
import { type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
beforeAll(async () => {
  server = await httpsServed({ https: { headSeconds: 0.3, keepAliveSeconds: 0.5 }, limits: { stallSeconds: 0.4 } });
});
afterAll(() => server.close());

const api = (...lines: string[]) => `${['GET /api/v1/openapi.json HTTP/1.1', ...lines, '', ''].join('\r\n')}`;
const statuses = (text: string) => [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));

it.each([
  ['no host', api(), 400],
  ['two hosts', api('Host: a', 'Host: b'), 400],
  ['a length and chunks', api('Host: a', 'Content-Length: 3', 'Transfer-Encoding: chunked'), 400],
  ['two lengths', api('Host: a', 'Content-Length: 3', 'Content-Length: 3'), 400],
  ['a length that is a list', api('Host: a', 'Content-Length: 3, 3'), 400],
  ['a length with a sign', api('Host: a', 'Content-Length: +3'), 400],
  ['another encoding', api('Host: a', 'Transfer-Encoding: gzip, chunked'), 501],
  ['an encoding that looks like chunked', api('Host: a', 'Transfer-Encoding: chunked\x0b'), 400],
  ['a blank before the colon', api('Host: a', 'Transfer-Encoding : chunked'), 400],
  ['a header that goes on in the next line', api('Host: a', 'X: y', ' Transfer-Encoding: chunked'), 400],
  ['a line feed alone', api('Host: a\nTransfer-Encoding: chunked'), 400],
  ['a NUL', api('Host: a', 'X: a\0b'), 400],
  ['no name', api('Host: a', ': x'), 400],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', 505],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['another protocol', 'USER demo\r\nPASS x\r\n\r\n', 400],
  ['an absolute URL', 'GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tab in the request line', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['something else that is expected', api('Host: a', 'Expect: a-pony'), 417],
  ['too many headers', api('Host: a', ...Array.from({ length: 120 }, (_, index) => `X-${index}: y`)), 431],
  ['a head that is too long', api('Host: a', `X: ${'y'.repeat(40_000)}`), 431],
])('refused, with one answer and an end: %s', async (_, bytes, status) => {
  const text = await server.raw(`${bytes}${api('Host: smuggled')}`);
  expect(statuses(text)).toEqual([status]);
  expect(text).toContain('connection: close');
  expect(text).toContain('content-type: application/problem+json');
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ status, code: 'malformed' });
  expect(server.audit.of('refused').at(-1)).toMatchObject({ reason: 'malformed-request', protocol: 'https' });
});

it('several requests at once are answered in their order', async () => {
  const text = await server.raw(`${api('Host: a')}GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n${api('Host: a', 'Connection: close')}`);
  expect(statuses(text)).toEqual([200, 404, 200]);
});

it('a body that nobody wants is passed over where it is small, and ends the connection where it is not', async () => {
  const post = (length: number, body = 'x'.repeat(length)) => `POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
  expect(statuses(await server.raw(`${post(1_000)}${api('Host: a', 'Connection: close')}`))).toEqual([404, 200]);
  const large = await server.raw(post(100_000, 'x'.repeat(100)));
  expect(statuses(large)).toEqual([404]);
  expect(large).toContain('connection: close');
});

it('a body of chunks that are none is refused', async () => {
  for (const body of ['zz\r\n', '3\r\nabcX\r\n', '-1\r\n', '0x3\r\nabc\r\n'])
    expect(
      statuses(await server.raw(`POST /api/v1/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body}`)),
    ).toEqual([400]);
});

it('a small body in chunks is refused as soon as it is too long, not at its end', async () => {
  const chunk = `3e8\r\n${'x'.repeat(1_000)}\r\n`;
  const text = await server.raw(
    `POST /api/v1/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(70)}`,
  );
  expect(statuses(text)).toEqual([413]);
});

it('a query of thousands of names is refused as quickly as one of one long value', async () => {
  const names = Array.from({ length: 10_000 }, (_, index) => index.toString(36)).join('&');
  const client = server.connect();
  const least = async (query: string, status: number) => {
    let shortest = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round += 1) {
      const begin = performance.now();
      expect((await client.ask('GET', `/api/v1/sign-in/ways?${query}`)).status).toBe(status);
      shortest = Math.min(shortest, performance.now() - begin);
    }
    return shortest;
  };
  const value = await least(`x=${names.replaceAll('&', '.').slice(0, 30_000)}`, 400);
  // With the square of their number it is some hundred milliseconds more.
  expect(await least(names.slice(0, 30_000), 400)).toBeLessThan(value + 60);
  client.close();
});

it('who asks for much at once leaves others their turns, and gets what was asked for as it is taken', async () => {
  const [greedy, other] = [await server.socket(), server.connect()];
  greedy.pause();
  greedy.write('GET /page/queue.js HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2_000) + api('Host: a', 'Connection: close'));
  const begin = performance.now();
  for (let asked = 0; asked < 5; asked += 1) expect((await other.ask('GET', '/page/texts.js')).status).toBe(200);
  expect(performance.now() - begin).toBeLessThan(1_000);
  let bytes = 0;
  greedy.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  greedy.resume();
  await once(greedy, 'close');
  expect(bytes).toBeGreaterThan(2_000 * 8_000);
});

it('a client that is slow with its head, or sends none, is let go', async () => {
  const [slow, silent] = [await server.socket(), await server.socket()];
  const [port, other] = [slow.localPort, silent.localPort];
  slow.write('GET / HTTP/1.1\r\nHo');
  await Promise.all([once(slow, 'close'), once(silent, 'close')]);
  await server.audit.next('connection-closed', ({ reason, client }) => reason === 'error' && client.port === port);
  await server.audit.next('connection-closed', ({ reason, client }) => reason === 'idle' && client.port === other);
});

it('a body that stalls is given up', async () => {
  const client = await server.signedIn();
  const socket = await server.socket();
  socket.write(`PUT /api/v1/files/slow HTTP/1.1\r\nHost: a\r\nCookie: ${client.cookie}\r\nContent-Length: 10\r\n\r\nabc`);
  expect(await server.audit.next('transfer', ({ path }) => path === '/slow')).toMatchObject({
    outcome: 'failure',
    reason: expect.stringContaining('sent no data'),
  });
});

it('a drain lets an upload finish, says that the connection ends, and takes nobody new', async () => {
  const own = await httpsServed();
  const client = await own.signedIn();
  const socket = await own.socket();
  socket.write(`PUT /api/v1/files/last HTTP/1.1\r\nHost: a\r\nCookie: ${client.cookie}\r\nContent-Length: 6\r\n\r\nabc`);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  while (!own.server.sessions.infos().some(({ transfer }) => transfer?.bytes === 3)) await new Promise((resolve) => setTimeout(resolve, 5));
  const drained = own.server.drain();
  socket.write('def');
  await once(socket, 'close');
  expect(statuses(text)).toEqual([201]);
  expect(text).toContain('connection: close');
  await drained;
  await own.close();
});

it('another application protocol, a client that speaks no TLS, and methods and addresses that are not there', async () => {
  await expect(server.socket({ ALPNProtocols: ['ftp'] })).rejects.toThrow(/alert/);
  expect((await server.socket({ ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol).toBe('http/1.1');
  const client = server.connect();
  expect(await client.ask('POST', '/api/v1/files/x', { body: Buffer.from('x') })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, PUT, DELETE' } });
  expect((await client.ask('GET', '/api/v2/files')).status).toBe(404);
  expect((await client.ask('GET', '/api/v1/folders')).headers['www-authenticate']).toBe('Bearer');
});
