/** Limits whose lock-outs all instances share. Each instance counts for itself as well, so that one without the table is as safe as one alone. */
import type { Audit, Refusal } from '../audit/event';
import type { ServerConfig } from '../config';
import { clientKey } from './client-key';
import type { Limits, Lockout } from './limits';
import { LockoutTable } from './lockout-table';

/** A table that failed is left alone that long, so that logins don't wait for it. */
const RETRY_MS = 5_000;

/** The limits of this instance, with shared lock-outs where a table is named. */
export function shareLockouts(local: Limits, { lockout }: ServerConfig['limits'], audit: Audit): Limits {
  return lockout.table === undefined ? local : new SharedLockouts(local, new LockoutTable(lockout.table, lockout), lockout, audit);
}

type Table = Pick<LockoutTable, 'isLocked' | 'fail' | 'forget'>;

export class SharedLockouts implements Limits {
  private leftAloneUntil = 0;
  private down = false;

  constructor(
    private readonly local: Limits,
    private readonly table: Table,
    private readonly most: { readonly failuresPerAddress: number; readonly failuresPerAccount: number },
    private readonly audit: Audit,
    private readonly now: () => number = Date.now,
  ) {}

  /** Asks this instance alone: connections come too often for a table. The login that follows asks the table. */
  admitConnection(address: string): Promise<Refusal | undefined> {
    return this.local.admitConnection(address);
  }

  releaseConnection(address: string): void {
    this.local.releaseConnection(address);
  }

  async isLockedOut(address: string, login: string): Promise<boolean> {
    if (await this.local.isLockedOut(address, login)) return true;
    const locked = await this.ask(() => Promise.all([this.table.isLocked(addressKey(address)), this.table.isLocked(accountKey(login))]));
    return locked?.includes(true) ?? false;
  }

  async loginFailed(address: string, login: string): Promise<readonly Lockout[]> {
    const local = await this.local.loginFailed(address, login);
    const { failuresPerAddress, failuresPerAccount } = this.most;
    const shared = await this.ask(() =>
      Promise.all([this.table.fail(addressKey(address), failuresPerAddress), this.table.fail(accountKey(login), failuresPerAccount)]),
    );
    const longest = (scope: Lockout['scope'], seconds = 0) => Math.max(seconds, ...local.filter((one) => one.scope === scope).map((one) => one.seconds));
    return [
      { scope: 'address' as const, seconds: longest('address', shared?.[0]) },
      { scope: 'account' as const, seconds: longest('account', shared?.[1]) },
    ].filter(({ seconds }) => seconds > 0);
  }

  async loginSucceeded(address: string, login: string): Promise<void> {
    await this.local.loginSucceeded(address, login);
    await this.ask(() => this.table.forget(accountKey(login)));
  }

  admitAccount(user: string, maxSessions?: number): Promise<boolean> {
    return this.local.admitAccount(user, maxSessions);
  }

  releaseAccount(user: string): void {
    this.local.releaseAccount(user);
  }

  /** Asks the table; undefined while it can't be asked. */
  private async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (this.leftAloneUntil > this.now()) return undefined;
    try {
      const answer = await question();
      this.tell(false);
      return answer;
    } catch (error) {
      this.leftAloneUntil = this.now() + RETRY_MS;
      this.tell(true, `lock-outs are not shared: ${(error as Error).name} ${(error as Error).message}`);
      return undefined;
    }
  }

  private tell(down: boolean, detail?: string): void {
    if (this.down !== down) this.audit.record({ kind: 'health', part: 'lockouts', state: down ? 'down' : 'up', detail });
    this.down = down;
  }
}

const addressKey = (address: string) => `address ${clientKey(address)}`;
const accountKey = (login: string) => `account ${login.slice(0, 256)}`;
