/**
 * One attacker of HTTPS, in a process of its own. usage: node https-attacker.cjs ATTACK PORT SECONDS [COOKIE]
 * Attacks of an account go by the cookie of its sign-in.
 */
const tls = require('node:tls');
const { cost, flood, lanes, left, over, port, run } = require('./attacking.cjs');

const [attack, cookie] = [process.argv[2], `Cookie: ${process.argv[5]}`];

let session;
/** A connection that counts what it sends; fulfilled when it is over. Answers are read and thrown away where `onData` does nothing else. */
function connection(onOpen, onData = () => {}) {
  return new Promise((resolve) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false, session, ALPNProtocols: ['http/1.1'] });
    cost.connections += 1;
    const send = (what, done) => {
      cost.bytes += what.length;
      return socket.write(what, done);
    };
    const timer = setTimeout(() => socket.destroy(), left());
    socket.on('session', (one) => {
      session = one;
    });
    socket.once('secureConnect', () => onOpen(send, socket));
    socket.on('data', (chunk) => onData(chunk, send, socket));
    socket.on('error', () => {
      cost.refused += 1;
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** One that never reads what is answered. */
const unread = (onOpen) =>
  connection((send, socket) => {
    socket.pause();
    onOpen(send, socket);
  });

/** Byte by byte, as fast as it is taken. */
function byByte(what) {
  return (send, socket) => {
    let at = 0;
    const more = () => {
      if (socket.destroyed || over()) return;
      send(what.subarray(at, at + 1), () => setImmediate(more));
      at = (at + 1) % what.length;
    };
    socket.setNoDelay(true);
    more();
  };
}

const request = (method, path, headers = [], body = '') =>
  Buffer.from(
    [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers, ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]), '', body].join(
      '\r\n',
    ),
  );
const asJson = (method, path, value, headers = []) => request(method, path, ['Content-Type: application/json', ...headers], JSON.stringify(value));
/** So many of them as fill a packet or several. */
const many = (one, count = 200) => Buffer.concat(Array.from({ length: count }, () => one));

const longest = Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(33_000)}`);
const hundred = request(
  'GET',
  '/nowhere',
  Array.from({ length: 98 }, (_, index) => `X-${index}: ${'y'.repeat(200)}`),
);

const strangers = {
  'connections that say nothing': () => lanes(200, () => connection(() => {})),
  'requests that are begun and never ended': () =>
    lanes(Number(process.env.HALF_OPEN ?? 500), () => connection((send) => send(Buffer.from('GET /api/v1/folders HTTP/1.1\r\nHost: localhost\r\nX: ')))),
  'a head byte by byte': () => lanes(64, () => connection(byByte(longest))),
  'heads without an end': () => lanes(16, () => connection((send) => send(longest))),
  'a hundred headers, again and again': () => lanes(16, () => connection(flood(many(hundred, 20)))),
  'headers that are malformed': () => lanes(16, () => connection((send) => send(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n')))),
  'the page, again and again, its answers read': () => lanes(16, () => connection(flood(many(request('GET', '/page/page.css'))))),
  'the page, its answers never read': () => lanes(32, () => unread(flood(many(request('GET', '/page/page.css'))))),
  'addresses that are not there': () => lanes(16, () => connection(flood(many(request('GET', '/nowhere'))))),
  'wrong passwords': () => lanes(16, () => connection(flood(many(asJson('POST', '/api/v1/sign-in', { user: 'demo', password: 'wrong' }), 4)))),
  'cookies and tokens that are none': () =>
    lanes(16, () => connection(flood(many(request('GET', '/api/v1/folders', [`Cookie: __Host-ftps=${'A'.repeat(43)}`]), 8)))),
  'a small body byte by byte': () =>
    lanes(64, () =>
      connection((send, socket) => {
        send(Buffer.from('POST /api/v1/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n'));
        byByte(Buffer.from('x'))(send, socket);
      }),
    ),
  'a small body in chunks of one byte': () =>
    lanes(16, () =>
      connection((send, socket) => {
        send(Buffer.from('POST /api/v1/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'));
        flood(Buffer.from('1\r\nx\r\n'.repeat(2_000)))(send, socket);
      }),
    ),
  'JSON as deep as it goes': () =>
    lanes(16, () => connection(flood(request('POST', '/api/v1/sign-in', ['Content-Type: application/json'], '['.repeat(60_000))))),
  'ranges of everything, without a sign-in': () =>
    lanes(16, () => connection(flood(many(request('GET', '/api/v1/files/huge', [`Range: bytes=${'0-0,'.repeat(2_000)}1-1`]), 4)))),
};

const accounts = {
  'ranges of one byte': (cookie) => lanes(16, () => connection(flood(many(request('GET', '/api/v1/files/huge', [cookie, 'Range: bytes=5-5']))))),
  'a thousand ranges in one request': (cookie) =>
    lanes(16, () => unread((send) => send(request('GET', '/api/v1/files/huge', [cookie, `Range: bytes=${'0-0,'.repeat(1_000)}1-1`])))),
  'downloads that nobody reads': (cookie) => lanes(32, () => unread((send) => send(request('GET', '/api/v1/files/huge', [cookie])))),
  'archives that nobody reads': (cookie) => lanes(32, () => unread((send) => send(request('GET', '/api/v1/archive?path=/many', [cookie])))),
  'a large folder listed again and again': (cookie) => lanes(8, () => connection(flood(request('GET', '/api/v1/folders/many?limit=10000', [cookie])))),
  'a large folder searched, the answers never read': (cookie) =>
    lanes(16, () => unread(flood(many(request('GET', '/api/v1/folders/many?search=1', [cookie]), 20)))),
  'uploads that stall': (cookie) =>
    lanes(64, () => connection((send) => send(Buffer.from(`PUT /api/v1/files/slow HTTP/1.1\r\nHost: a\r\n${cookie}\r\nContent-Length: 1000000\r\n\r\nabc`)))),
  'an upload in chunks of one byte': (cookie) =>
    lanes(8, () =>
      connection((send, socket) => {
        send(Buffer.from(`PUT /api/v1/files/chunks HTTP/1.1\r\nHost: a\r\n${cookie}\r\nTransfer-Encoding: chunked\r\n\r\n`));
        flood(Buffer.from('1\r\nx\r\n'.repeat(2_000)))(send, socket);
      }),
    ),
  'an upload byte by byte': (cookie) =>
    lanes(32, () =>
      connection((send, socket) => {
        send(Buffer.from(`PUT /api/v1/files/bytes HTTP/1.1\r\nHost: a\r\n${cookie}\r\nContent-Length: 1000000\r\n\r\n`));
        byByte(Buffer.from('x'))(send, socket);
      }),
    ),
  'uploads that are begun and left': (cookie) =>
    lanes(16, () =>
      connection(
        flood(
          many(
            request('POST', '/api/v1/uploads', [
              cookie,
              'Tus-Resumable: 1.0.0',
              'Upload-Length: 1000',
              `Upload-Metadata: path ${Buffer.from('/left').toString('base64')}`,
            ]),
            4,
          ),
        ),
      ),
    ),
  'moves that are refused': (cookie) => lanes(8, () => connection(flood(many(asJson('POST', '/api/v1/moves', { from: '/none', to: '/x' }, [cookie]), 20)))),
};

const signedIn = Object.fromEntries(Object.entries(accounts).map(([name, act]) => [name, () => act(cookie)]));
if (attack === 'list') process.stdout.write(`${JSON.stringify({ strangers: Object.keys(strangers), accounts: Object.keys(accounts) })}\n`);
else run({ ...strangers, ...signedIn });
