/** One SSH connection from its first byte on: identification, time to agree on keys, packets to and fro, new keys after a gigabyte or an hour. */
import type { Socket } from 'node:net';
import type { HandshakeFailure } from '../../audit/event';
import { Slice } from '../../limits/slice';
import { readInto } from '../../tls/read-into';
import type { HostKey } from './host-keys';
import { Outbox } from './outbox';
import type { SshPolicy } from './policy';
import { type Negotiated, SshProtocol } from './ssh2';

/** Reasons to disconnect (RFC 4253 section 11.1). */
export const disconnects = {
  protocolError: 2,
  hostNotAllowed: 1,
  serviceNotAvailable: 7,
  connectionLost: 10,
  byApplication: 11,
  tooManyConnections: 12,
  noMoreMethods: 14,
} as const;

/** The longest identification with its end of line (RFC 4253 section 4.2). */
const LONGEST_IDENTIFICATION = 255;
/** Keys are replaced after so much, as RFC 4253 section 9 recommends. */
const REKEY_BYTES = 2 ** 30;
const REKEY_MS = 3_600_000;
/** What waits in the socket to be sent, beyond which nothing more is read or produced. */
const FULL = 1024 * 1024;
/** How long a client may take to agree on new keys: what is under way on a slow line comes first. */
const REKEY_SECONDS = 300;
/** New keys cost a signature. A client may ask for them so often, and once more for each second and each megabyte. */
const FREE_REKEYS = 8;
const REKEY_FOR_BYTES = 1024 * 1024;
/** What may be kept back while keys are being replaced, from a client that asks on and on but does not take part. */
const MOST_HELD_BACK = 4 * 1024 * 1024;

/**
 * OpenSSH sends its offer unasked and then its key, which its kernel holds back until the offer is acknowledged (Nagle's algorithm): for 40 ms, where the server
 * has said all that it has to say. Its own offer waits for the client's therefore, and takes the acknowledgement along: that costs no time, for the key could not
 * be there sooner. Nobody waits for longer than this. Milliseconds.
 */
const OFFER_HELD_MS = 500;

/** What is read on any connection: it is dealt with, or copied, before the next is read. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);

export interface TransportOptions {
  readonly hostKeys: ReadonlyMap<string, HostKey>;
  readonly policy: SshPolicy;
  /** What the server calls itself, behind `SSH-2.0-`. */
  readonly software: string;
  /** Seconds until keys must be agreed on. */
  readonly handshakeSeconds: number;
  /** Bytes after which keys are replaced. Default: a gigabyte. */
  readonly rekeyBytes?: number;
  /** Fulfilled when this client, who is not known yet, may bring about more work: agreeing on keys is the dearest that a stranger can ask for. */
  readonly turn?: () => Promise<void>;
  /** What the connection may take of the event loop. Default: one of its own. */
  readonly slice?: Slice;
}

export interface TransportEvents {
  /** Keys are agreed on for the first time. */
  established(negotiated: Negotiated): void;
  packet(payload: Buffer): void;
  /** Keys could not be agreed on, or the client broke off before. `closed` follows. */
  failed(reason: HandshakeFailure, detail: string): void;
  closed(): void;
}

export class Transport {
  /** As the client calls itself, behind `SSH-2.0-`. */
  software: string | undefined;
  private readonly protocol: SshProtocol;
  private readonly outbox: Outbox;
  private identification: Buffer | undefined = Buffer.alloc(0);
  private isEstablished = false;
  /** How often keys were agreed on. */
  agreements = 0;
  private ended = false;
  private failed = false;
  private heldBack = 0;
  private countedAt = 0;
  private readonly openedAt = Date.now();
  /** Whether what has come has to wait for its turn. */
  private isWaiting = false;
  private readonly slice: Slice;
  private timer: NodeJS.Timeout;
  private rekeyTimer: NodeJS.Timeout | undefined;
  private readonly drains: (() => void)[] = [];

