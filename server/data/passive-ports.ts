/**
 * The passive range: listeners opened once and shared by all sessions. An arriving connection is matched to its session by
 * client address and by the TLS session named in its ClientHello; whoever can't be matched is dropped, and nobody's transfer
 * notices. A session has at most one connection pending, so a few ports carry any number of sessions.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Refusal } from '../audit/event';
import { parsePortRange, plainAddress, portsOf } from '../config';
import type { Firewall } from '../firewall/firewall';
import type { DataOwner } from './channel';
import { PassiveOffer } from './passive-offer';
import { peekClientHello } from './peek';
import { auditDataTls, type DataSecurity, secureData } from './secure';

export interface PassiveOptions {
  /** Addresses to listen on; the control listeners' hosts. */
  readonly hosts: readonly string[];
  readonly ports: string;
  readonly connectSeconds: number;
  readonly security: DataSecurity;
  readonly firewall: Firewall;
}

/** Connections of one address on one port that have not said yet whose they are, beyond one per waiting session. */
const SPARE_UNNAMED = 4;

/** How long a first connection that resumes nothing is held back, in case the session's real client is about to arrive. */
const HOLD_MS = 500;

export class PassivePorts {
  private readonly servers: Server[] = [];
  private readonly listening: Port[] = [];
  private turn = 0;

  private constructor(private readonly options: PassiveOptions) {}

  /** Opens every port of the range on every host. Throws where one is taken. */
  static async open(options: PassiveOptions): Promise<PassivePorts> {
    const pool = new PassivePorts(options);
    try {
      for (const wanted of portsOf(parsePortRange(options.ports))) await pool.listen(wanted);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** The ports that are open, in order. */
  get ports(): readonly number[] {
    return this.listening.map(({ number }) => number);
  }

  /** Reserves a port for the owner's next data connection. Undefined where the range is exhausted for this client. */
  async offer(owner: DataOwner): Promise<PassiveOffer | undefined> {
    const port = this.choose(owner);
    if (!port) return undefined;
    const { connectSeconds, firewall } = this.options;
    const offer: PassiveOffer = new PassiveOffer(owner, port.number, connectSeconds, (outcome) => {
      port.remove(offer);
      void firewall.withdraw(owner.address, port.number);
      this.options.security.audit.record({ kind: 'passive-port', change: outcome, port: port.number, ...owner.facts });
    });
    port.add(offer);
    await firewall.admit(owner.address, port.number, connectSeconds);
    this.options.security.audit.record({ kind: 'passive-port', change: 'opened', port: port.number, ...owner.facts });
    return offer;
  }

  async close(): Promise<void> {
    for (const port of this.listening) port.cancelAll();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /**
   * Prefers a port on which nobody of that address waits. A client that may not resume its session can be told apart only by
   * its address, so it never shares a port with another such client of its address.
   */
  private choose(owner: DataOwner): Port | undefined {
    let best: Port | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (let step = 0; step < this.listening.length; step += 1) {
      const port = this.listening[(this.turn + step) % this.listening.length]!;
      const waiting = port.waitingFrom(owner.address);
      if (waiting.size === 0) {
        this.turn = (this.turn + step + 1) % this.listening.length;
        return port;
      }
      if (mustBeAlone(owner) && [...waiting].some((other) => mustBeAlone(other.owner))) continue;
      if (waiting.size < fewest) {
        fewest = waiting.size;
        best = port;
      }
    }
    return best;
  }

  private async listen(wanted: number): Promise<void> {
    let number = wanted;
    for (const host of this.options.hosts) {
      const server = createServer({ pauseOnConnect: false, noDelay: true }, (socket) => void this.arrive(port, socket));
      this.servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) =>
          reject(new Error(`passive.ports: port ${number} can't be opened (${error.code}); choose a range that is free`)),
        );
        server.listen({ host, port: number, exclusive: true }, resolve);
      });
      number = (server.address() as { port: number }).port;
    }
    const port = new Port(number);
    this.listening.push(port);
  }

  /** From the first byte of a stranger to a channel in its owner's hands, or to a drop. */
  private async arrive(port: Port, socket: Socket): Promise<void> {
    socket.on('error', () => {}); // a client may vanish at any point; `close` follows
    const address = plainAddress(socket.remoteAddress ?? '');
    const waiting = port.waitingFrom(address);
    if (waiting.size === 0) return this.refuse(port, socket, address, 'stranger');
    port.holdUnnamed(address, socket, waiting.size + SPARE_UNNAMED);
    const hello = await peekClientHello(socket, AbortSignal.timeout(this.options.connectSeconds * 1000));
    port.named(address, socket);
    if (hello === 'closed') return;
    if (hello === 'timeout') return this.refuse(port, socket, address, 'stranger', 'no ClientHello came');
    if (hello === 'malformed') return this.refuse(port, socket, address, 'stranger', 'what came is no ClientHello');
    const { sessions } = this.options.security;
    const id = hello.identities[0] ?? hello.sessionId;
    const named = sessions.find(id);
    if (named) {
      const offer = [...port.waitingFrom(address)].find((one) => one.owner === named.owner);
      if (!offer) return this.refuse(port, socket, address, 'other-session');
      return this.secure(port, socket, offer, { id: Buffer.from(id), data: named.data });
    }
    const unproven = [...port.waitingFrom(address)].filter((one) => mustBeAlone(one.owner));
    if (unproven.length !== 1) {
      for (const offer of port.waitingFrom(address)) offer.refusedSomebody();
      return this.refuse(port, socket, address, 'session-not-resumed');
    }
    return this.secure(port, socket, unproven[0]!);
  }

  private async secure(port: Port, socket: Socket, offer: PassiveOffer, resume?: { id: Buffer; data: Buffer }): Promise<void> {
    const { owner } = offer;
    const { security } = this.options;
    const channel = await secureData(socket, owner, security, { direction: offer.direction, resume });
    if (!channel) return;
    if (channel.binding === 'address' && !(await this.mayGoUnproven(offer))) {
      offer.refusedSomebody();
      channel.socket.destroy();
      this.audit(port, owner.address, 'session-not-resumed', offer);
      return;
    }
    if (!offer.take(channel)) {
      channel.socket.destroy();
      this.audit(port, owner.address, 'stranger', offer, 'the session has its connection already');
      return;
    }
    auditDataTls(security.audit, owner, channel);
  }

  /** Whether a connection that proved nothing is taken for the offer's, by the owner's policy and by what is known of its client. */
  private async mayGoUnproven(offer: PassiveOffer): Promise<boolean> {
    const { owner } = offer;
    if (owner.dataTlsReuse === 'off') return true;
    if (owner.dataTlsReuse === 'required' || owner.resumption === 'expected') return false;
    if (owner.resumption === 'unknown') {
      if (offer.isHolding) return false; // two who prove nothing: neither is believed more than the other
      await offer.hold(HOLD_MS);
    }
    return offer.isOpen;
  }

  private refuse(port: Port, socket: Socket, address: string, reason: Refusal, detail?: string): void {
    socket.destroy();
    const [victim] = port.waitingFrom(address);
    this.audit(port, address, reason, victim, detail, socket.remotePort);
  }

  private audit(port: Port, address: string, reason: Refusal, offer?: PassiveOffer, detail?: string, remotePort = 0): void {
    const facts = offer?.owner.facts ?? {
      session: '',
      listener: 'passive' as const,
      client: { address, port: remotePort },
      server: { address: '', port: port.number },
    };
    this.options.security.audit.record({ kind: 'refused', channel: 'data', reason, detail: detail ?? `port ${port.number}`, ...facts });
  }
}

