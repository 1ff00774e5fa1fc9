/** The limits of one process, or of all workers where the primary keeps them: places, rates and lock-outs in memory. */
import type { Refusal } from '../audit/event';
import type { ServerConfig } from '../config';
import { clientKey } from './client-key';
import { Failures } from './failures';
import type { ConnectionEnd, Limits, Lockout, Standing } from './limits';
import { Places } from './places';
import { remember } from './remember';

/** A good login is remembered that long. */
const KNOWN_MS = 24 * 3_600_000;
/**
 * Of the failures that lock an address out, one account makes up a quarter at most: a neighbour behind the same address whose script has a
 * wrong password locks out that account there, and not the address.
 */
const SHARE_OF_ONE_ACCOUNT = 1 / 4;

/** What a failed login did. */
export interface Counted {
  readonly lockouts: readonly Lockout[];
  /** What it was counted against, beside the account at this address. */
  readonly against: readonly Lockout['scope'][];
}

export class LocalLimits implements Limits {
  private readonly places: Places;
  private readonly perAccount = new Map<string, number>();
  private readonly addresses: Failures;
  private readonly accounts: Failures;
  /** Of an account at an address. */
  private readonly pairs: Failures;
  /** When an account, and when anybody, last logged in from an address. */
  private readonly loggedIn = new Map<string, number>();

  constructor(
    private readonly config: ServerConfig['limits'],
    private readonly now: () => number = Date.now,
  ) {
    const { lockout } = config;
    this.places = new Places(config, now);
    this.addresses = new Failures(lockout.failuresPerAddress, lockout, now);
    this.accounts = new Failures(lockout.failuresPerAccount, lockout, now);
    this.pairs = new Failures(lockout.failuresPerAccount, lockout, now);
  }

  async admitConnection(address: string): Promise<Refusal | undefined> {
    const client = clientKey(address);
    const tooMany = this.places.arrives(client);
    if (tooMany) return tooMany;
    if (this.addresses.isLocked(client)) return 'locked-out';
    return this.places.take(client);
  }

  releaseConnection(address: string, end: ConnectionEnd): void {
    this.places.release(clientKey(address), end);
  }

  beginLogin(address: string, login: string): Promise<Standing> {
    const { client, pair } = keysOf(address, login);
    const counters = this.countersOf(address, login);
    return new Promise((resolve) => {
      const attempt = () => {
        if (this.isLockedOut(address, login)) return resolve('locked-out');
        // An account is not kept from where it has logged in lately by strangers who guess at it elsewhere.
        const full = counters.find(([failures, key]) => !failures.hasRoom(key) && !(failures === this.accounts && this.isKnown(pair)));
        if (full) return full[0].whenRoom(full[1], attempt);
        for (const [failures, key] of counters) failures.begin(key);
        return resolve(this.isKnown(client) ? 'known' : 'stranger');
      };
      attempt();
    });
  }

  async loginFailed(address: string, login: string): Promise<readonly Lockout[]> {
    return this.countFailure(address, login).lockouts;
  }

  /** As `loginFailed`, for those who share lock-outs. During a lock-out nothing counts. */
  countFailure(address: string, login: string): Counted {
    if (this.isLockedOut(address, login)) {
      this.endLogin(address, login);
      return { lockouts: [], against: [] };
    }
    const { client, account, pair } = keysOf(address, login);
    const pairSeconds = this.pairs.fail(pair);
    const counts = this.pairs.total(pair) <= this.mostOfOneAccount;
    const addressSeconds = counts ? this.addresses.fail(client) : 0;
    const accountSeconds = Math.max(pairSeconds, this.accounts.fail(account));
    this.endLogin(address, login);
    const lockouts: Lockout[] = [];
    if (addressSeconds > 0) lockouts.push({ scope: 'address', seconds: addressSeconds });
    if (accountSeconds > 0) lockouts.push({ scope: 'account', seconds: accountSeconds });
    return { lockouts, against: counts ? ['address', 'account'] : ['account'] };
  }

  async loginSucceeded(address: string, login: string, first: boolean): Promise<boolean> {
    if (this.isLockedOut(address, login)) {
      this.endLogin(address, login);
      return false;
    }
    const { client, account, pair } = keysOf(address, login);
    const failed = this.failed(address, login);
    this.addresses.forgive(client, failed.address);
    this.accounts.forgive(account, failed.account);
    this.pairs.forgive(pair, failed.account);
    for (const key of [client, pair]) remember(this.loggedIn, key, this.now());
    if (first) this.places.loggedIn(client);
    this.endLogin(address, login);
    return true;
  }

  /** What this address has failed at this account and was counted against either, as far as it is remembered. */
  failed(address: string, login: string): Readonly<Record<Lockout['scope'], number>> {
    const failures = this.pairs.total(keysOf(address, login).pair);
    return { account: failures, address: Math.min(failures, this.mostOfOneAccount) };
  }

  loginUndecided(address: string, login: string): void {
    this.endLogin(address, login);
  }

  /** Whether this very account has logged in from this address lately. */
  hasLoggedIn(address: string, login: string): boolean {
    return this.isKnown(keysOf(address, login).pair);
  }

  async admitAccount(user: string, maxSessions = this.config.sessionsPerAccount): Promise<boolean> {
    const own = this.perAccount.get(user) ?? 0;
    if (own >= Math.min(maxSessions, this.config.sessionsPerAccount)) return false;
    this.perAccount.set(user, own + 1);
    return true;
  }

  releaseAccount(user: string): void {
    const left = (this.perAccount.get(user) ?? 1) - 1;
    if (left > 0) this.perAccount.set(user, left);
    else this.perAccount.delete(user);
  }

  private get mostOfOneAccount(): number {
    return Math.ceil(this.config.lockout.failuresPerAddress * SHARE_OF_ONE_ACCOUNT);
  }

  private isLockedOut(address: string, login: string): boolean {
    const { client, account, pair } = keysOf(address, login);
    return this.addresses.isLocked(client) || this.pairs.isLocked(pair) || (this.accounts.isLocked(account) && !this.isKnown(pair));
  }

  private isKnown(key: string): boolean {
    return this.now() - (this.loggedIn.get(key) ?? Number.NEGATIVE_INFINITY) < KNOWN_MS;
  }

  private endLogin(address: string, login: string): void {
    for (const [failures, key] of this.countersOf(address, login)) failures.end(key);
  }

  /** What an attempt is counted under. */
  private countersOf(address: string, login: string): readonly (readonly [Failures, string])[] {
    const { client, account, pair } = keysOf(address, login);
    return [
      [this.pairs, pair],
      [this.addresses, client],
      [this.accounts, account],
    ];
  }
}

function keysOf(address: string, login: string): { readonly client: string; readonly account: string; readonly pair: string } {
  const [client, account] = [clientKey(address), login.slice(0, 256)];
  return { client, account, pair: `${client} ${account}` };
}
