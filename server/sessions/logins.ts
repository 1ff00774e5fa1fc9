/** Logging in, whatever the protocol: what a client sends is held against the accounts, with limits, lock-outs and networks; every attempt is ended once, and told to the audit. */
import type { Audit, KeyProof, SessionFacts } from '../audit/event';
import { Networks, type ServerConfig } from '../config';
import type { Account, Identity, RefusalReason, Verdict } from '../identity/identity';
import type { Limits } from '../limits/limits';
import type { Newcomers } from '../limits/newcomers';

export interface LoginParts {
  readonly audit: Audit;
  readonly config: Pick<ServerConfig, 'limits'>;
  readonly identity: Identity;
  readonly limits: Limits;
  readonly newcomers: Pick<Newcomers, 'hasLoggedIn'>;
}

/** What of its session a login needs. */
export interface LoggingIn {
  readonly facts: SessionFacts;
  readonly address: string;
  /** Whether the client has left. */
  readonly ended: boolean;
  /** Whether it ever has. */
  hasLoggedIn: boolean;
  /** A login that limits decide about: until then it is not known what a session that ends meanwhile was. */
  deciding: Promise<unknown> | undefined;
  /** Opens the account's files and lets the session use them. False where the client has left meanwhile. */
  logIn(account: Account): Promise<boolean>;
}

/** How an attempt ended. `isLast`: the session has no further one. `gone`: the client has left, and there is nobody to tell. */
export type LoginEnd =
  | { readonly kind: 'accepted'; readonly method: Extract<Verdict, { kind: 'accepted' }>['method'] }
  | { readonly kind: 'refused'; readonly isLast: boolean }
  | { readonly kind: 'unavailable' | 'too-many-sessions' | 'gone' };

export class Logins {
  /** Since the last that succeeded. */
  private failed = 0;
  /** The key of the attempt, for the audit, where there is one. */
  proof: KeyProof | undefined;

  constructor(
    private readonly parts: LoginParts,
    private readonly session: LoggingIn,
  ) {}

  /** One attempt. `ask` asks for the verdict; `isKnown`: the address has logged in lately. What it throws is thrown, and leaves no attempt that nobody ends. */
  async attempt(login: string, ask: (isKnown: boolean) => Promise<Verdict>): Promise<LoginEnd> {
    const { limits, identity } = this.parts;
    const { session } = this;
    const standing = await limits.beginLogin(session.address, identity.nameOf(login));
    if (standing === 'locked-out') return this.refuse(login, 'locked-out');
    if (session.ended) return this.undecided(login, { kind: 'gone' }); // it left while it waited for its turn
    return this.settle(login, await this.decided(login, ask(standing === 'known')));
  }

  /**
   * Proof that is no guess at a secret, as a certificate or a key: it counts where `counts` says so of its verdict, and then ends as any attempt. Where it
   * does not, nothing is held against anybody: undefined, as for who is locked out, of whom `ask` is not asked. What it throws is thrown.
   */
  async attemptByProof(login: string, ask: () => Promise<Verdict>, counts: (verdict: Verdict) => boolean): Promise<LoginEnd | undefined> {
    const { limits, identity } = this.parts;
    if ((await limits.beginLogin(this.session.address, identity.nameOf(login))) === 'locked-out') return undefined;
    const verdict = await this.decided(login, ask());
    return counts(verdict) ? this.settle(login, verdict) : this.undecided(login, undefined);
  }

  /** Whether the account may be used from where the client is. */
  mayComeFromHere({ allowedNetworks, deniedNetworks }: Account): boolean {
    const { address } = this.session;
    return !isInside(deniedNetworks, address) && !isOutside(allowedNetworks, address);
  }

  private async decided(login: string, verdict: Promise<Verdict>): Promise<Verdict> {
    try {
      return await verdict;
    } catch (error) {
      this.undecided(login, undefined);
      throw error;
    }
  }

  /** Acts on a verdict, and ends the attempt that was begun for it. */
  private async settle(login: string, verdict: Verdict): Promise<LoginEnd> {
    const { audit, limits, identity, newcomers } = this.parts;
    const { session } = this;
    if (verdict.kind === 'unavailable') {
      audit.record({ kind: 'login', outcome: 'unavailable', login, reason: verdict.reason, proof: this.proof, ...session.facts });
      return this.undecided(login, { kind: 'unavailable' });
    }
    if (verdict.kind === 'refused') return this.refuse(login, verdict.reason, verdict.source);
    const { account, method, source } = verdict;
    if (!this.mayComeFromHere(account)) return this.refuse(login, 'address-not-allowed', source);
    if (session.ended) return this.undecided(login, { kind: 'gone' }); // it left while its password was checked, and takes nobody's place
    const succeeded = limits.loginSucceeded(session.address, identity.nameOf(login), !session.hasLoggedIn).then((succeeds) => {
      session.hasLoggedIn ||= succeeds;
      return succeeds;
    });
    session.deciding = succeeded;
    if (!(await succeeded)) return this.refuse(login, 'locked-out');
    session.deciding = undefined;
    if (!(await limits.admitAccount(account.user, account.maxSessions))) {
      this.recordRefusal(login, 'too-many-sessions', source);
      return { kind: 'too-many-sessions' };
    }
    let entered = false;
    try {
      entered = await session.logIn(account);
    } finally {
      if (!entered) limits.releaseAccount(account.user);
    }
    if (!entered) return { kind: 'gone' };
    this.failed = 0;
    newcomers.hasLoggedIn(session.address);
    audit.record({
      kind: 'login',
      outcome: 'success',
      login,
      method,
      source,
      token: verdict.token?.id,
      link: verdict.link?.id,
      proof: this.proof,
      ...session.facts,
    });
    return { kind: 'accepted', method };
  }

  /** Ends an attempt that failed: it counts for the session, and is held against account and address but where they are locked out already. */
  async refuse(login: string, reason: RefusalReason, source?: string): Promise<LoginEnd> {
    const { audit, limits, identity, config } = this.parts;
    this.recordRefusal(login, reason, source);
    if (reason !== 'locked-out') {
      for (const { scope, seconds } of await limits.loginFailed(this.session.address, identity.nameOf(login)))
        audit.record({ kind: 'lockout', scope, login, seconds, ...this.session.facts });
    }
    this.failed += 1;
    return { kind: 'refused', isLast: this.failed >= config.limits.loginAttempts };
  }

  /** Tells the audit, and holds it against nobody. */
  recordRefusal(login: string, reason: RefusalReason, source: string | undefined): void {
    this.parts.audit.record({ kind: 'login', outcome: 'failure', login, source, reason, proof: this.proof, ...this.session.facts });
  }

  /** Ends an attempt that says nothing about who it was. */
  private undecided<T>(login: string, end: T): T {
    const { limits, identity } = this.parts;
    limits.loginUndecided(this.session.address, identity.nameOf(login));
    return end;
  }
}

function isInside(networks: readonly string[], address: string): boolean {
  return networks.length > 0 && new Networks(networks).contains(address);
}

function isOutside(networks: readonly string[], address: string): boolean {
  return networks.length > 0 && !new Networks(networks).contains(address);
}
