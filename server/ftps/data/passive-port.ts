/** One open port of the passive range, who waits on it, and which port suits the next to wait. */
import type { Socket } from 'node:net';
import type { PassiveOffer } from './passive-offer';

export class PassivePort {
  private readonly offers = new Map<string, Set<PassiveOffer>>();
  private readonly unnamed = new Map<string, Set<Socket>>();

  constructor(readonly number: number) {}

  get isWaitedOn(): boolean {
    return this.offers.size > 0;
  }

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

/**
 * How a session waits. `alone`: its client may come without naming a session, and can then be told apart only by its address.
 * `shares`: its client names its session, so that others of that kind can wait beside it. `crowds`: the same, and it has
 * waited for long enough to sit down beside one who wanted to be alone, and has probably left.
 */
export type PortManners = 'alone' | 'shares' | 'crowds';

/** The port for one more who waits from that address, or undefined where there is none now. */
export function choosePort(ports: readonly PassivePort[], address: string, manners: PortManners): PassivePort | undefined {
  let free: PassivePort | undefined;
  let freeCount = 0;
  let shared: PassivePort | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const port of ports) {
    const waiting = port.waitingFrom(address);
    if (waiting.size === 0) {
      free ??= port;
      freeCount += 1;
    } else if (manners !== 'alone' && waiting.size < fewest && (manners === 'crowds' || [...waiting].every((offer) => offer.shares))) {
      shared = port;
      fewest = waiting.size;
    }
  }
  // While half of the ports are taken, the free ones are left to those who need them.
  return manners === 'alone' || freeCount > ports.length / 2 ? free : (shared ?? free);
}
