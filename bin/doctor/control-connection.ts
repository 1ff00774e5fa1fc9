/** A control connection as a client has it (RFC 959, RFC 4217): replies, commands, the upgrade to TLS. */
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

export interface Reply {
  readonly code: number;
  readonly text: string;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** `https`: TLS from the first byte, and then the client speaks first. */
  readonly mode: 'explicit' | 'implicit' | 'https';
  /** Milliseconds that any single step may take. */
  readonly timeout: number;
}

/** A whole reply at the beginning of the text: one line, or lines up to the one that repeats the code with a blank. */
const wholeReply = /^(\d{3}) [^\n]*\n|^(\d{3})-[\s\S]*?\n\2 [^\n]*\n/;
const LONGEST_REPLY = 65_536;

export class ControlConnection {
  private text = '';
  private ended?: Error;
  private wake = () => {};
  /** The TLS session to resume on data connections; TLS 1.3 servers send new ones as they go. */
  session?: Buffer;

  private constructor(
    private socket: Socket,
    private readonly timeout: number,
  ) {
    this.listen();
  }

  /** Connects without TLS; for implicit mode, `upgrade` comes before the greeting. */
  static async open({ host, port, timeout }: Target): Promise<ControlConnection> {
    return new ControlConnection(await tcp(host, port, timeout), timeout);
  }

  get raw(): Socket {
    return this.socket;
  }

  get remoteAddress(): string {
    return (this.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  }

  async command(line: string): Promise<Reply> {
    this.socket.write(`${line}\r\n`);
    return this.reply();
  }

  async reply(): Promise<Reply> {
    const deadline = Date.now() + this.timeout;
    for (;;) {
      const match = wholeReply.exec(this.text);
      if (match) {
        this.text = this.text.slice(match[0].length);
        return { code: Number(match[1] ?? match[2]), text: match[0].trim() };
      }
      if (this.ended) throw this.ended;
      if (this.text.length > LONGEST_REPLY) throw new Error('the reply has no end');
      if (this.text.length > 3 && !/^\d{3}[ -]/.test(this.text)) throw new Error(`what answers does not speak FTP: ${JSON.stringify(this.text.slice(0, 40))}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no reply within ${this.timeout / 1000} seconds`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async upgrade(options: ConnectionOptions): Promise<TLSSocket> {
    this.socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error');
    const secure = await handshake(this.socket, options, this.timeout);
    secure.on('session', (session) => {
      this.session = session;
    });
    this.session ??= secure.getSession();
    this.socket = secure;
    this.listen();
    return secure;
  }

  close(): void {
    this.socket.destroy();
  }

  private listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.wake();
    });
    const end = (error?: Error) => {
      this.ended ??= new Error(error ? `the connection broke (${(error as NodeJS.ErrnoException).code ?? error.message})` : 'the server closed the connection');
      this.wake();
    };
    this.socket.on('error', end).on('close', () => end());
  }
}

export function tcp(host: string, port: number, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port });
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeout / 1000} seconds`)), timeout);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail).once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/** A TLS handshake as client; the certificate is looked at afterwards, so that it can be described. */
export function handshake(socket: Socket, options: ConnectionOptions, timeout: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({ ...options, socket, rejectUnauthorized: false });
    const timer = setTimeout(() => fail(new Error(`the TLS handshake did not end within ${timeout / 1000} seconds`)), timeout);
    const fail = (error?: Error) => {
      clearTimeout(timer);
      secure.destroy();
      socket.destroy();
      reject(error instanceof Error ? error : new Error('the server closed the connection during the TLS handshake'));
    };
    const closed = () => fail();
    secure
      .once('error', fail)
      .once('close', closed)
      .once('secureConnect', () => {
        clearTimeout(timer);
        secure.off('error', fail).off('close', closed);
        resolve(secure);
      });
  });
}
