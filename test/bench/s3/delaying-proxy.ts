/**
 * Stands between a client and an S3 server, adds a delay to the answer of every request, as S3's first byte takes, and counts requests by kind. A
 * program of its own, told by messages. It looks at the heads of requests only, so that it costs little of the processors that are measured:
 * no client that is measured sends a request before the answer to the one before.
 */
import { createConnection, createServer, type Socket } from 'node:net';

const [port, upstream] = [Number(process.argv[2]), process.argv[3]!];
let delay = 0;
let counts: Record<string, number> = {};

function kindOf(head: string): string | undefined {
  const [, method, target] = /^([A-Z]+) (\S+) HTTP/.exec(head) ?? [];
  if (!method || !target) return undefined;
  if (method === 'POST') return /[?&]uploads/.test(target) ? 'begin' : /[?&]uploadId=/.test(target) ? 'complete' : 'post';
  if (method === 'PUT') {
    if (/\r\nx-amz-copy-source:/i.test(head)) return 'copy';
    return /[?&]partNumber=/.test(target) ? 'part' : 'put';
  }
  if (method === 'GET') return /[?&](list-type|prefix|delimiter)=/.test(target) ? 'list' : 'get';
  if (method === 'DELETE' && /[?&]uploadId=/.test(target)) return 'abort';
  return method.toLowerCase();
}

function pass(from: Socket, to: Socket, bytes: Buffer): void {
  if (to.destroyed || to.write(bytes)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const server = createConnection({ path: upstream, allowHalfOpen: true });
  let isWaiting = false;
  let held: Promise<void> = Promise.resolve();
  client.on('data', (bytes) => {
    if (!isWaiting) {
      const kind = kindOf(bytes.subarray(0, 4096).toString('latin1'));
      if (kind) {
        counts[kind] = (counts[kind] ?? 0) + 1;
        isWaiting = true;
      }
    }
    pass(client, server, bytes);
  });
  server.on('data', (bytes) => {
    const isAnswer = isWaiting && !bytes.subarray(0, 12).toString('latin1').startsWith('HTTP/1.1 100');
    if (isAnswer) isWaiting = false;
    if (!isAnswer || delay === 0) return pass(server, client, bytes);
    server.pause();
    held = new Promise((resolve) => {
      setTimeout(() => {
        server.resume();
        pass(server, client, bytes);
        resolve();
      }, delay);
    });
  });
  client.on('end', () => server.end());
  server.on('end', () => void held.then(() => client.end()));
  client.on('error', () => server.destroy()).on('close', () => server.destroy());
  server.on('error', () => client.destroy());
}).listen(port, '127.0.0.1', () => process.send!('ready'));

process.on('message', (message: { readonly delay?: number }) => {
  if (message.delay !== undefined) delay = message.delay;
  process.send!(counts);
  counts = {};
});