  constructor(
    private readonly socket: Socket,
    private readonly options: TransportOptions,
    private readonly events: TransportEvents,
  ) {
    const slice = options.slice ?? new Slice();
    this.slice = slice;
    const outbox = new Outbox(socket);
    this.outbox = outbox;
    this.protocol = new SshProtocol(options, {
      get mustWait() {
        return slice.isUsedUp;
      },
      mayExchange: () => this.mayExchange(),
      write: (bytes) => outbox.space(bytes.length).set(bytes),
      space: (size) => outbox.space(size),
      established: (negotiated) => this.agreed(negotiated),
      packet: (payload) => events.packet(payload),
      failed: (error) => this.fail(reasonOf(error), error.message),
    });
    this.timer = setTimeout(() => this.fail('timeout', 'no keys were agreed on in time'), options.handshakeSeconds * 1000);
  }

  start(): void {
    const { socket } = this;
    socket.on('drain', () => this.drained());
    socket.on('end', () => this.destroy());
    socket.on('close', () => {
      this.end();
      if (!this.isEstablished) this.fail('disconnected', 'the client left');
      this.drained();
      this.events.closed();
    });
    socket.on('error', () => {}); // `close` follows
    this.protocol.start();
    // Last, for what has come already is taken at once.
    readInto(socket, {
      space: () => readBuffer,
      took: (count) => {
        const bytes = readBuffer.subarray(0, count);
        // While keys are agreed on for the first time, ssh2 keeps what it is given.
        this.arrived(this.isEstablished ? bytes : Buffer.from(bytes));
        return true;
      },
    });
  }

  get sessionId(): Buffer {
    return this.protocol.sessionId;
  }

  /** Whether the client wants to be told what the server can (RFC 8308 section 2.1). */
  get wantsExtensions(): boolean {
    return this.protocol.wantsExtensions;
  }

  get isStrict(): boolean {
    return this.protocol.isStrict;
  }

  /** Whether so much waits to be sent, in the socket or for new keys, that more must wait. */
  get isFull(): boolean {
    return this.isStuffed || (this.heldBack > FULL && !this.ended);
  }

  /** Whether the client does not take what is sent. */
  private get isStuffed(): boolean {
    return this.outbox.waiting > FULL && !this.socket.destroyed;
  }

