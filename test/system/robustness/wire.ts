/** A control connection in the hands of somebody who may send anything. */
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Hang } from './fuzzed';
import type { Random } from './random';
import { PASSWORD, type Watched } from './watched';

/** Longer than any time-out of the server that is fuzzed. */
const PATIENCE_MS = 40_000;

/** A command whose reply hardly comes by chance: when it is there, everything before it has been worked off. */
const PROBE = 'HELP NOOP\r\n';
const PROBED = '214 Syntax: NOOP\r\n';
const PROBE_AGAIN_MS = 3_000;

export class Wire {
  private text = '';
  private wake: (() => void) | undefined;
  closed = false;
  session: Buffer | undefined;

  constructor(readonly socket: Socket | TLSSocket) {
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.wake?.();
    });
    socket.on('session', (session: Buffer) => {
      this.session = session;
    });
    socket.on('connect', () => this.wake?.());
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.wake?.();
    });
  }

  static async tcp(port: number): Promise<Wire> {
    const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
    const wire = new Wire(socket);
    await wire.until(() => !socket.connecting);
    return wire;
  }

  /** An implicit session, logged in. */
  static async loggedIn({ ports, authority }: Watched): Promise<Wire> {
    const wire = new Wire(connectTls({ port: ports.implicit, host: '127.0.0.1', ca: authority.pem, servername: 'localhost' }));
    await wire.expect('220');
    wire.write('USER demo\r\n');
    await wire.expect('331');
    wire.write(`PASS ${PASSWORD}\r\n`);
    await wire.expect('230');
    return wire;
  }

  write(bytes: string | Buffer): void {
    if (!this.closed) this.socket.write(bytes);
  }

  /** Takes the next reply that begins with this code; all before it is forgotten. Throws where the connection ends first. */
  async expect(code: string): Promise<string> {
    const line = new RegExp(`^${code} .*\\r\\n`, 'm');
    await this.until(() => line.test(this.text) || this.closed);
    const match = line.exec(this.text);
    if (!match) throw new Error(`the connection ended before ${code}: ${JSON.stringify(this.text.slice(-200))}`);
    this.text = this.text.slice(match.index + match[0].length);
    return match[0];
  }

  /** Sends a probe behind what was sent before. False where the server has closed. */
  async answered(): Promise<boolean> {
    this.write(`\r\n${PROBE}`);
    // A PROXY header that says it is longer than it is takes a probe or two for a part of itself, and rightly so: ask again.
    const again = setInterval(() => this.write(`\r\n${PROBE}`), PROBE_AGAIN_MS);
    await this.until(() => this.closed || this.text.endsWith(PROBED)).finally(() => clearInterval(again));
    this.text = '';
    return !this.closed;
  }

  /** The final reply of a transfer, or undefined where the connection has ended. */
  async final(): Promise<string | undefined> {
    const line = /^(2|4|5)\d\d .*\r\n/m;
    await this.until(() => line.test(this.text) || this.closed);
    const match = line.exec(this.text);
    if (match) this.text = this.text.slice(match.index + match[0].length);
    return match?.[0];
  }

  async gone(): Promise<void> {
    await this.until(() => this.closed);
  }

  close(random: Random): void {
    const way = random.pick(['reset', 'end', 'quit']);
    if (way === 'reset') this.socket.destroy();
    else this.socket.end(way === 'quit' ? 'QUIT\r\n' : '');
    // Whatever the server says to that, nobody listens.
    const timer = setTimeout(() => this.socket.destroy(), 5_000);
    this.socket.once('close', () => clearTimeout(timer));
  }

  private until(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake = undefined;
        reject(new Hang(`nothing came for ${PATIENCE_MS / 1000} s; before that: ${JSON.stringify(this.text.slice(-200))}`, this.socket));
      }, PATIENCE_MS);
      this.wake = () => {
        if (!done()) return;
        this.wake = undefined;
        clearTimeout(timer);
        resolve();
      };
      this.wake();
    });
  }
}

/** Lies between a TLS client and the network, and spoils what it sends from some piece on. */
export class Spoiler extends Duplex {
  private pieces = 0;

  constructor(
    private readonly socket: Socket,
    private readonly random: Random,
    private readonly from: number,
    private readonly spoil: (random: Random, bytes: Buffer) => Buffer,
  ) {
    super({ allowHalfOpen: true });
    socket.on('data', (chunk: Buffer) => this.push(chunk) || socket.pause());
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.pieces += 1;
    this.socket.write(this.pieces >= this.from ? this.spoil(this.random, chunk) : chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }
}

/** The first bytes that a TLS client sends. */
export function clientHello(session?: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const nowhere = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        setImmediate(() => client.destroy());
        done();
      },
    });
    const client = connectTls({ socket: nowhere, rejectUnauthorized: false, servername: 'localhost', session }).on('error', () => {});
  });
}
