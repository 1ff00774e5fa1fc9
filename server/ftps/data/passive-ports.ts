/**
 * The passive range: listeners opened once and shared by all sessions. An arriving connection is matched to its session by
 * client address and by the TLS session named in its ClientHello; whoever can't be matched is dropped, and nobody's transfer
 * notices. A session has at most one connection pending, so a few ports carry any number of sessions.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../../audit/event';
import { plainAddress } from '../../config';
import { seeThrough } from '../../sessions/one-connection';
import { type HelloRead, readClientHello } from '../../tls/read-hello';
import { softwareOf } from '../../tls/software';
import type { Firewall } from '../firewall/firewall';
import { type NamedSession, namedSession } from '../tls/named-session';
import { DataConnectionError, type DataOwner } from './channel';
import { type Claim, PassiveOffer } from './passive-offer';
import { choosePort, PassivePort, type PortManners } from './passive-port';
import { auditDataTls, type DataSecurity, secureData } from './secure';
import { Strangers } from './strangers';

export interface PassiveOptions {
  /** Addresses to listen on; the control listeners' hosts. */
  readonly hosts: readonly string[];
  /** The ports to open; 0 is any free one. */
  readonly ports: readonly number[];
  readonly connectSeconds: number;
  readonly security: DataSecurity;
  readonly firewall: Firewall;
}

/** Connections of one address on one port that have not said yet whose they are, beyond one per waiting session. */
const SPARE_UNNAMED = 4;

/** How long a session waits for a port that suits it before it is content with less. */
const PATIENCE_MS = 1_000;

/** How long a session waits for any port at all; clients give up on a reply after 15 seconds or more. */
const LONGEST_QUEUE_MS = 10_000;

/** More connections than this may wait to be accepted (net.core.somaxconn allowing). */
const BACKLOG = 4_096;

/** How long a session that has not logged in yet is given to turn out as one of the same account, and how often that is looked at. */
const LOGIN_MS = 5_000;
const LOOK_MS = 25;

/** A session that waits for a port. */
interface Waiting {
  readonly owner: DataOwner;
  manners: PortManners;
  readonly reserved: (offer: PassiveOffer) => void;
  readonly refused: (error: DataConnectionError) => void;
}

export class PassivePorts {
  private readonly servers: Server[] = [];
  /** The ports, the one that was used longest ago first. */
  private readonly inTurn: PassivePort[] = [];
  private readonly queues = new Map<string, Waiting[]>();
  /** Sessions whose client was turned away on a shared port: they share no more. */
  private readonly alone = new WeakSet<DataOwner>();

  private readonly strangers = new Strangers();

  private constructor(private readonly options: PassiveOptions) {}