  /** Fulfilled when more may be sent, or the connection is gone. */
  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.drains.push(resolve));
  }

  send(...parts: readonly Uint8Array[]): void {
    if (this.ended) return;
    if (this.protocol.isExchangingKeys) {
      this.heldBack += parts.reduce((sum, { length }) => sum + length, 0);
      if (this.heldBack > MOST_HELD_BACK) this.destroy();
    }
    this.protocol.send(...parts);
  }

  rekey(): void {
    if (this.ended || this.protocol.isExchangingKeys) return;
    this.timer = setTimeout(() => this.destroy(), REKEY_SECONDS * 1000);
    this.protocol.rekey();
  }

  /** Says goodbye and closes. */
  disconnect(reason: number): void {
    if (this.ended) return;
    this.protocol.disconnect(reason);
    this.end();
    this.leave();
  }

  destroy(): void {
    this.end();
    this.socket.destroy();
  }

  private end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    clearInterval(this.rekeyTimer);
    this.outbox.release();
    this.protocol.end();
  }

  private fail(reason: HandshakeFailure, detail: string): void {
    if (!this.isEstablished && !this.failed) {
      this.failed = true;
      this.events.failed(reason, detail);
    }
    // What says why may be on its way.
    if (!this.ended) {
      this.end();
      this.leave();
    }
  }

  /** Once everything has been sent the socket is closed, in any case soon. */
  private leave(): void {
    this.outbox.flush();
    this.socket.end(() => this.socket.destroy());
    setTimeout(() => this.socket.destroy(), 1_000).unref();
  }

  private agreed(negotiated: Negotiated): void {
    clearTimeout(this.timer);
    this.agreements += 1;
    this.heldBack = 0;
    this.drained();
    this.countedAt = this.moved;
    clearInterval(this.rekeyTimer);
    this.rekeyTimer = setInterval(() => this.rekey(), REKEY_MS).unref();
    if (this.isEstablished) return;
    this.isEstablished = true;
    this.events.established(negotiated);
  }

  private get moved(): number {
    return this.socket.bytesRead + this.socket.bytesWritten;
  }

  /** Time for a client to agree on the keys that it has asked for. */
  private mayExchange(): boolean {
    const seconds = (Date.now() - this.openedAt) / 1000;
    if (this.agreements > FREE_REKEYS + seconds + this.moved / REKEY_FOR_BYTES) return false;
    this.timer = setTimeout(() => this.destroy(), REKEY_SECONDS * 1000);
    return true;
  }

  private arrived(bytes: Buffer): void {
    const { turn } = this.options;
    if (!this.identification) this.outbox.release();
    if (this.isEstablished || this.identification || !turn) this.take(bytes);
    else this.wait(turn(), bytes);
  }

  /** What has come is looked at later, and no more is read until then. */
  private wait(turn: Promise<void>, bytes: Buffer): void {
    this.isWaiting = true;
    this.socket.pause();
    const kept = bytes.buffer === readBuffer.buffer ? Buffer.from(bytes) : bytes;
    void turn.then(() => {
      this.isWaiting = false;
      this.take(kept);
      this.listen();
    });
  }

  private take(bytes: Buffer): void {
    if (this.ended) return;
    let taken = 0;
    try {
      if (this.identification) taken = this.identify(bytes);
      else if (bytes.length > 0) taken = this.protocol.parse(bytes);
    } catch (error) {
      this.fail(error instanceof Unwanted ? error.reason : 'malformed', (error as Error).message);
      return;
    }
    if (this.isEstablished && this.moved - this.countedAt > (this.options.rekeyBytes ?? REKEY_BYTES)) this.rekey();
    if (this.ended) return;
    const left = bytes.subarray(taken);
    if (left.length > 0) this.outbox.release();
    if (left.length > 0 && !this.isEstablished && this.options.turn) this.wait(this.options.turn(), left);
    else if (left.length > 0 || this.slice.isUsedUp) this.wait(this.slice.next(), left);
    // Who asks without reading the answers is not listened to until they do.
    else if (this.isStuffed) this.socket.pause();
  }

  /** Reads on, where nothing stands in the way. */
  private listen(): void {
    if (!this.isWaiting && !this.isStuffed && !this.ended) this.socket.resume();
  }

  /** The first line is read here, however it is cut into pieces; what is no SSH goes no further. Answers how many bytes belong to it. */
  private identify(bytes: Buffer): number {
    const held = Buffer.concat([this.identification!, bytes]);
    const end = held.indexOf('\n');
    const line = held.toString('latin1', 0, end < 0 ? Math.min(held.length, LONGEST_IDENTIFICATION) : end).replace(/\r$/, '');
    const begin = 'SSH-';
    if (line.slice(0, begin.length) !== begin.slice(0, line.length)) throw new Unwanted('plain-text', 'what came is not SSH');
    if (end < 0 && held.length < LONGEST_IDENTIFICATION) {
      this.identification = held;
      return bytes.length;
    }
    if (end < 0 || end >= LONGEST_IDENTIFICATION) throw new Error('The identification is too long');
    if (/^SSH-1\.(?!99)/.test(line)) throw new Unwanted('unsupported-protocol', 'SSH 1 is not spoken here');
    const software = /^SSH-(?:2\.0|1\.99)-([\x21-\x7e]+)(?: [\x20-\x7e]*)?$/.exec(line)?.[1];
    if (software === undefined) throw new Error('Invalid identification');
    this.software = software;
    this.identification = undefined;
    if (software.startsWith('OpenSSH_')) this.outbox.hold(OFFER_HELD_MS);
    this.protocol.parse(held.subarray(0, end + 1));
    return end + 1 - (held.length - bytes.length);
  }

  private drained(): void {
    if (!this.isFull) for (const resolve of this.drains.splice(0)) resolve();
    this.listen();
  }
}

/** What came first is nothing to be spoken with. */
class Unwanted extends Error {
  constructor(
    readonly reason: HandshakeFailure,
    message: string,
  ) {
    super(message);
  }
}

function reasonOf({ message }: Error): HandshakeFailure {
  if (/no matching/i.test(message)) return 'no-shared-cipher';
  return message === 'the client disconnected' ? 'disconnected' : 'malformed';
}
