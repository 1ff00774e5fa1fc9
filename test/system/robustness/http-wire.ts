/** One connection of HTTPS in a fuzzer's hands: it sends bytes as they are, and reads whole answers. */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { Hang } from './fuzzed';
import type { Watched } from './watched';

export interface Answered {
  readonly status: number;
  readonly headers: string;
  readonly body: Buffer;
}

/** A machine that does other things as well may stand still for a while: that is no hang. */
const PATIENCE_MS = 60_000;

/** Of whole sessions, so that a handshake costs little. */
let resumed: Buffer | undefined;

export class HttpWire {
  private held = Buffer.alloc(0);
  private closed = false;
  private wake: () => void = () => {};

  private constructor(private readonly socket: TLSSocket) {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.held = Buffer.concat([this.held, chunk]);
      this.wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  static async open({ ports, authority }: Watched): Promise<HttpWire> {
    const socket = connect({ host: '127.0.0.1', port: ports.https, servername: 'localhost', ca: authority.pem, session: resumed, ALPNProtocols: ['http/1.1'] });
    socket.on('session', (session) => {
      resumed = session;
    });
    const wire = new HttpWire(socket);
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    return wire;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  write(bytes: Buffer | string): void {
    if (!this.closed) this.socket.write(bytes);
  }

  /** No more is sent; all that comes until the server closes. */
  async end(): Promise<Answered[]> {
    this.socket.end();
    const answers: Answered[] = [];
    for (;;) {
      const answer = await this.answer();
      if (!answer) return answers;
      answers.push(answer);
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The next answer; undefined where the connection ended without one. `isHead`: whether HEAD was asked, where that is known. Throws a Hang, and an Error where it is no answer. */
  async answer(isHead?: boolean): Promise<Answered | undefined> {
    for (;;) {
      const end = await this.upTo('\r\n\r\n');
      if (end < 0) return undefined;
      const text = this.held.subarray(0, end).toString('latin1');
      this.held = this.held.subarray(end + 4);
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? Number.NaN);
      if (!text.split('\r\n').every((line, index) => (index === 0 ? !Number.isNaN(status) : /^[a-z0-9-]+: [^\r\n]*$/.test(line))))
        throw new Error(`no answer: ${JSON.stringify(text.slice(0, 200))}`);
      if (status === 100) continue;
      return { status, headers: text, body: await this.body(status, text, isHead) };
    }
  }

  private async body(status: number, head: string, isHead: boolean | undefined): Promise<Buffer> {
    const length = /^content-length: (\d+)$/m.exec(head)?.[1];
    if (isHead || status === 204 || status === 304) return Buffer.alloc(0);
    if (/^transfer-encoding: chunked/m.test(head)) {
      const end = await this.upTo('0\r\n\r\n');
      const body = this.held.subarray(0, Math.max(0, end));
      this.held = this.held.subarray(end < 0 ? this.held.length : end + 5);
      return body;
    }
    const bytes = Number(length ?? 0);
    const isNext = () => this.held.subarray(0, 9).toString('latin1') === 'HTTP/1.1 ';
    // Where it is not known what was asked: an answer to HEAD has a length and no body, and the next answer or the end comes behind it.
    const mayBeHead = isHead === undefined;
    while (this.held.length < bytes && !this.closed && !(mayBeHead && isNext())) await this.moreOrHang();
    if (mayBeHead && isNext()) return Buffer.alloc(0);
    const body = this.held.subarray(0, bytes);
    this.held = this.held.subarray(body.length);
    return body;
  }

  /** Where that is; -1 where the connection ended before. */
  private async upTo(mark: string): Promise<number> {
    for (;;) {
      const at = this.held.indexOf(mark);
      if (at >= 0 || this.closed) return at;
      await this.moreOrHang();
    }
  }

  private moreOrHang(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Hang(`no answer within ${PATIENCE_MS / 1000} s`, this.socket)), PATIENCE_MS);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = () => {};
        resolve();
      };
    });
  }
}
