/** Packets on their way to the socket: made one behind the other in memory that is used again, and written together at the end of the turn. */
import type { Socket } from 'node:net';

/** Holds what one READ of SFTP is answered with. Bytes. */
const CHUNK = 257 * 1024;
/** What is no more than that is copied out, so that a client who reads nothing keeps no chunk. */
const LITTLE = 16 * 1024;
/** Chunks that lie ready for whoever sends next, in the whole process. */
const MOST_SPARE = 8;
const spare: Buffer[] = [];

export class Outbox {
  private chunk: Buffer | undefined;
  private filled = 0;
  /** Set while nothing is sent, with what is to be sent then. */
  private held: { readonly until: NodeJS.Timeout; readonly packets: Buffer[] } | undefined;

  constructor(private readonly socket: Socket) {}

  /** What waits to be sent, here and in the socket. Bytes. */
  get waiting(): number {
    return this.filled + this.socket.writableLength;
  }

  /** Room for a packet, which is to be filled at once. */
  space(size: number): Buffer {
    if (this.chunk && this.chunk.length - this.filled < size) this.flush();
    if (!this.chunk) {
      this.chunk = (size <= CHUNK ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(size, CHUNK));
      process.nextTick(() => this.flush());
    }
    const from = this.filled;
    this.filled += size;
    return this.chunk.subarray(from, this.filled);
  }

  /** Sends what there is, and then nothing until `release`, or for so long. */
  hold(milliseconds: number): void {
    this.flush();
    this.held ??= { until: setTimeout(() => this.release(), milliseconds), packets: [] };
  }

  release(): void {
    if (!this.held) return;
    const { until, packets } = this.held;
    this.held = undefined;
    clearTimeout(until);
    if (this.socket.writable) for (const packet of packets) this.socket.write(packet);
    this.flush();
  }

  flush(): void {
    const { chunk, filled, socket } = this;
    if (!chunk) return;
    this.chunk = undefined;
    this.filled = 0;
    const giveBack = () => {
      if (chunk.length === CHUNK && spare.length < MOST_SPARE) spare.push(chunk);
    };
    if (!socket.writable) giveBack();
    else if (this.held) {
      this.held.packets.push(Buffer.from(chunk.subarray(0, filled)));
      giveBack();
    } else if (filled > LITTLE) socket.write(chunk.subarray(0, filled), giveBack);
    else {
      socket.write(Buffer.from(chunk.subarray(0, filled)));
      giveBack();
    }
  }
}
