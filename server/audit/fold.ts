/**
 * Keeps strangers from filling the audit. What an address without an account brings about is told line by line as long as it is little; what comes
 * beyond that is counted, and told once a minute as one line for each address and cause, with how often it was (OCSF `count`, `start_time`, `end_time`).
 * What an account does is always told line by line, but for asking for what nobody is given; also how its session began: that is held back until it is known whose it is. So is each password
 * that was looked at, up to the lines of all.
 */
import type { Audit, ServerEvent, SessionFacts } from './event';
import type { AuditSink } from './sink';

/** Lines that an address has at once, and that it gets back in a minute. */
const LINES_OF_ADDRESS = { most: 60, perMinute: 30 };
/** The same for all addresses together. */
const LINES_OF_ALL = { most: 3_000, perMinute: 600 };
/** So often what was counted is told. Milliseconds. */
const TOLD_EVERY_MS = 60_000;
/** Addresses and causes that are told apart in that time; what comes beyond them is told as one line for each cause. */
const MOST_CELLS = 1_000;
/** Addresses whose lines are remembered. Who pushes others out has the lines of all to share. */
const MOST_ADDRESSES = 10_000;

type SessionEvent = Extract<ServerEvent, SessionFacts>;

interface Cell {
  /** The first of them, told in full. */
  readonly event: SessionEvent;
  readonly first: number;
  last: number;
  count: number;
  /** Set where several addresses share the cell. */
  readonly addresses?: Set<string>;
}

interface Held {
  readonly event: SessionEvent;
  readonly time: number;
}

/** `keyOf`: what counts as one address. */
export function foldRepeats(sink: Pick<AuditSink, keyof Audit>, keyOf: (address: string) => string, now: () => number = Date.now): Audit {
  const ofAll = new Lines(LINES_OF_ALL, now);
  const ofAddress = new Map<string, Lines>();
  /** Sessions that have not logged in and whose beginning is not told yet. */
  const held = new Map<string, Held[]>();
  /** Sessions whose beginning was told: their end will be. */
  const told = new Set<string>();
  let cells = new Map<string, Cell>();

  const tell = () => {
    const due = cells;
    cells = new Map();
    for (const { event, count, first, last, addresses } of due.values())
      sink.record(event, {
        time: last,
        repeats: count > 1 ? { count, first, last, addresses: addresses && addresses.size > 1 ? addresses.size : undefined } : undefined,
      });
  };
  const timer = setInterval(tell, TOLD_EVERY_MS).unref();

  const linesOf = (address: string): Lines => {
    const lines = ofAddress.get(address) ?? new Lines(LINES_OF_ADDRESS, now);
    ofAddress.delete(address);
    ofAddress.set(address, lines);
    if (ofAddress.size > MOST_ADDRESSES) for (const oldest of ofAddress.keys()) if (ofAddress.delete(oldest)) break;
    return lines;
  };

  const mayTell = (address: string, lines: number): boolean =>
    linesOf(address).has(lines) && ofAll.has(lines) && linesOf(address).take(lines) && ofAll.take(lines);

  const count = (event: SessionEvent, address: string) => {
    const time = now();
    const own = `${address} ${event.user ?? ''} ${causeOf(event)}`;
    const key = cells.has(own) || cells.size < MOST_CELLS ? own : causeOf(event);
    const cell = cells.get(key);
    if (cell) {
      cell.count += 1;
      cell.last = time;
      if (cell.addresses && cell.addresses.size < MOST_ADDRESSES) cell.addresses.add(address);
    } else cells.set(key, { event, first: time, last: time, count: 1, addresses: key === own ? undefined : new Set([address]) });
  };

  /** The session is an account's: everything about it is told. */
  const loggedIn = (session: string, address: string) => {
    for (const { event, time } of held.get(session) ?? []) sink.record(event, { time });
    if (!held.delete(session)) {
      linesOf(address).give(2);
      ofAll.give(2);
    }
    told.add(session);
  };

  /** Whether it is told now. What is not is kept for later, or counted. */
  const isToldNow = (event: SessionEvent): boolean => {
    const { kind, session } = event;
    const user = event.isUnproven ? undefined : event.user;
    // What nobody is given is worth a line, and not one each time that a client asks.
    const isNeverGiven = kind === 'refused' && event.reason === 'not-offered';
    if (user !== undefined && kind !== 'login' && kind !== 'connection-closed' && !isNeverGiven) return true;
    const address = keyOf(event.client.address);
    if (kind === 'login' && event.outcome === 'success') loggedIn(session, address);
    if (kind === 'connection-closed' && told.delete(session)) return true;
    if ((user !== undefined && !isNeverGiven) || kind === 'lockout' || (kind === 'login' && event.outcome === 'success')) return true;
    // An auditor wants each password that was looked at; lock-outs bound how many an address can have looked at.
    if (kind === 'login' && event.reason !== 'locked-out' && ofAll.has(1) && ofAll.take(1)) return true;
    if (kind === 'connection-closed') held.delete(session);
    // Two lines for a beginning: its end is told as well.
    const tells = kind === 'tls-established' && held.has(session) ? false : mayTell(address, kind === 'connection-opened' ? 2 : 1);
    if (tells && kind === 'connection-opened') told.add(session);
    if (tells) return true;
    if (kind === 'connection-opened' || kind === 'tls-established') held.set(session, [...(held.get(session) ?? []), { event, time: now() }]);
    else count(event, address);
    return false;
  };

  return {
    get failed() {
      return sink.failed;
    },
    record(event) {
      if (!('client' in event) || isToldNow(event)) sink.record(event);
    },
    flush() {
      tell();
      return sink.flush();
    },
    close() {
      clearInterval(timer);
      tell();
      return sink.close();
    },
  };
}

/** What makes two events the same: nothing in it is the client's to choose. */
function causeOf(event: SessionEvent): string {
  switch (event.kind) {
    case 'refused':
    case 'handshake-failed':
      return `${event.kind} ${event.channel} ${event.reason}`;
    case 'login':
      return `${event.kind} ${event.outcome} ${event.reason ?? ''}`;
    case 'command':
      return `${event.kind} ${event.code}`;
    case 'request':
      return `${event.kind} ${event.status} ${event.reason}`;
    case 'connection-closed':
      return `${event.kind} ${event.reason}`;
    default:
      return event.kind;
  }
}

/** Lines that somebody may cause: some at once, and more as time goes by. */
class Lines {
  private left: number;
  private since: number;

  constructor(
    private readonly rate: { readonly most: number; readonly perMinute: number },
    private readonly now: () => number,
  ) {
    this.left = rate.most;
    this.since = now();
  }

  has(lines: number): boolean {
    const time = this.now();
    this.left = Math.min(this.rate.most, this.left + ((time - this.since) * this.rate.perMinute) / 60_000);
    this.since = time;
    return this.left >= lines;
  }

  take(lines: number): boolean {
    this.left -= lines;
    return true;
  }

  give(lines: number): void {
    this.left = Math.min(this.rate.most, this.left + lines);
  }
}
