/** What it costs to check a password of these accounts, so that names without an account cost the same. */
import { createHmac, randomBytes } from 'node:crypto';

/** An example of each cost; more than these no honest set of accounts has. */
const MOST = 64;

export class HashCosts {
  private readonly key = randomBytes(32);
  /** A hash of each cost, by its kind and parameters. */
  private readonly examples = new Map<string, string>();

  constructor(hashes: Iterable<string | undefined> = []) {
    for (const hash of hashes) this.add(hash);
  }

  add(hash: string | undefined): void {
    if (hash === undefined || this.examples.size >= MOST) return;
    const cost = hash.split('$', 3).join('$');
    if (!this.examples.has(cost)) this.examples.set(cost, hash);
  }

  /**
   * The hash that a name without an account is checked against: always the same one for a name, as it would be if there were an account.
   * Undefined where no account has a hash.
   */
  of(name: string): string | undefined {
    const sorted = [...this.examples.keys()].sort();
    if (sorted.length === 0) return undefined;
    return this.examples.get(sorted[createHmac('sha256', this.key).update(name).digest().readUInt32BE(0) % sorted.length]!);
  }
}
