/**
 * A process on the victim's own machine that wants its files: it connects to every passive port again and again, sends bytes of its own, and
 * counts what it gets. Reads its orders as JSON from standard input, and says what came of it when it is told to stop (SIGTERM).
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

const BETWEEN_ROUNDS_MS = 40;
const MOST_CONNECTIONS = 20_000;

const { style, ports, explicit, ca: caFile, user, password, maxVersion } = JSON.parse(readFileSync(0, 'utf8'));
const ca = readFileSync(caFile);
const done = { connections: 0, handshakes: 0, received: 0 };
let over = false;
process.on('SIGTERM', () => {
  over = true;
});

/** Logs in with an account of its own, and answers with the TLS session of that control connection. */
async function ownSession() {
  const plain = connectTcp(explicit, '127.0.0.1');
  await once(plain, 'data');
  plain.write('AUTH TLS\r\n');
  await once(plain, 'data');
  plain.removeAllListeners('data');
  const tls = connectTls({ socket: plain, ca, servername: 'localhost', maxVersion });
  let session;
  tls.on('session', (one) => {
    session = one;
  });
  await once(tls, 'secureConnect');
  for (const line of [`USER ${user}`, `PASS ${password}`]) {
    tls.write(`${line}\r\n`);
    await once(tls, 'data');
  }
  return session ?? tls.getSession();
}

const session = style === 'other-session' ? await ownSession() : undefined;

/** One try at one port; whatever application data comes is counted. */
async function attempt(port) {
  done.connections += 1;
  const tcp = connectTcp(port, '127.0.0.1');
  const socket = style === 'plain' ? tcp : connectTls({ socket: tcp, ca, servername: 'localhost', session, maxVersion });
  socket.on('secureConnect', () => {
    done.handshakes += 1;
  });
  socket.on(style === 'plain' ? 'connect' : 'secureConnect', () => socket.write('STOLEN STOLEN STOLEN\r\n'));
  socket.on('data', (chunk) => {
    done.received += chunk.length;
  });
  for (const one of [tcp, socket]) one.on('error', () => {});
  const timer = setTimeout(() => tcp.destroy(), 1_000);
  await once(socket, 'close').catch(() => {});
  clearTimeout(timer);
}

process.stdout.write('begun\n');
while (!over && done.connections < MOST_CONNECTIONS) {
  for (const port of ports) void attempt(port);
  await new Promise((resolve) => setTimeout(resolve, BETWEEN_ROUNDS_MS));
}
process.stdout.write(`${JSON.stringify(done)}\n`);
process.exit(0);
