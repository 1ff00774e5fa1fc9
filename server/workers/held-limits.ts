/** The limits of all workers as one of them uses them: what it holds is given back when it dies. */
import type { Limits } from '../listener/limits';

export class HeldLimits implements Limits {
  private readonly connections = new Map<string, number>();
  private readonly accounts = new Map<string, number>();

  constructor(private readonly shared: Limits) {}

  async admitConnection(address: string) {
    const refusal = await this.shared.admitConnection(address);
    if (!refusal) add(this.connections, address, 1);
    return refusal;
  }

  releaseConnection(address: string): void {
    add(this.connections, address, -1);
    this.shared.releaseConnection(address);
  }

  isLockedOut(address: string, login: string) {
    return this.shared.isLockedOut(address, login);
  }

  loginFailed(address: string, login: string) {
    return this.shared.loginFailed(address, login);
  }

  loginSucceeded(address: string, login: string) {
    return this.shared.loginSucceeded(address, login);
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
    for (const [address, count] of this.connections) for (let left = count; left > 0; left -= 1) this.shared.releaseConnection(address);
    for (const [user, count] of this.accounts) for (let left = count; left > 0; left -= 1) this.shared.releaseAccount(user);
    this.connections.clear();
    this.accounts.clear();
  }
}

function add(counts: Map<string, number>, key: string, step: number): void {
  const count = (counts.get(key) ?? 0) + step;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
