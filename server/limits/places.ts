/** Places for connections: how many there may be at once and in a minute, and how many of them may be strangers. */
import type { Refusal } from '../audit/event';
import type { ServerConfig } from '../config';
import type { ConnectionEnd } from './limits';
import { remember } from './remember';

const MINUTE_MS = 60_000;
/** When half of all places are held by connections that have not logged in, an address may have only so many of them. */
const STRANGERS_UNDER_PRESSURE = 8;

type Settings = Pick<ServerConfig['limits'], 'sessions' | 'sessionsPerAddress' | 'strangersPerAddress' | 'connectionsPerMinutePerAddress'>;

interface Client {
  open: number;
  /** Of the open ones, those that have not logged in. */
  strangers: number;
}

export class Places {
  private open = 0;
  private strangers = 0;
  private readonly clients = new Map<string, Client>();
  private readonly arrivals: PerMinute;
  private readonly fruitless: PerMinute;

  constructor(
    private readonly settings: Settings,
    now: () => number,
  ) {
    this.arrivals = new PerMinute(now);
    this.fruitless = new PerMinute(now);
  }

  /** Counts a connection, whether it gets a place or not. */
  arrives(client: string): Refusal | undefined {
    this.arrivals.add(client);
    return this.arrivals.count(client) > this.settings.connectionsPerMinutePerAddress ? 'too-many-connections' : undefined;
  }

  /** Takes a place, as a stranger. */
  take(client: string): Refusal | undefined {
    const { sessions, sessionsPerAddress, strangersPerAddress } = this.settings;
    const held = this.clients.get(client) ?? { open: 0, strangers: 0 };
    if (this.open >= sessions) return 'too-many-sessions';
    if (held.open >= sessionsPerAddress) return 'too-many-sessions-for-address';
    const most = this.strangers >= sessions / 2 ? Math.min(STRANGERS_UNDER_PRESSURE, strangersPerAddress) : strangersPerAddress;
    if (held.strangers + this.fruitless.count(client) >= most) return 'too-many-connections';
    held.open += 1;
    held.strangers += 1;
    this.open += 1;
    this.strangers += 1;
    this.clients.set(client, held);
    return undefined;
  }

  loggedIn(client: string): void {
    this.strangers -= 1;
    const held = this.clients.get(client);
    if (held) held.strangers -= 1;
  }

  release(client: string, end: ConnectionEnd): void {
    if (end !== 'served') this.loggedIn(client);
    if (end === 'fruitless') this.fruitless.add(client);
    this.open -= 1;
    const held = this.clients.get(client);
    if (!held) return;
    held.open -= 1;
    if (held.open === 0) this.clients.delete(client);
  }
}

interface Counted {
  readonly minute: number;
  readonly count: number;
  /** Of the minute before. */
  readonly before: number;
}

/** Counts of the last sixty seconds: those of the minute that is, and of the one before the share that still lies within them, as if it had come evenly. */
class PerMinute {
  private readonly counts = new Map<string, Counted>();

  constructor(private readonly now: () => number) {}

  count(key: string): number {
    const { count, before } = this.current(key);
    const left = 1 - (this.now() % MINUTE_MS) / MINUTE_MS;
    return count + Math.ceil(before * left);
  }

  add(key: string): void {
    const { minute, count, before } = this.current(key);
    remember(this.counts, key, { minute, count: count + 1, before });
  }

  private current(key: string): Counted {
    const minute = Math.floor(this.now() / MINUTE_MS);
    const known = this.counts.get(key);
    if (known?.minute === minute) return known;
    return { minute, count: 0, before: known?.minute === minute - 1 ? known.count : 0 };
  }
}
