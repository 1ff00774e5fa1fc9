/** A passive port that was offered to one session, from the reply to PASV or EPSV until its connection is there or it is given up. */
import { type DataChannel, DataConnectionError, type DataOwner, type Direction, type PendingData } from './channel';

/** After somebody was refused on the port, a client that does not resume has probably given up: the wait is cut to this. */
const AFTER_REFUSAL_MS = 3_000;

export class PassiveOffer implements PendingData {
  /** Known once the transfer command came. */
  direction: Direction | undefined;
  /** Called when the connection is there. */
  whenTaken: (() => void) | undefined;
  private state: 'open' | 'taken' | 'given-up' = 'open';
  private channel: DataChannel | undefined;
  private waiter: { resolve(channel: DataChannel): void; reject(error: DataConnectionError): void } | undefined;
  private somebodyWasRefused = false;
  private holding = false;
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

  /** Whether a connection that proved nothing is being held back right now. */
  get isHolding(): boolean {
    return this.holding;
  }

  /** Fulfilled after that time: whether nobody else came in the meantime who proved nothing either, and the offer is still open. */
  async hold(milliseconds: number): Promise<boolean> {
    this.holding = true;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.holding = false;
    return !this.contested && this.isOpen;
  }

  /** Two who prove nothing wait for one transfer: neither is believed more than the other. */
  contest(): void {
    this.contested = true;
  }

  connected(direction: Direction): Promise<DataChannel> {
    this.direction = direction;
    if (this.channel) {
      if (direction === 'out') this.channel.turnOutgoing();
      return Promise.resolve(this.channel);
    }
    if (this.state === 'given-up') return Promise.reject(this.failure());
    this.restart(this.connectSeconds * 1000);
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject };
      if (this.somebodyWasRefused) this.restart(AFTER_REFUSAL_MS);
    });
  }

  /** Hands the connection over. False where the offer has one already or is over. */
  take(channel: DataChannel): boolean {
    if (this.state !== 'open') return false;
    this.state = 'taken';
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
    if (this.waiter && this.state === 'open') this.restart(AFTER_REFUSAL_MS);
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
    this.onClosed('expired');
    this.waiter?.reject(error);
  }

  private failure(): DataConnectionError {
    return this.somebodyWasRefused
      ? new DataConnectionError('not-resumed', 'The data connection did not resume the TLS session of the control connection')
      : new DataConnectionError('timeout', `No data connection came to port ${this.port}`);
  }

  private restart(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.expire(), milliseconds);
  }
}
