/** The limits of all workers as one of them uses them: what it holds is given back when it dies. */
import type { ConnectionEnd, Limits } from '../limits/limits';

export class HeldLimits implements Limits {
  private readonly strangers = new Map<string, number>();
  private readonly served = new Map<string, number>();
  private readonly accounts = new Map<string, number>();
  /** Logins that are being decided, by address and login. */
  private readonly attempts = new Map<string, number>();
  private isOver = false;

  constructor(private readonly shared: Limits) {}

  async admitConnection(address: string) {
    const refusal = await this.shared.admitConnection(address);
    if (!refusal) add(this.strangers, address, 1);
    return refusal;
  }

  releaseConnection(address: string, end: ConnectionEnd): void {
    add(end === 'served' ? this.served : this.strangers, address, -1);
    this.shared.releaseConnection(address, end);
  }

  async beginLogin(address: string, login: string) {
    const standing = await this.shared.beginLogin(address, login);
    if (standing === 'locked-out') return standing;
    if (this.isOver) this.shared.loginUndecided(address, login);
    else add(this.attempts, JSON.stringify([address, login]), 1);
    return standing;
  }

  loginFailed(address: string, login: string) {
    this.decided(address, login);
    return this.shared.loginFailed(address, login);
  }

  async loginSucceeded(address: string, login: string, first: boolean) {
    this.decided(address, login);
    const succeeded = await this.shared.loginSucceeded(address, login, first);
    if (succeeded && first) {
      add(this.strangers, address, -1);
      add(this.served, address, 1);
    }
    return succeeded;
  }

  loginUndecided(address: string, login: string): void {
    this.decided(address, login);
    this.shared.loginUndecided(address, login);
  }

  async admitAccount(user: string, maxSessions?: number) {
    const admitted = await this.shared.admitAccount(user, maxSessions);
    if (admitted) add(this.accounts, user, 1);
    return admitted;
  }

  releaseAccount(user: string): void {
    add(this.accounts, user, -1);
    this.shared.releaseAccount(user);
  }

  /** Gives back everything that is still held. */
  releaseAll(): void {
    this.isOver = true;
    drain(this.strangers, (address) => this.shared.releaseConnection(address, 'lost'));
    drain(this.served, (address) => this.shared.releaseConnection(address, 'served'));
    drain(this.accounts, (user) => this.shared.releaseAccount(user));
    drain(this.attempts, (attempt) => this.shared.loginUndecided(...(JSON.parse(attempt) as [string, string])));
  }

  private decided(address: string, login: string): void {
    add(this.attempts, JSON.stringify([address, login]), -1);
  }
}

function drain(counts: Map<string, number>, give: (key: string) => void): void {
  for (const [key, count] of counts) for (let left = count; left > 0; left -= 1) give(key);
  counts.clear();
}

function add(counts: Map<string, number>, key: string, step: number): void {
  const count = (counts.get(key) ?? 0) + step;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
