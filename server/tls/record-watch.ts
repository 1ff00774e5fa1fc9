/**
 * Tells a TLS connection that was ended by close_notify from one that was merely cut. Node reports both as `end`, and a cut
 * upload would pass for a whole one (truncation attack, RFC 8446 section 6.1). This thin Duplex lies beneath the TLSSocket and
 * walks the record headers; it looks at five bytes of each record and copies nothing.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const RECORD_ALERT = 21;
/** An alert under TLS 1.3 is disguised as application data: 2 bytes, its type, 16 bytes of tag (RFC 8446 section 5.2). */
const TLS13_ALERT_LENGTH = 19;

export class RecordWatch extends Duplex {
  private header = Buffer.alloc(5);
  private headerLength = 0;
  /** Bytes of the current record that have not arrived yet. */
  private bodyLeft = 0;
  private lastType = 0;
  private lastLength = 0;
  private lengthBefore = 0;
  private ended = false;
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
    socket.on('error', (error) => (this.ended || this.endsWithAlert() ? this.finishReading() : this.destroy(error)));
    // The TLSSocket above may still have to be read when the client is long gone; it ends this, not the other way round.
    socket.on('close', () => {
      if (!this.ended) this.destroy();
    });
  }

  /**
   * Keeps what the server sends from now on until the client has sent everything, or until `release`. Under TLS 1.3 that is the
   * new sessions. A client that only uploads never reads them, and the kernel of a client that closes with something unread
   * throws away what it has not sent yet: the end of the upload would be lost.
   */
  hold(): void {
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
   * Whether the last thing that arrived was a whole alert record, and not data or a part of a record. Two bytes of data make a
   * record as long as an alert; where the last data had that length, the record before the last must have been its own.
   */
  endedByAlert(lastDataLength: number): boolean {
    return this.endsWithAlert() && (this.lastType === RECORD_ALERT || lastDataLength !== 2 || this.lengthBefore === TLS13_ALERT_LENGTH);
  }

  private endsWithAlert(): boolean {
    return this.headerLength === 0 && this.bodyLeft === 0 && (this.lastType === RECORD_ALERT || this.lastLength === TLS13_ALERT_LENGTH);
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
    this.socket.end((error?: Error | null) => done(this.ended ? null : error));
  }

  /** A client that has sent everything and is gone does not hear our goodbye; that takes nothing from what it sent. Anything else that can't be sent is a failure. */
  private send(chunk: Buffer, done: (error?: Error | null) => void): void {
    const goodbye = chunk[0] === RECORD_ALERT || chunk.length === 5 + TLS13_ALERT_LENGTH;
    this.socket.write(chunk, (error) => done(goodbye && this.ended ? null : error));
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
    this.lengthBefore = this.lastLength;
    this.lastLength = length;
    this.bodyLeft = length;
  }
}
