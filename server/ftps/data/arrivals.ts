/**
 * A connection that arrives on a passive port, matched to its session by client address and by the TLS session named in its ClientHello; whoever can't be
 * matched is dropped, and nobody's transfer notices.
 */
import type { Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../../audit/event';
import { plainAddress } from '../../config';
import { type HelloRead, readClientHello } from '../../tls/read-hello';
import { softwareOf } from '../../tls/software';
import { type NamedSession, namedSession } from '../tls/named-session';
import type { DataOwner } from './channel';
import type { Claim, PassiveOffer } from './passive-offer';
import type { PassivePort } from './passive-port';
import { auditDataTls, type DataSecurity, secureData } from './secure';
import { Strangers } from './strangers';

/** Connections of one address on one port that have not said yet whose they are, beyond one per waiting session. */
const SPARE_UNNAMED = 4;

/** How long a session that has not logged in yet is given to turn out as one of the same account, and how often that is looked at. */
const LOGIN_MS = 5_000;
const LOOK_MS = 25;

export interface ArrivalOptions {
  readonly connectSeconds: number;
  readonly security: DataSecurity;
  /** Told of a session whose client was turned away on a shared port. */
  readonly turnedAway: (owner: DataOwner) => void;
}

export class Arrivals {
  private readonly strangers = new Strangers();

  constructor(private readonly options: ArrivalOptions) {}

  /** From the first byte of a stranger to a channel in its owner's hands, or to a drop. */
  async arrive(port: PassivePort, socket: Socket): Promise<void> {
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
      this.options.turnedAway(offer.owner);
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
