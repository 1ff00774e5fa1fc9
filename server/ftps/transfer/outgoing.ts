/** Bytes to the client over an encrypted data connection: one piece at a time, with the connection's own pace. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { Outlet } from '../../files/account-files';
import { type Progress, TransferError } from '../../files/progress';
import type { Pace } from '../../limits/bandwidth';

/** After our close_notify, how long the client may take to close, before the connection is taken down. */
export const LINGER_MS = 5_000;

export class Outgoing implements Outlet {
  private held = false;
  /** Everything has left. */
  private ended = false;
  private failure: Error | undefined;
  private readonly waiting = new Set<(error: Error) => void>();

  constructor(
    private readonly socket: TLSSocket,
    private readonly progress: Progress,
    stallSeconds: number,
    private readonly pace?: Pace,
  ) {
    socket.setTimeout(stallSeconds * 1000);
    socket.on('timeout', () => {
      // While a bandwidth limit holds the bytes back, it is not the client who keeps us waiting.
      if (this.held) socket.setTimeout(stallSeconds * 1000);
      else this.fail(new TransferError('stalled', `The client took no data for ${stallSeconds} seconds`));
    });
    socket.on('error', (error) =>
      this.fail(new TransferError('disconnected', `The data connection broke (${(error as NodeJS.ErrnoException).code ?? 'TLS error'})`)),
    );
    socket.on('close', () => {
      // After the end it is as it should be.
      if (!this.ended) this.fail(new TransferError('disconnected', 'The client closed the data connection'));
    });
    progress.signal.addEventListener('abort', () => this.fail(progress.signal.reason as Error));
    if (progress.signal.aborted) this.fail(progress.signal.reason as Error);
    else if (socket.destroyed) this.fail(new TransferError('disconnected', 'The client closed the data connection'));
    socket.resume(); // nothing is expected from the client but the end of its side
  }

  /** Fulfilled when the bytes have left for the kernel, so that the buffer may be used again. */
  async send(bytes: Buffer): Promise<void> {
    const { pace } = this;
    if (!pace) return this.sendNow(bytes);
    for (let at = 0; at < bytes.length; at += pace.piece) {
      const piece = bytes.subarray(at, at + pace.piece);
      this.held = true;
      await pace.before(piece.length, this.progress.signal);
      this.held = false;
      await this.sendNow(piece);
    }
  }

  private sendNow(bytes: Buffer): Promise<void> {
    return this.untilDone((done) => this.socket.write(bytes, done)).then(() => {
      this.progress.bytes += bytes.length;
    });
  }

  /** Sends close_notify. Fulfilled when everything has left; the client may then take its time to close. */
  async end(): Promise<void> {
    // Node writes the end of the handshake (new sessions) by itself, and ends TCP without close_notify where that write is not over:
    // an empty file or folder can come to its end so soon. A turn of the event loop later it is.
    await nextTurn();
    await this.untilDone((done) => this.socket.end(done));
    this.ended = true;
    this.socket.setTimeout(LINGER_MS, () => this.socket.destroy());
  }

  abandon(): void {
    this.socket.destroy();
  }

  private untilDone(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.waiting.add(reject);
      start((error) => {
        if (error) return; // `error` or `close` of the socket says it better
        this.waiting.delete(reject);
        resolve();
      });
    });
  }

  private fail(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    for (const reject of this.waiting) reject(error);
    this.waiting.clear();
    this.socket.destroy();
  }
}
