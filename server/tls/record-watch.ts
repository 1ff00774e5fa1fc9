/**
 * Tells a TLS connection that was ended by close_notify from one that was merely cut. Node reports both as `end`, and a cut
 * upload would pass for a whole one (truncation attack, RFC 8446 section 6.1). This thin Duplex lies beneath the TLSSocket and
 * walks the record headers; it looks at five bytes of each record and copies nothing.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const RECORD_ALERT = 21;
const RECORD_DATA = 23;
/** What TLS 1.3 adds to the content of a record: the type that it hides, and 16 bytes of tag (RFC 8446 section 5.2). Java pads with 16 bytes more. */
const TLS13_OVERHEAD = 17;
/** An alert is 2 bytes, and under TLS 1.3 disguised as application data. */
const TLS13_ALERT_LENGTH = 2 + TLS13_OVERHEAD;
/** The shortest Finished (SHA-256), which ends the handshake: what is shorter is data, or an alert with some padding. */
const TLS13_FINISHED_LENGTH = 36 + TLS13_OVERHEAD;

export class RecordWatch extends Duplex {
  private header = Buffer.alloc(5);
  private headerLength = 0;
  /** Bytes of the current record that have not arrived yet. */
  private bodyLeft = 0;
  private lastType = 0;
  /** Lengths of the last three records, the last one first. */
  private lengths: readonly [number, number, number] = [0, 0, 0];
  private ended = false;
  private tls13 = false;
  private held: Buffer[] | undefined;

  constructor(private readonly socket: Socket) {
    super({ allowHalfOpen: true, autoDestroy: true });
    // A client that closes both ways at once must still be read to its end: it is we who end our side, with close_notify.
    socket.allowHalfOpen = true;
    socket.on('data', (chunk: Buffer) => {
      this.walk(chunk);
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.finishReading());
    // A client that closes while something of ours lies unread (under TLS 1.3 a session it did not wait for) makes its kernel
    // send a reset. After a whole alert that is an end like any other; what arrived before is still to be read.
    socket.on('error', (error) => (this.ended || this.mayEndWithAlert() ? this.finishReading() : this.destroy(error)));
    // The TLSSocket above may still have to be read when the client is long gone; it ends this, not the other way round.
    socket.on('close', () => {
      if (!this.ended) this.destroy();
    });
  }

  /**
   * To be called when TLS 1.3 was agreed on. Keeps what the server sends from now on until the client has sent everything, or until
   * `release`: the new sessions. A client that only uploads never reads them, and the kernel of a client that closes with something unread
   * throws away what it has not sent yet: the end of the upload would be lost.
   */
  hold(): void {
    this.tls13 = true;
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const chunk of held) this.socket.write(chunk);
  }

  private finishReading(): void {
    if (this.ended) return;
    this.ended = true;
    this.release();
    this.push(null);
  }

  /**
   * Whether the last thing that arrived was a whole alert record, and not data or a part of a record. `lastDataLength` is the length of
   * the last data that TLS gave; where it would not have fitted into the last record, that record was none of data. Only for data
   * of a few bytes the records before must tell: an alert is as much shorter or longer than them as its content is.
   */
  endedByAlert(lastDataLength: number): boolean {
    if (!this.mayEndWithAlert()) return false;
    const [last, before, earlier] = this.lengths;
    if (this.lastType === RECORD_ALERT || lastDataLength === 0 || lastDataLength + TLS13_OVERHEAD > last) return true;
    const difference = lastDataLength - 2;
    return before - last === difference || (before === last && earlier - last === difference); // Java sends two alerts
  }

  private mayEndWithAlert(): boolean {
    const [last] = this.lengths;
    if (this.headerLength > 0 || this.bodyLeft > 0) return false;
    if (this.lastType === RECORD_ALERT) return true;
    return this.tls13 && this.lastType === RECORD_DATA && last >= TLS13_ALERT_LENGTH && last < TLS13_FINISHED_LENGTH;
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.held) {
      this.held.push(chunk);
      done();
    } else this.send(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    if (this.held) {
      this.held.push(...chunks.map(({ chunk }) => chunk));
      done();
      return;
    }
    this.socket.cork();
    chunks.forEach(({ chunk }, index) => {
      this.send(chunk, index === chunks.length - 1 ? done : () => {});
    });
    this.socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.release(); // a client may keep the connection open until it has read our close_notify
    this.socket.end((error?: Error | null) => done(this.ended || this.mayEndWithAlert() ? null : error));
  }

  /** A client that has sent everything and is gone does not hear our goodbye; that takes nothing from what it sent. Anything else that can't be sent is a failure. */
  private send(chunk: Buffer, done: (error?: Error | null) => void): void {
    const goodbye = chunk[0] === RECORD_ALERT || chunk.length === 5 + TLS13_ALERT_LENGTH;
    this.socket.write(chunk, (error) => done(goodbye && (this.ended || this.mayEndWithAlert()) ? null : error));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }

  private walk(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.bodyLeft > 0) {
        const step = Math.min(this.bodyLeft, chunk.length - at);
        this.bodyLeft -= step;
        at += step;
        continue;
      }
      if (this.headerLength === 0 && chunk.length - at >= 5) {
        this.begin(chunk[at]!, chunk.readUInt16BE(at + 3));
        at += 5;
        continue;
      }
      this.header[this.headerLength++] = chunk[at++]!;
      if (this.headerLength === 5) {
        this.headerLength = 0;
        this.begin(this.header[0]!, this.header.readUInt16BE(3));
      }
    }
  }

  private begin(type: number, length: number): void {
    this.lastType = type;
    this.lengths = [length, this.lengths[0], this.lengths[1]];
    this.bodyLeft = length;
  }
}
