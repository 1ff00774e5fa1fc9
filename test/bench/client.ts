/** A small FTPS client that makes load: many sessions in one process, data connections that resume the control connection's session. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { PASSWORD, USER } from './workplace';

/** A step that takes longer has failed. */
const STEP_MS = 60_000;

export class Client {
  private text = '';
  private waiting: { resolve(reply: string): void; reject(error: Error): void } | undefined;
  private session: Buffer | undefined;
  private socket: Socket | TLSSocket;

  private constructor(
    socket: Socket,
    private readonly secureContext: SecureContext,
    private readonly isPlain: boolean,
  ) {
    this.socket = socket;
    this.listen();
  }

  /** Connects, encrypts where the server can, and logs in. */
  static async logIn(port: number, secureContext: SecureContext, password = PASSWORD, isPlain = false): Promise<Client> {
    const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
    const client = new Client(socket, secureContext, isPlain);
    try {
      await client.expect('220', client.reply());
      if (!isPlain) {
        await client.expect('234', client.send('AUTH TLS'));
        await client.encrypt();
      }
      await client.expect('331', client.send(`USER ${USER}`));
      await client.expect('230', client.send(`PASS ${password}`));
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async protect(): Promise<void> {
    if (!this.isPlain) {
      await this.expect('200', this.send('PBSZ 0'));
      await this.expect('200', this.send('PROT P'));
    }
    await this.expect('200', this.send('TYPE I'));
  }

  /** Sends a command and answers with its reply. */
  send(line: string): Promise<string> {
    const reply = this.reply();
    this.socket.write(`${line}\r\n`);
    return reply;
  }

  async expect(code: string, reply: Promise<string>): Promise<string> {
    const text = await reply;
    if (!text.startsWith(code)) throw new Error(`expected ${code}, got ${text}`);
    return text;
  }

  /** The next whole reply. */
  reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no reply came')), STEP_MS);
      this.waiting = {
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.look();
    });
  }

  /** Agrees on a port, sends the command and makes the data connection. `final` is the reply that ends the transfer. */
  async open(command: string): Promise<{ data: Socket; final: () => Promise<string> }> {
    const port = Number(/\|\|\|(\d+)\|/.exec(await this.expect('229', this.send('EPSV')))![1]);
    const opening = this.send(command);
    const data = this.isPlain
      ? connectTcp({ port, host: '127.0.0.1', noDelay: true })
      : connectTls({
          port,
          host: '127.0.0.1',
          servername: 'localhost',
          secureContext: this.secureContext,
          ...(this.session ? { session: this.session } : {}),
        });
    data.on('error', () => {});
    data.pause();
    const secured = once(data, this.isPlain ? 'connect' : 'secureConnect', { signal: AbortSignal.timeout(STEP_MS) });
    secured.catch(() => {}); // awaited below
    await this.expect('1', opening);
    await secured;
    return { data, final: () => this.reply() };
  }

  async quit(): Promise<void> {
    const closed = once(this.socket, 'close', { signal: AbortSignal.timeout(STEP_MS) });
    this.socket.write('QUIT\r\n');
    await closed;
  }

  close(): void {
    this.socket.destroy();
  }

  private async encrypt(): Promise<void> {
    this.socket.removeAllListeners();
    const tls = connectTls({ socket: this.socket, servername: 'localhost', secureContext: this.secureContext });
    tls.on('session', (session) => {
      this.session = session;
    });
    this.socket = tls;
    this.listen();
    await once(tls, 'secureConnect', { signal: AbortSignal.timeout(STEP_MS) });
  }

  private listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.look();
    });
    const gone = (error?: Error) => this.waiting?.reject(error instanceof Error ? error : new Error('the server closed the connection'));
    this.socket.on('error', gone).on('close', () => gone());
  }

  private look(): void {
    const match = /^(?:(\d{3})-[\s\S]*?\r\n\1 [^\r\n]*|\d{3} [^\r\n]*)\r\n/.exec(this.text);
    if (!match || !this.waiting) return;
    this.text = this.text.slice(match[0].length);
    const { resolve } = this.waiting;
    this.waiting = undefined;
    resolve(match[0].trimEnd());
  }
}

/** Runs `work` for every index, so many at a time. */
export async function inParallel<T>(count: number, atOnce: number, work: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = new Array(count);
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) {
      [results[index]] = (await Promise.allSettled([work(index)])) as [PromiseSettledResult<T>];
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
  return results;
}
