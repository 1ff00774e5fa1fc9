// Clients that log in, each in a loop, in a process of their own. usage: node login-loops.mjs '{"port", "ca", "lanes", "logins", "user", "password", "timeoutMs", "lastPassword"}'
// Without `logins` they go on until standard input ends. Prints what became of the logins as JSON: counts by reply, and milliseconds of each.
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { connect as connectTls, createSecureContext } from 'node:tls';

const { port, ca, lanes, logins = Number.POSITIVE_INFINITY, user, password, timeoutMs = 60_000, lastPassword } = JSON.parse(process.argv[2]);
const secureContext = createSecureContext({ ca: readFileSync(ca) });
const replies = {};
const times = [];
let going = true;
if (!Number.isFinite(logins)) {
  process.stdin.on('end', () => {
    going = false;
  });
  process.stdin.resume();
}

/** The code of the reply to PASS, or of what came instead. */
async function logIn(name, secret) {
  let socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  const timer = setTimeout(() => socket.destroy(new Error('timeout')), timeoutMs);
  const reply = () =>
    new Promise((resolve, reject) => {
      let text = '';
      const take = (chunk) => {
        text += chunk;
        if (!/\r\n$/.test(text)) return;
        socket.off('data', take).off('error', reject).off('close', gone);
        resolve(text);
      };
      const gone = () => reject(new Error('closed'));
      socket.on('data', take).once('error', reject).once('close', gone);
    });
  const expect = async (code) => {
    const text = await reply();
    if (!text.startsWith(code)) throw new Error(text.slice(0, 3));
  };
  try {
    await expect('220');
    socket.write('AUTH TLS\r\n');
    await expect('234');
    const raw = socket;
    socket = connectTls({ socket: raw, servername: 'localhost', secureContext });
    socket.on('error', () => {});
    await new Promise((resolve, reject) =>
      socket
        .once('secureConnect', resolve)
        .once('error', reject)
        .once('close', () => reject(new Error('closed'))),
    );
    socket.write(`USER ${name}\r\n`);
    await expect('331');
    const begin = performance.now();
    socket.write(`PASS ${secret}\r\n`);
    const code = (await reply()).slice(0, 3);
    times.push(performance.now() - begin);
    socket.write('QUIT\r\n');
    return code;
  } catch (error) {
    return error.message;
  } finally {
    clearTimeout(timer);
    socket.on('error', () => {});
    socket.destroySoon();
  }
}

let next = 0;
async function lane() {
  while (going && next < logins) {
    next += 1;
    const isLast = next === logins && lastPassword !== undefined;
    const code = await logIn(user.replace('#', String(next)), isLast ? lastPassword : password);
    const key = isLast ? `last ${code}` : code;
    replies[key] = (replies[key] ?? 0) + 1;
    if (code !== '230' && code !== '530') await after(20);
  }
}

process.stdout.write('ready\n');
await Promise.all(Array.from({ length: lanes }, lane));
process.stdout.write(`${JSON.stringify({ replies, times })}\n`);
process.exit(0);
