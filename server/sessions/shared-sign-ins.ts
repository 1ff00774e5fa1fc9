/**
 * Sign-ins that all instances know: the next connection of a browser may come to another one. Each instance keeps those that it has seen, and asks the
 * table once in a while whether they still stand.
 */
import type { Audit } from '../audit/event';
import type { HttpsConfig } from '../config';
import { AskedTable, RETRY_MS } from '../limits/asked-table';
import type { Limits } from '../limits/limits';
import { SignInSeals } from './sign-in-seals';
import { SignInTable } from './sign-in-table';
import { LocalSignIns, type SignIn, type SignIns } from './sign-ins';

/** Within that, what ended at one instance has ended at all. */
const CONFIRM_MS = 10_000;
/** Sign-ins that ended while the table could not be told; the oldest make room. */
const MOST_UNTOLD = 10_000;

export interface KeptSignIns extends SignIns {
  close(): void;
}

/** Those of this instance, shared where a table is named. `most`: how many there may be. */
export function keepSignIns(limits: Pick<Limits, 'admitAccount' | 'releaseAccount'>, https: HttpsConfig, most: number, audit: Audit): KeptSignIns {
  const own = new LocalSignIns(limits, https, most);
  return https.signInTable === undefined ? own : new SharedSignIns(own, new SignInTable(https.signInTable, https), audit);
}

export class SharedSignIns implements KeptSignIns {
  /** When the table last said that they stand. */
  private readonly confirmed = new Map<string, number>();
  private readonly asking = new Map<string, Promise<SignIn | undefined>>();
  /** Those that have ended here, and of which the table may still say that they stand. */
  private readonly untold = new Set<string>();
  private telling: NodeJS.Timeout | undefined;
  private readonly asked: AskedTable;
  private readonly seals: SignInSeals;

  constructor(
    private readonly own: KeptSignIns,
    private readonly table: Pick<SignInTable, 'put' | 'use' | 'remove' | 'sealKey' | 'close'>,
    audit: Audit,
    private readonly now: () => number = Date.now,
  ) {
    this.asked = new AskedTable('sign-ins', 'sign-ins are not shared', audit, now);
    this.seals = new SignInSeals(() => this.asked.ask(() => table.sealKey()));
  }

  begin(key: string, user: string, maxSessions?: number): Promise<boolean> {
    return this.own.begin(key, user, maxSessions);
  }

  async keep(key: string, signIn: SignIn): Promise<void> {
    await this.own.keep(key, signIn);
    await this.asked.ask(() => this.table.put(key, signIn));
  }

  sealOf(key: string): Promise<string> {
    return this.seals.of(key);
  }

  async find(key: string, seal: string): Promise<SignIn | undefined> {
    if (this.untold.has(key)) return undefined;
    const known = await this.own.find(key, seal);
    if (!known && !(await this.seals.isGood(key, seal))) return undefined;
    if (known && this.now() - (this.confirmed.get(key) ?? -Infinity) < CONFIRM_MS) return known;
    // Several requests at once take one place.
    let asked = this.asking.get(key);
    if (!asked) {
      asked = this.confirm(key, known).finally(() => this.asking.delete(key));
      this.asking.set(key, asked);
    }
    return asked;
  }

  end(key: string): void {
    this.own.end(key);
    this.confirmed.delete(key);
    this.untold.add(key);
    if (this.untold.size > MOST_UNTOLD) this.untold.delete(this.untold.values().next().value!);
    void this.tellEnd(key);
  }

  close(): void {
    clearTimeout(this.telling);
    this.own.close();
    this.table.close();
  }

  /** Without the table, each instance goes on with its own. */
  private async confirm(key: string, known: SignIn | undefined): Promise<SignIn | undefined> {
    const answer = await this.asked.ask(async () => ({ signIn: await this.table.use(key) }));
    if (!answer) return known;
    const { signIn } = answer;
    if (!signIn) {
      this.own.end(key);
      this.confirmed.delete(key);
      return undefined;
    }
    if (!known) {
      const { account } = signIn;
      if (!(await this.own.begin(key, account.user, account.maxSessions))) return undefined;
      await this.own.keep(key, signIn);
    }
    this.note(key);
    return known ?? signIn;
  }

  /** Whoever signed out is signed out everywhere, if the table can't be told now then when it can. */
  private async tellEnd(key: string): Promise<boolean> {
    const isTold = (await this.asked.ask(() => this.table.remove(key).then(() => true))) === true;
    if (isTold) this.untold.delete(key);
    else this.telling ??= setTimeout(() => void this.tellEnds(), RETRY_MS).unref();
    return isTold;
  }

  private async tellEnds(): Promise<void> {
    this.telling = undefined;
    for (const key of [...this.untold]) if (!(await this.tellEnd(key))) return;
  }

  private note(key: string): void {
    this.confirmed.delete(key);
    this.confirmed.set(key, this.now());
    for (const [other, at] of this.confirmed) {
      if (this.now() - at < CONFIRM_MS) break;
      this.confirmed.delete(other);
    }
  }
}