  /** Opens every port on every host. Throws where one is taken. */
  static async open(options: PassiveOptions): Promise<PassivePorts> {
    const pool = new PassivePorts(options);
    try {
      for (const wanted of options.ports) await pool.listen(wanted);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** The ports that are open, in order. */
  get ports(): readonly number[] {
    return this.inTurn.map(({ number }) => number).sort((a, b) => a - b);
  }

  /** On how many ports somebody is waited for. */
  get waitedOn(): number {
    return this.inTurn.filter((port) => port.isWaitedOn).length;
  }

  /**
   * Reserves a port for the owner's next data connection and lets its client through the firewall. Throws a DataConnectionError,
   * `exhausted` or `firewall`, where nothing can be offered now.
   */
  async offer(owner: DataOwner): Promise<PassiveOffer> {
    const offer = await this.reserve(owner);
    const { firewall, connectSeconds, security } = this.options;
    try {
      // The wait begins anew with the transfer command, so it can last twice as long.
      await firewall.admit(owner.address, offer.port, 2 * connectSeconds);
    } catch {
      offer.cancel(); // why is in the health and in the audit; it is none of the client's business
      throw new DataConnectionError('firewall', 'The firewall could not be opened for you; try again later');
    }
    security.audit.record({ kind: 'passive-port', change: 'opened', port: offer.port, ...owner.facts });
    return offer;
  }

  async close(): Promise<void> {
    const waiting = [...this.queues.values()].flat();
    this.queues.clear();
    for (const { refused } of waiting) refused(new DataConnectionError('cancelled', 'The server is going down'));
    for (const port of this.inTurn) port.cancelAll();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** A port now, or in the order of asking as soon as there is one for this client. */
  private reserve(owner: DataOwner): Promise<PassiveOffer> {
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
    const { connectSeconds, firewall, security } = this.options;
    const offer: PassiveOffer = new PassiveOffer(owner, port.number, manners !== 'alone', connectSeconds, (outcome) => {
      port.remove(offer);
      if (port.waitingFrom(owner.address).size === 0) firewall.withdraw(owner.address, port.number);
      security.audit.record({ kind: 'passive-port', change: outcome, port: port.number, ...owner.facts });
      this.serve(owner.address);
    });
    port.add(offer);
    return offer;
  }

  private async listen(wanted: number): Promise<void> {
    let number = wanted;
    for (const host of this.options.hosts) {
      const server = createServer({ pauseOnConnect: false, noDelay: true }, (socket) => seeThrough(socket, this.arrive(port, socket)));
      this.servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) =>
          reject(new Error(`passive.ports: port ${number} can't be opened (${error.code}); choose a range that is free`)),
        );
        server.listen({ host, port: number, exclusive: true, backlog: BACKLOG }, resolve);
      });
      number = (server.address() as { port: number }).port;
    }
    const port = new PassivePort(number);
    this.inTurn.push(port);
  }

  /** From the first byte of a stranger to a channel in its owner's hands, or to a drop. */
  private async arrive(port: PassivePort, socket: Socket): Promise<void> {
    socket.on('error', () => {}); // a client may vanish at any point; `close` follows
    const stranger = strangerOn(socket);
    if (!stranger) {
      socket.destroy();
      return;
    }
    const { address } = stranger.client;
    const waiting = [...port.waitingFrom(address)];
    if (waiting.length === 0) return this.refuse(port, socket, stranger, 'stranger');
    port.holdUnnamed(address, socket, waiting.length + SPARE_UNNAMED);
    // As long as it has not said whose it is, it may be anybody's who waits.
    const claims = new Map(waiting.map((offer) => [offer, offer.claim()]));
    const disown = (but?: PassiveOffer) => {
      for (const [offer, claim] of claims) if (offer !== but) offer.disown(claim);
    };
    const read = await readClientHello(socket, 2 * this.options.connectSeconds);
    port.named(address, socket);
    if (read === 'closed') {
      for (const offer of waiting) offer.lose();
      return;
    }
    if (read === 'malformed') disown();
    if (read === 'timeout') return this.refuse(port, socket, stranger, 'stranger', 'no ClientHello came');
    if (read === 'malformed') return this.refuse(port, socket, stranger, 'stranger', 'what came is no ClientHello');
    const { hello } = read;
    const named = namedSession(hello, this.options.security.sessions);
    if (named) {
      disown(waiting.find(({ owner }) => owner === named.owner));
      const offer = [...port.waitingFrom(address)].find(({ owner }) => owner === named.owner);
      if (offer) return this.secure(port, socket, offer, claims.get(offer) ?? offer.claim(), read, named);
      const sibling = named.owner.address === address ? await this.siblingOf(named.owner, port) : undefined;
      if (sibling && sibling.owner.dataTlsReuse !== 'required') return this.secure(port, socket, sibling, sibling.claim(), read, named);
      sibling?.refusedSomebody();
      return this.refuse(port, socket, stranger, 'other-session');
    }
    // It names nobody. Who began to wait after it came is not meant; of several who waited then, any could be.
    const [only] = waiting;
    const sent = softwareOf(hello);
    if (only && waiting.length === 1 && isAlone(port, only) && [undefined, sent].includes(only.owner.software))
      return this.secure(port, socket, only, claims.get(only)!, read);
    disown();
    for (const offer of waiting) {
      this.alone.add(offer.owner);
      offer.refusedSomebody();
    }
    return this.refuse(port, socket, stranger, 'session-not-resumed');
  }

  /**
   * The only offer on the port, where it is for the same account and address as this session, which itself does not wait. Programs that keep
   * one cache of TLS sessions for all their connections (Go, Java) resume whichever session is newest. It may be just logging in.
   */
  private async siblingOf(owner: DataOwner, port: PassivePort): Promise<PassiveOffer | undefined> {
    const waiting = [...port.waitingFrom(owner.address)];
    const [only] = waiting;
    if (!only || waiting.length > 1) return undefined;
    for (let waited = 0; owner.facts.user === undefined && waited < LOGIN_MS && only.isOpen; waited += LOOK_MS)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (!isAlone(port, only) || owner.facts.user === undefined || owner.facts.user !== only.owner.facts.user) return undefined;
    return only;
  }

  private async secure(port: PassivePort, socket: Socket, offer: PassiveOffer, claim: Claim, read: HelloRead, resume?: NamedSession<DataOwner>): Promise<void> {
    const { owner } = offer;
    const { security } = this.options;
    const channel = await secureData(socket, owner, security, { direction: offer.direction, ...read, resume });
    if (!channel) return offer.lose();
    if (channel.binding !== 'resumed' && !(isAlone(port, offer) && (channel.binding !== 'address' || (await this.mayGoUnproven(offer, claim))))) {
      offer.refusedSomebody();
      channel.socket.destroy();
      this.strangers.note(owner.address);
      this.audit(port, 'session-not-resumed', owner.facts);
      return;
    }
    if (!offer.take(channel, claim)) {
      channel.socket.destroy();
      this.audit(port, 'stranger', owner.facts, 'the session has its connection already');
      return;
    }
    auditDataTls(security.audit, owner, channel);
  }

  /** Whether a connection that proved nothing is taken for the offer's, by the owner's policy and by what is known of its client. */
  private async mayGoUnproven(offer: PassiveOffer, claim: Claim): Promise<boolean> {
    const { owner } = offer;
    if (owner.dataTlsReuse === 'off') return offer.isOpen;
    if (owner.dataTlsReuse === 'required' || owner.resumption === 'expected') return false;
    return offer.holdBack(claim, !this.strangers.seenAt(owner.address));
  }

  private refuse(port: PassivePort, socket: Socket, stranger: SessionFacts, reason: Refusal, detail?: string): void {
    socket.destroy();
    this.strangers.note(stranger.client.address);
    const [victim] = port.waitingFrom(stranger.client.address);
    this.audit(port, reason, victim?.owner.facts ?? stranger, detail);
  }

  private audit(port: PassivePort, reason: Refusal, facts: SessionFacts, detail?: string): void {
    this.options.security.audit.record({ kind: 'refused', channel: 'data', reason, detail: detail ?? `port ${port.number}`, ...facts });
  }
}

/** Who has connected, while no session is known; undefined where the connection is gone already. */
function strangerOn({ remoteAddress, remotePort, localAddress, localPort }: Socket): SessionFacts | undefined {
  if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined || localPort === undefined) return undefined;
  return {
    session: '',
    protocol: 'ftps',
    listener: 'passive',
    client: { address: plainAddress(remoteAddress), port: remotePort },
    server: { address: plainAddress(localAddress), port: localPort },
  };
}

function isAlone(port: PassivePort, offer: PassiveOffer): boolean {
  const waiting = port.waitingFrom(offer.owner.address);
  return waiting.size === 1 && waiting.has(offer);
}

/** Whether this owner's data connection is sure to say whose it is, so that others of its address can wait beside it. */
function namesItsSession({ resumption, dataTlsReuse, clientCertificate }: DataOwner): boolean {
  return resumption === 'expected' || (dataTlsReuse === 'required' && clientCertificate === undefined);
}