/** Whether this owner's connections may arrive without naming their session. */
function mustBeAlone(owner: DataOwner): boolean {
  return owner.dataTlsReuse !== 'required' || owner.clientCertificate !== undefined;
}

/** One open port and who waits on it, by client address. */
class Port {
  private readonly offers = new Map<string, Set<PassiveOffer>>();
  private readonly unnamed = new Map<string, Set<Socket>>();

  constructor(readonly number: number) {}

  waitingFrom(address: string): ReadonlySet<PassiveOffer> {
    return this.offers.get(address) ?? nobody;
  }

  add(offer: PassiveOffer): void {
    const { address } = offer.owner;
    this.offers.set(address, (this.offers.get(address) ?? new Set()).add(offer));
  }

  remove(offer: PassiveOffer): void {
    const { address } = offer.owner;
    const set = this.offers.get(address);
    set?.delete(offer);
    if (set?.size === 0) this.offers.delete(address);
  }

  /** Keeps connections that have not said whose they are in bounds: the oldest goes when there are too many. */
  holdUnnamed(address: string, socket: Socket, most: number): void {
    const set = this.unnamed.get(address) ?? new Set<Socket>();
    this.unnamed.set(address, set.add(socket));
    for (const oldest of set) {
      if (set.size <= most) break;
      set.delete(oldest);
      oldest.destroy();
    }
  }

  named(address: string, socket: Socket): void {
    const set = this.unnamed.get(address);
    set?.delete(socket);
    if (set?.size === 0) this.unnamed.delete(address);
  }

  cancelAll(): void {
    for (const set of [...this.offers.values()]) for (const offer of [...set]) offer.cancel();
    for (const set of this.unnamed.values()) for (const socket of set) socket.destroy();
  }
}

const nobody: ReadonlySet<PassiveOffer> = new Set();
