/** The control connection as lines in and replies out, before and after its upgrade to TLS. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { acceptTls, type Handshake, type HandshakeOptions } from '../../tls/accept';
import type { ClientHello } from '../../tls/client-hello';
import { peekClientHello } from '../../tls/peek';
import { watchEnd } from '../tls/end-watch';
import { type Line, LineReader } from './line-reader';

/** Lines that are read at once: a packet can hold tens of thousands, and whoever sends it waits for its own. */
const MOST_LINES = 64;

/** Bytes of a client that are still taken, and thrown away, once its connection is to end. */
const MOST_UNHEARD = 256 * 1024;

export class ControlChannel {
  private socket: Socket;
  private reader = new LineReader();
  private outgoing = '';
  private over = false;
  /** Set once the connection is encrypted. */
  tls: TLSSocket | undefined;

  constructor(
    private readonly raw: Socket,
    private readonly events: { lines(lines: Line[]): void; closed(): void },
  ) {
    this.socket = raw;
    raw.on('error', () => {});
    raw.on('close', this.onClose);
  }

  /** Begins to read lines. */
  start(): void {
    this.socket.on('data', this.onData);
  }

  /** Bytes have arrived that nobody has asked for yet. Before an upgrade that is an injection (RFC 4217 section 15; CVE-2011-0411). */
  get holdsBytes(): boolean {
    return this.reader.holdsBytes || this.raw.readableLength > 0;
  }

  /** Stops and goes on reading, for clients that send faster than their commands are worked off. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Lines that have come and were not read yet. */
  more(): Line[] {
    return this.reader.take(MOST_LINES);
  }

  gather(text: string): void {
    this.outgoing += text;
  }

  /** Sends what was gathered, in one write. */
  flush(): void {
    if (this.outgoing === '' || this.over) return;
    const text = this.outgoing;
    this.outgoing = '';
    if (this.socket.writable) this.socket.write(text);
  }

  /** Fulfilled when the client has taken what was sent, or is gone. One that sends commands and reads no replies has to wait. */
  async drained(): Promise<void> {
    const { socket } = this;
    if (this.over || !socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  /**
   * Puts TLS over the connection, with options that may depend on what the client asks for. What costs most begins when it is its `turn`, which does not
   * count as its time. On failure the connection is gone.
   */
  async secure(
    seconds: number,
    turn: () => Promise<void>,
    optionsFor: (hello: ClientHello | undefined) => Omit<HandshakeOptions, 'seconds'>,
  ): Promise<Handshake> {
    this.raw.off('data', this.onData);
    this.raw.off('close', this.onClose);
    this.raw.pause();
    const deadline = Date.now() + seconds * 1000;
    const hello = await peekClientHello(this.raw, seconds);
    if (hello === 'closed' || hello === 'timeout') {
      this.raw.destroy();
      return { ok: false, reason: hello === 'timeout' ? 'timeout' : 'disconnected' };
    }
    const left = deadline - Date.now();
    await turn();
    if (this.raw.destroyed) return { ok: false, reason: 'disconnected' };
    // OpenSSL says best what is wrong with something that is no hello.
    const options = optionsFor(hello === 'malformed' ? undefined : hello);
    const handshake = await acceptTls(this.raw, { ...options, onSocket: watchEnd, seconds: Math.max(0, left) / 1000 });
    if (!handshake.ok) return handshake;
    this.reader = new LineReader();
    this.tls = handshake.socket;
    this.socket = handshake.socket;
    this.socket.on('error', () => {});
    this.socket.on('close', this.onClose);
    // A client that closes its side is gone; FTP knows no half-open control connection.
    this.socket.on('end', () => this.end());
    if (this.socket.destroyed) this.onClose();
    return handshake;
  }

  /** Sends what is left, says goodbye and closes; a client that does not answer is cut off. */
  end(): void {
    if (this.over) return;
    this.flush();
    this.reader = new LineReader(); // what is left is not read any more
    // A client that still sends is not listened to for long; what it has sent must be read, or the kernel throws our last words away.
    let left = MOST_UNHEARD;
    this.socket.off('data', this.onData).on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) this.destroy();
    });
    this.socket.resume();
    this.socket.end();
    const timer = setTimeout(() => this.destroy(), 2_000);
    this.socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.socket.destroy();
    this.raw.destroy();
  }

  private readonly onData = (chunk: Buffer) => {
    const lines = this.reader.push(chunk, MOST_LINES);
    if (lines.length > 0) this.events.lines(lines);
  };

  private readonly onClose = () => {
    if (this.over) return;
    this.over = true;
    this.events.closed();
  };
}
