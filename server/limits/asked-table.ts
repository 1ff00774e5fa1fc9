/** A table that all instances share, as each of them asks it: what can't be asked is left alone for a while, and each goes on by itself. */
import type { Audit } from '../audit/event';

/** A table that failed is left alone that long, so that nobody waits for it. */
export const RETRY_MS = 5_000;

export class AskedTable {
  private leftAloneUntil = 0;
  private down = false;

  /** `without`: what is missing while it can't be asked, for the audit. */
  constructor(
    private readonly part: 'lockouts' | 'sign-ins',
    private readonly without: string,
    private readonly audit: Audit,
    private readonly now: () => number,
  ) {}

  /** Undefined while it can't be asked. */
  async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (this.leftAloneUntil > this.now()) return undefined;
    try {
      const answer = await question();
      this.tell(false);
      return answer;
    } catch (error) {
      this.leftAloneUntil = this.now() + RETRY_MS;
      this.tell(true, `${this.without}: ${(error as Error).name} ${(error as Error).message}`);
      return undefined;
    }
  }

  private tell(down: boolean, detail?: string): void {
    if (this.down !== down) this.audit.record({ kind: 'health', part: this.part, state: down ? 'down' : 'up', detail });
    this.down = down;
  }
}
