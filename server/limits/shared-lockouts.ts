/** Limits whose lock-outs all instances share. Each instance counts for itself as well, so that one without the table is as safe as one alone. */
import type { Audit, Refusal } from '../audit/event';
import type { ServerConfig } from '../config';
import { AskedTable } from './asked-table';
import { clientKey } from './client-key';
import type { ConnectionEnd, Limits, Lockout, Standing } from './limits';
import type { LocalLimits } from './local-limits';
import { LockoutTable } from './lockout-table';

/** The limits of this instance, with shared lock-outs where a table is named. */
export function shareLockouts(local: LocalLimits, { lockout }: ServerConfig['limits'], audit: Audit): Limits {
  return lockout.table === undefined ? local : new SharedLockouts(local, new LockoutTable(lockout.table, lockout), lockout, audit);
}

type Table = Pick<LockoutTable, 'isLocked' | 'fail' | 'succeed' | 'forgive'>;

export class SharedLockouts implements Limits {
  private readonly asked: AskedTable;

  constructor(
    private readonly local: LocalLimits,
    private readonly table: Table,
    private readonly most: { readonly failuresPerAddress: number; readonly failuresPerAccount: number },
    audit: Audit,
    now: () => number = Date.now,
  ) {
    this.asked = new AskedTable('lockouts', 'lock-outs are not shared', audit, now);
  }

  /** Asks this instance alone: connections come too often for a table. The login that follows asks the table. */
  admitConnection(address: string): Promise<Refusal | undefined> {
    return this.local.admitConnection(address);
  }

  releaseConnection(address: string, end: ConnectionEnd): void {
    this.local.releaseConnection(address, end);
  }

  async beginLogin(address: string, login: string): Promise<Standing> {
    const standing = await this.local.beginLogin(address, login);
    if (standing === 'locked-out') return standing;
    const keys = this.local.hasLoggedIn(address, login) ? [addressKey(address)] : [addressKey(address), accountKey(login)];
    const locked = await this.asked.ask(() => Promise.all(keys.map((key) => this.table.isLocked(key))));
    if (!locked?.includes(true)) return standing;
    this.local.loginUndecided(address, login);
    return 'locked-out';
  }

  async loginFailed(address: string, login: string): Promise<readonly Lockout[]> {
    const { lockouts, against } = this.local.countFailure(address, login);
    const keys = { address: [addressKey(address), this.most.failuresPerAddress], account: [accountKey(login), this.most.failuresPerAccount] } as const;
    const shared = await this.asked.ask(() => Promise.all(against.map((scope) => this.table.fail(...keys[scope]))));
    const all = [...lockouts, ...against.map((scope, index) => ({ scope, seconds: shared?.[index] ?? 0 }))];
    return (['address', 'account'] as const)
      .map((scope) => ({ scope, seconds: Math.max(0, ...all.filter((one) => one.scope === scope).map(({ seconds }) => seconds)) }))
      .filter(({ seconds }) => seconds > 0);
  }

  async loginSucceeded(address: string, login: string, first: boolean): Promise<boolean> {
    const [failed, wasKnown] = [this.local.failed(address, login), this.local.hasLoggedIn(address, login)];
    // Another instance may have counted the last failure meanwhile.
    const succeeded = await this.asked.ask(() => this.table.succeed(accountKey(login), failed.account));
    if (succeeded === false && !wasKnown) {
      this.local.loginUndecided(address, login);
      return false;
    }
    if (failed.address > 0) await this.asked.ask(() => this.table.forgive(addressKey(address), failed.address));
    return this.local.loginSucceeded(address, login, first);
  }

  loginUndecided(address: string, login: string): void {
    this.local.loginUndecided(address, login);
  }

  admitAccount(user: string, maxSessions?: number): Promise<boolean> {
    return this.local.admitAccount(user, maxSessions);
  }

  releaseAccount(user: string): void {
    this.local.releaseAccount(user);
  }
}

const addressKey = (address: string) => `address ${clientKey(address)}`;
const accountKey = (login: string) => `account ${login.slice(0, 256)}`;
