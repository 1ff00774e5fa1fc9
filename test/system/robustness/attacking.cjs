/**
 * What every attacker is made of, each in a process of its own: bounded connections to a port on loopback, for so long, and what they cost.
 * usage of an attacker: node ATTACKER.cjs ATTACK PORT SECONDS …
 */
const net = require('node:net');

const [attack, port, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const until = Date.now() + seconds * 1000;
/** What is printed at the end: payload bytes that were sent, connections, and how many of them ended with an error. */
const cost = { bytes: 0, connections: 0, refused: 0 };
const over = () => Date.now() >= until;
/** Milliseconds. */
const left = () => Math.max(0, until - Date.now());

/** A bare connection that counts what it sends; fulfilled when it is over. */
function connection(onOpen, onData = () => {}) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    cost.connections += 1;
    const send = (bytes, done) => {
      cost.bytes += bytes.length;
      return socket.write(bytes, done);
    };
    const timer = setTimeout(() => socket.destroy(), left());
    socket.once('connect', () => onOpen(send, socket));
    socket.on('data', (chunk) => onData(chunk, send, socket));
    socket.on('error', () => (cost.refused += 1));
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** So many lanes, each with one connection after the other until the time is over. */
async function lanes(count, one) {
  await Promise.all(
    Array.from({ length: count }, async () => {
      while (!over()) {
        await one();
        await new Promise(setImmediate);
      }
    }),
  );
}

/** Sends again and again, as fast as it is taken. */
function flood(bytes) {
  return (send, socket) => {
    const more = () => {
      while (!socket.destroyed && !over()) if (!send(bytes)) return void socket.once('drain', more);
    };
    more();
  };
}

/** Runs the attack that the command line names, prints its cost as JSON, and ends also where the attack does not. */
function run(attacks) {
  const end = () => {
    process.stdout.write(`${JSON.stringify(cost)}\n`);
    process.exit(0);
  };
  setTimeout(end, seconds * 1000 + 2_000).unref();
  void attacks[attack]().then(end);
}

module.exports = { port, cost, over, left, connection, lanes, flood, run };
