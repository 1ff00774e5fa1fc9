/**
 * Behind a real front that speaks HTTP to it, as a proxy of one's own: requests whose end two readers could see in different places. Whatever the front lets
 * through, no request that was hidden in another one's body is answered, and whoever asks next gets their own answer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../server/support/free-port';
import { type ServedProcess, serveProcess } from '../support/served';

let server: ServedProcess;
let folder: string;
beforeAll(async () => {
  server = await serveProcess('--https-port', '0');
  folder = mkdtempSync(join(tmpdir(), 'ftps-front-'));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const fronts = {
  // One connection to the server, which every client's requests share.
  nginx: (port: number) => {
    const file = join(folder, 'nginx.conf');
    mkdirSync(join(folder, 'nginx'));
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/nginx/${kind};`).join('\n');
    writeFileSync(
      file,
      `daemon off; pid ${folder}/nginx.pid; error_log stderr; worker_processes 1; events {}
       http { access_log off; ${paths}
         upstream files { server 127.0.0.1:${server.https}; keepalive 1; }
         server { listen 127.0.0.1:${port}; ignore_invalid_headers off; underscores_in_headers on;
           location / { proxy_pass https://files; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; } } }`,
    );
    return spawn('nginx', ['-c', file], { stdio: 'ignore' });
  },
  haproxy: (port: number) => {
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(
      file,
      `defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n http-reuse always\n option accept-invalid-http-request\n
frontend in\n bind 127.0.0.1:${port}\n default_backend files\n
backend files\n server one 127.0.0.1:${server.https} ssl verify none alpn http/1.1 maxconn 1\n`,
    );
    return spawn('haproxy', ['-f', file, '-db'], { stdio: 'ignore' });
  },
};

const HIDDEN = 'GET /api/v1/hidden HTTP/1.1\r\nHost: localhost\r\nX: ';
const post = (headers: readonly string[], body: string) =>
  `POST /api/v1/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
const chunkedHidden = `0\r\n\r\n${HIDDEN}`;
const sized = (body: string) => `Content-Length: ${Buffer.byteLength(body)}`;
const CHUNKED = 'Transfer-Encoding: chunked';

const attacks: Readonly<Record<string, string>> = {
  'CL.TE': post([sized(chunkedHidden), CHUNKED], chunkedHidden),
  'TE.CL': post(['Content-Length: 4', CHUNKED], `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`),
  'CL.CL': post(['Content-Length: 0', sized(HIDDEN)], HIDDEN),
  'a length that is a list': post([`Content-Length: 0, ${HIDDEN.length}`], HIDDEN),
  'a length with a sign': post([`Content-Length: +${HIDDEN.length}`], HIDDEN),
  'a length on a folded line': post(['Content-Length:', ` ${HIDDEN.length}`], HIDDEN),
  'a GET with a body': `GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n${sized(HIDDEN)}\r\n\r\n${HIDDEN}`,
  'a bare line feed before chunked': post([`X: y\n${CHUNKED}`, sized(chunkedHidden)], chunkedHidden),
  'a bare carriage return before chunked': post([`X: y\r${CHUNKED}`, sized(chunkedHidden)], chunkedHidden),
  'a chunk whose size ends with a line feed': post([CHUNKED], `1\nx\n0\n\n${HIDDEN}`),
  'an extension of a chunk with a line feed in it': post([CHUNKED], `1;a\nxx\r\n0\r\n\r\n${HIDDEN}`),
  'an extension of a chunk with a carriage return in it': post([CHUNKED], `1;a\rb\r\nx\r\n0\r\n\r\n${HIDDEN}`),
  'a chunk that is longer than it says': post([CHUNKED], `1\r\nxxxxx\r\n0\r\n\r\n${HIDDEN}`),
  'a size that overflows': post([CHUNKED], `10000000000000001\r\nx\r\n0\r\n\r\n${HIDDEN}`),
  'a trailer that is a request': post([CHUNKED], `0\r\nGET /api/v1/hidden HTTP/1.1: x\r\nHost: localhost\r\n\r\n${HIDDEN}`),
  'HTTP/1.0 with chunks': post([CHUNKED], chunkedHidden).replace('HTTP/1.1', 'HTTP/1.0'),
  'HTTP/0.9': 'GET /api/v1/openapi.json\r\n',
  'a blank before the colon': post(['Transfer-Encoding : chunked', sized(chunkedHidden)], chunkedHidden),
  ...Object.fromEntries(
    [
      'xchunked',
      'chunked, identity',
      'identity, chunked',
      'chunked, chunked',
      '"chunked"',
      'chunked;x',
      '\x0bchunked',
      'chunked\x0b',
      '\tchunked',
      'CHUNKED',
      'chunked\0',
    ].map((value) => [`Transfer-Encoding: ${JSON.stringify(value)}`, post([`Transfer-Encoding: ${value}`, sized(chunkedHidden)], chunkedHidden)]),
  ),
  'Transfer-Encoding twice': post([CHUNKED, 'Transfer-Encoding: identity', sized(chunkedHidden)], chunkedHidden),
  Transfer_Encoding: post(['Transfer_Encoding: chunked', sized(chunkedHidden)], chunkedHidden),
};

/** Sends bytes, and answers with what comes within a while. */
async function exchange(port: number, bytes: string, milliseconds: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.write(Buffer.from(bytes, 'latin1'));
  await new Promise((resolve) => {
    socket.once('close', resolve);
    setTimeout(resolve, milliseconds);
  });
  socket.destroy();
  return text;
}

describe.each(Object.entries(fronts))('behind %s', (_name, start) => {
  let front: ChildProcess;
  let port: number;
  const victim = () => exchange(port, 'GET /page/texts.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 5_000);
  beforeAll(async () => {
    port = await freePort();
    front = start(port);
    for (let tries = 0; tries < 100; tries += 1) {
      if ((await victim()).includes('200 OK')) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the front does not answer');
  });
  afterAll(async () => {
    const gone = once(front, 'exit');
    front.kill('SIGTERM');
    await gone;
  });

  it.each(Object.entries(attacks))('%s', async (_attack, bytes) => {
    const answer = await exchange(port, bytes, 400);
    for (let next = 0; next < 2; next += 1) {
      const theirs = await victim();
      expect(theirs).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(theirs).toContain('Every text of the page');
    }
    expect([...answer.matchAll(/^HTTP\/1\.\d (\d)/gm)].length).toBeLessThanOrEqual(2);
  });

  it('no request that was hidden has come to the server as one', () => {
    const asked = server.audit().flatMap((line) => (line.class_uid === 4002 ? [line.http_request.url.path] : []));
    expect(asked.filter((path) => path?.includes('hidden'))).toEqual([]);
  });
});
