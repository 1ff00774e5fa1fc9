/**
 * Which passive port a session is given, and in which order sessions wait for one: a session has at most one connection pending, so a few ports carry any
 * number of sessions.
 */
import { DataConnectionError, type DataOwner } from './channel';
import { PassiveOffer } from './passive-offer';
import { choosePort, type PassivePort, type PortManners } from './passive-port';

/** How long a session waits for a port that suits it before it is content with less. */
const PATIENCE_MS = 1_000;

/** How long a session waits for any port at all; clients give up on a reply after 15 seconds or more. */
const LONGEST_QUEUE_MS = 10_000;

/** A session that waits for a port. */
interface Waiting {
  readonly owner: DataOwner;
  manners: PortManners;
  readonly reserved: (offer: PassiveOffer) => void;
  readonly refused: (error: DataConnectionError) => void;
}

export interface QueueOptions {
  readonly connectSeconds: number;
  /** Told when an offer is over, used or not, and taken off its port. */
  readonly over: (owner: DataOwner, port: PassivePort, outcome: 'used' | 'expired') => void;
}

export class PortQueue {
  /** The ports, the one that was used longest ago first. */
  private readonly inTurn: PassivePort[] = [];
  private readonly queues = new Map<string, Waiting[]>();
  /** Sessions whose client was turned away on a shared port: they share no more. */
  private readonly alone = new WeakSet<DataOwner>();

  constructor(private readonly options: QueueOptions) {}

  get ports(): readonly PassivePort[] {
    return this.inTurn;
  }

  add(port: PassivePort): void {
    this.inTurn.push(port);
  }

  /** The owner shares its port no more. */
  keepAlone(owner: DataOwner): void {
    this.alone.add(owner);
  }

  /** Nobody gets a port any more, and what was offered is void. */
  close(): void {
    const waiting = [...this.queues.values()].flat();
    this.queues.clear();
    for (const { refused } of waiting) refused(new DataConnectionError('cancelled', 'The server is going down'));
    for (const port of this.inTurn) port.cancelAll();
  }

  /** A port now, or in the order of asking as soon as there is one for this client. */
  reserve(owner: DataOwner): Promise<PassiveOffer> {
    const manners: PortManners = namesItsSession(owner) ? 'shares' : 'alone';
    // Nearly always there is one, and nobody before who waits for it.
    const port = this.queues.has(owner.address) ? undefined : choosePort(this.inTurn, owner.address, manners);
    if (port) return Promise.resolve(this.place({ owner, manners }, port));
    return new Promise((resolve, reject) => {
      const queue = this.queues.get(owner.address) ?? [];
      this.queues.set(owner.address, queue);
      const waiting: Waiting = {
        owner,
        manners,
        reserved: (offer) => settle(() => resolve(offer)),
        refused: (error) => settle(() => reject(error)),
      };
      const settle = (how: () => void) => {
        clearInterval(patience);
        clearTimeout(end);
        how();
      };
      const patience = setInterval(() => {
        if (waiting.manners === 'shares') waiting.manners = 'crowds';
        else if (owner.resumption === 'unknown' && !this.alone.has(owner)) waiting.manners = 'shares';
        this.serve(owner.address);
      }, PATIENCE_MS);
      const end = setTimeout(
        () => {
          queue.splice(queue.indexOf(waiting), 1);
          this.serve(owner.address);
          waiting.refused(new DataConnectionError('exhausted', 'All passive ports are waiting for other connections from your address; try again'));
        },
        Math.min(LONGEST_QUEUE_MS, this.options.connectSeconds * 1000),
      );
      queue.push(waiting);
      this.serve(owner.address);
    });
  }

  /** Gives ports to those who wait for one from that address, as far as there are some. */
  private serve(address: string): void {
    const queue = this.queues.get(address);
    if (!queue) return;
    const without = new Set<PortManners>(); // who needs not look: another with the same manners found nothing
    for (let next = 0; next < queue.length; ) {
      const waiting = queue[next]!;
      const port = without.has(waiting.manners) ? undefined : choosePort(this.inTurn, address, waiting.manners);
      if (port) {
        queue.splice(next, 1);
        waiting.reserved(this.place(waiting, port));
      } else {
        without.add(waiting.manners);
        next += 1;
      }
    }
    if (queue.length === 0) this.queues.delete(address);
  }

  private place({ owner, manners }: Pick<Waiting, 'owner' | 'manners'>, port: PassivePort): PassiveOffer {
    this.inTurn.push(...this.inTurn.splice(this.inTurn.indexOf(port), 1));
    const offer: PassiveOffer = new PassiveOffer(owner, port.number, manners !== 'alone', this.options.connectSeconds, (outcome) => {
      port.remove(offer);
      this.options.over(owner, port, outcome);
      this.serve(owner.address);
    });
    port.add(offer);
    return offer;
  }
}

/** Whether this owner's data connection is sure to say whose it is, so that others of its address can wait beside it. */
function namesItsSession({ resumption, dataTlsReuse, clientCertificate }: DataOwner): boolean {
  return resumption === 'expected' || (dataTlsReuse === 'required' && clientCertificate === undefined);
}
