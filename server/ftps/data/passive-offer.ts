/** A passive port that was offered to one session, from the reply to PASV or EPSV until its connection is there or it is given up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataChannel, DataConnectionError, type DataOwner, type Direction, type PendingData } from './channel';

/** After somebody was refused on the port, a client that does not resume has probably given up: the wait is cut to this. */
const AFTER_REFUSAL_MS = 3_000;

/**
 * How long after its transfer command a client's connection is still expected. What the client took from the offer to its command is added: that is
 * a round trip at least, and a client that connects only when it has read 150 needs another one.
 */
const MOMENT_MS = 250;
const LONGEST_ROUND_TRIP_MS = 1_000;

/** The same for a client whose last connection was there before its command: only what the network puts into another order is waited for. */
const SETTLE_MS = 5;

/** A connection that came so soon after the command is one that came before it: the two come through different sockets. */
const SAME_TIME_MS = 1;

/** A connection on the port that may be the client's, as long as nothing shows that it is somebody else's. */
export interface Claim {
  readonly at: number;
}

export class PassiveOffer implements PendingData {
  /** Known once the transfer command came. */
  direction: Direction | undefined;
  /** Called when the connection is there. */
  whenTaken: (() => void) | undefined;
  private state: 'open' | 'taken' | 'given-up' = 'open';
  private channel: DataChannel | undefined;
  private waiter: { resolve(channel: DataChannel): void; reject(error: DataConnectionError): void } | undefined;
  private somebodyWasRefused = false;
  private readonly offeredAt = performance.now();
  /** When the transfer command came. */
  private commandedAt: number | undefined;
  private announceCommand!: () => void;
  private readonly command = new Promise<void>((resolve) => {
    this.announceCommand = resolve;
  });
  /** Connections that may be the client's, also those that are gone. */
  private readonly claims = new Set<Claim>();
  private lost = 0;
  private contested = false;
  private timer: NodeJS.Timeout;

  /** `onClosed` is called once: when the connection is there, or when nobody may connect any more. */
  constructor(
    readonly owner: DataOwner,
    readonly port: number,
    /** Whether others of the same address may wait on the port as well. */
    readonly shares: boolean,
    private readonly connectSeconds: number,
    private readonly onClosed: (outcome: 'used' | 'expired') => void,
  ) {
    this.timer = setTimeout(() => this.expire(), connectSeconds * 1000);
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  commanded(): void {
    this.commandedAt ??= performance.now();
    this.announceCommand();
  }

  /** Notes a connection that came while this offer was open. */
  claim(): Claim {
    const claim = { at: performance.now() };
    this.claims.add(claim);
    if (this.lost > 0 && this.waiter && this.isOpen) this.restart(this.connectSeconds * 1000);
    return claim;
  }

  /** A connection turned out to be another session's, or no client of this one. */
  disown(claim: Claim): void {
    this.claims.delete(claim);
  }

  /** A connection ended before its handshake was done. Where no other is there, none will come: a client connects once. */
  lose(): void {
    this.lost += 1;
    this.waitNoLonger();
  }

  /**
   * Holds a connection back that proved nothing. Fulfilled with whether it may be taken: the transfer command has come, the moment is over by which
   * the client's own connection must be there as well, and this is the only one. Where there are two, neither is believed, now or later.
   */
  async holdBack({ at }: Claim, isQuiet: boolean): Promise<boolean> {
    await this.command;
    if (!this.isOpen) return false;
    const cameFirst = this.owner.connectsFirst === true && isQuiet && at <= this.commandedAt! + SAME_TIME_MS;
    await sleep(Math.max(1, (cameFirst ? this.commandedAt! : Math.max(at, this.commandedAt!)) + this.moment(cameFirst) - performance.now()));
    if (this.claims.size > 1) this.contested = true;
    return !this.contested && this.isOpen;
  }

  private moment(cameFirst: boolean): number {
    return cameFirst ? SETTLE_MS : MOMENT_MS + Math.min(this.commandedAt! - this.offeredAt, LONGEST_ROUND_TRIP_MS);
  }

  connected(direction: Direction): Promise<DataChannel> {
    this.direction = direction;
    this.commanded();
    if (this.channel) {
      if (direction === 'out') this.channel.turnOutgoing();
      return Promise.resolve(this.channel);
    }
    if (this.state === 'given-up') return Promise.reject(this.failure());
    this.restart(this.connectSeconds * 1000);
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject };
      if (this.somebodyWasRefused) this.refusedSomebody();
      this.waitNoLonger();
    });
  }

  /** Hands the connection over. False where the offer has one already or is over. */
  take(channel: DataChannel, { at }: Claim): boolean {
    if (this.state !== 'open') return false;
    this.state = 'taken';
    this.owner.connectsFirst = this.commandedAt === undefined || at <= this.commandedAt + SAME_TIME_MS;
    this.announceCommand(); // whatever is held back can go
    this.whenTaken?.();
    this.channel = channel;
    clearTimeout(this.timer);
    channel.socket.on('error', () => {}); // until a transfer listens itself
    if (this.direction === 'out') channel.turnOutgoing();
    this.onClosed('used');
    this.waiter?.resolve(channel);
    return true;
  }

  /** Notes that a connection was turned away here which may have been the client's own. */
  refusedSomebody(): void {
    this.somebodyWasRefused = true;
    if (this.waiter && this.isOpen) this.restart(this.contested ? this.moment(false) : AFTER_REFUSAL_MS);
  }

  cancel(): void {
    if (this.state === 'taken') this.channel?.socket.destroy();
    else this.giveUp(new DataConnectionError('cancelled', 'The transfer was given up'));
  }

  private expire(): void {
    this.giveUp(this.failure());
  }

  private giveUp(error: DataConnectionError): void {
    if (this.state !== 'open') return;
    this.state = 'given-up';
    clearTimeout(this.timer);
    this.announceCommand(); // whatever is held back can go
    this.onClosed('expired');
    this.waiter?.reject(error);
  }

  /** Cuts the wait to the moment in which another connection could still come, where the one that came has gone. */
  private waitNoLonger(): void {
    if (this.lost > 0 && this.lost === this.claims.size && this.waiter && this.isOpen) this.restart(this.moment(false));
  }

  private failure(): DataConnectionError {
    if (this.somebodyWasRefused) return new DataConnectionError('not-resumed', 'The data connection did not resume the TLS session of the control connection');
    return this.lost > 0
      ? new DataConnectionError('lost', 'The data connection was gone before its TLS handshake was done')
      : new DataConnectionError('timeout', `No data connection came to port ${this.port}`);
  }

  private restart(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.expire(), milliseconds);
  }
}
