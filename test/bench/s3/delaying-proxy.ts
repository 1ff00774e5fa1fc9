/**
 * Stands between a client and an S3 server, adds a delay to the answer of every request, as S3's first byte takes, and counts requests by kind. A
 * program of its own, told by messages. It looks at the heads of requests only, so that it costs little of the processors that are measured:
 * no client that is measured sends a request before the answer to the one before.
 */
import { createConnection, createServer, Socket } from 'node:net';

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

/** Large buffers that are used again: the proxy must not be what limits those who are measured. */
const PIECE = 512 * 1024;
const idle: Buffer[] = [];
/** Pieces on their way in one direction. */
const MOST_AHEAD = 4;

/** What comes from one side is looked at, and goes on to the other. */
class Way {
  private ahead = 0;
  private from: Socket | undefined;
  private into = idle.pop() ?? Buffer.allocUnsafeSlow(PIECE);

  constructor(
    private readonly to: () => Socket,
    /** Says when the piece may go on. */
    private readonly look: (bytes: Buffer) => Promise<void> | undefined,
  ) {}

  readonly onread = {
    buffer: () => this.into,
    callback: (bytes: number): boolean => {
      const piece = this.into;
      this.into = idle.pop() ?? Buffer.allocUnsafeSlow(PIECE);
      this.ahead += 1;
      const pass = () => {
        this.to().write(piece.subarray(0, bytes), () => {
          idle.push(piece);
          this.ahead -= 1;
          this.from?.resume();
        });
      };
      const held = this.look(piece.subarray(0, bytes));
      if (held) {
        this.from?.pause();
        void held.then(pass);
        return false;
      }
      pass();
      return this.ahead < MOST_AHEAD;
    },
  };

  of(from: Socket): void {
    this.from = from;
  }
}

createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true }, (accepted) => {
  // Taken over with a buffer of its own.
  const handle = (accepted as unknown as { _handle: unknown })._handle;
  let isWaiting = false;
  let held: Promise<void> = Promise.resolve();
  const up = new Way(
    () => server,
    (bytes) => {
      const kind = isWaiting ? undefined : kindOf(bytes.subarray(0, 4096).toString('latin1'));
      if (kind) {
        counts[kind] = (counts[kind] ?? 0) + 1;
        isWaiting = true;
      }
      return undefined;
    },
  );
  const down = new Way(
    () => client,
    (bytes) => {
      const isAnswer = isWaiting && !bytes.subarray(0, 12).toString('latin1').startsWith('HTTP/1.1 100');
      if (isAnswer) isWaiting = false;
      if (!isAnswer || delay === 0) return undefined;
      held = new Promise((resolve) => setTimeout(resolve, delay));
      return held;
    },
  );
  const client = new Socket({ handle, allowHalfOpen: true, onread: up.onread } as never);
  const server = createConnection({ path: upstream, allowHalfOpen: true, onread: down.onread });
  up.of(client);
  down.of(server);
  client.setNoDelay(true);
  client.on('end', () => server.end());
  server.on('end', () => void held.then(() => client.end()));
  client.on('error', () => server.destroy()).on('close', () => server.destroy());
  server.on('error', () => client.destroy());
  client.resume();
}).listen(port, '127.0.0.1', () => process.send!('ready'));

process.on('message', (message: { readonly delay?: number }) => {
  if (message.delay !== undefined) delay = message.delay;
  process.send!(counts);
  counts = {};
});
