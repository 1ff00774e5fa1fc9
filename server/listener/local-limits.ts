/** The limits of one process, or of all workers where the primary keeps them: counts, rates and growing lock-outs in memory. */
import type { Refusal } from '../audit/event';
import type { ServerConfig } from '../config';
import { clientKey } from './client-key';
import type { Limits, Lockout } from './limits';

/** Failures are forgotten after that long without another. */
const FORGET_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Addresses and accounts that are remembered at once; an attacker with a million addresses pushes out the oldest. */
const MOST_REMEMBERED = 100_000;

interface Failures {
  count: number;
  /** How often it was locked out already: each lock-out is twice as long as the one before. */
  lockouts: number;
  lockedUntil: number;
  last: number;
}

export class LocalLimits implements Limits {
  private connections = 0;
  private readonly perAddress = new Map<string, number>();
  private readonly perAccount = new Map<string, number>();
  private readonly rates = new Map<string, { minute: number; count: number }>();
  private readonly failures = new Map<string, Failures>();

  constructor(
    private readonly config: ServerConfig['limits'],
    private readonly now: () => number = Date.now,
  ) {}

  async admitConnection(address: string): Promise<Refusal | undefined> {
    if (this.rateOf(address) > this.config.connectionsPerMinutePerAddress) return 'too-many-connections';
    if (this.isLocked(addressKey(address))) return 'locked-out';
    if (this.connections >= this.config.sessions) return 'too-many-sessions';
    const client = clientKey(address);
    const own = this.perAddress.get(client) ?? 0;
    if (own >= this.config.sessionsPerAddress) return 'too-many-sessions-for-address';
    this.connections += 1;
    this.perAddress.set(client, own + 1);
    return undefined;
  }

  releaseConnection(address: string): void {
    this.connections -= 1;
    decrease(this.perAddress, clientKey(address));
  }

  async isLockedOut(address: string, login: string): Promise<boolean> {
    return this.isLocked(addressKey(address)) || this.isLocked(accountKey(login));
  }

  async loginFailed(address: string, login: string): Promise<readonly Lockout[]> {
    const { failuresPerAddress, failuresPerAccount } = this.config.lockout;
    const lockouts: Lockout[] = [];
    const seconds = { address: this.fail(addressKey(address), failuresPerAddress), account: this.fail(accountKey(login), failuresPerAccount) };
    if (seconds.address > 0) lockouts.push({ scope: 'address', seconds: seconds.address });
    if (seconds.account > 0) lockouts.push({ scope: 'account', seconds: seconds.account });
    return lockouts;
  }

  async loginSucceeded(_address: string, login: string): Promise<void> {
    this.failures.delete(accountKey(login));
  }

  async admitAccount(user: string, maxSessions = this.config.sessionsPerAccount): Promise<boolean> {
    const own = this.perAccount.get(user) ?? 0;
    if (own >= Math.min(maxSessions, this.config.sessionsPerAccount)) return false;
    this.perAccount.set(user, own + 1);
    return true;
  }

  releaseAccount(user: string): void {
    decrease(this.perAccount, user);
  }

  /** Counts the connection and answers how many there were in this minute. */
  private rateOf(address: string): number {
    const minute = Math.floor(this.now() / MINUTE_MS);
    const client = clientKey(address);
    const rate = this.rates.get(client);
    const count = rate?.minute === minute ? rate.count + 1 : 1;
    remember(this.rates, client, { minute, count });
    return count;
  }

  private isLocked(key: string): boolean {
    return (this.failures.get(key)?.lockedUntil ?? 0) > this.now();
  }

  /** Counts a failure and answers the length of the lock-out that it caused, in seconds; 0 where it caused none. */
  private fail(key: string, most: number): number {
    const now = this.now();
    const known = this.failures.get(key);
    const failures: Failures =
      known && now - Math.max(known.last, known.lockedUntil) < FORGET_MS ? known : { count: 0, lockouts: 0, lockedUntil: 0, last: now };
    failures.count += 1;
    failures.last = now;
    remember(this.failures, key, failures);
    if (failures.count < most) return 0;
    const { firstSeconds, longestSeconds } = this.config.lockout;
    const seconds = Math.min(firstSeconds * 2 ** failures.lockouts, longestSeconds);
    failures.count = 0;
    failures.lockouts += 1;
    failures.lockedUntil = now + seconds * 1000;
    return seconds;
  }
}

const addressKey = (address: string) => `address ${clientKey(address)}`;
const accountKey = (login: string) => `account ${login.slice(0, 256)}`;

function decrease(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

/** Puts an entry last, and drops the first where there are too many. */
function remember<T>(entries: Map<string, T>, key: string, value: T): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= MOST_REMEMBERED) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    break;
  }
}
