/** Who may come in: what a client of SSH sends is held against the accounts, with the limits, lock-outs and networks of every other door. */
import type { SessionFacts } from '../../audit/event';
import { Networks } from '../../config';
import type { Account, RefusalReason, Verdict } from '../../identity/identity';
import type { SshEngine } from '../engine';
import type { Answer, LoginDoor, LoginRequest } from './user-authentication';

/** What of its session a login needs. */
export interface LoggingIn {
  readonly facts: SessionFacts;
  readonly address: string;
  readonly ended: boolean;
  hasLoggedIn: boolean;
  /** A login that limits decide about: until then it is not known what a session that ends meanwhile was. */
  deciding: Promise<unknown> | undefined;
  /** Opens the account's files. False where the client has left meanwhile. */
  logIn(account: Account): Promise<boolean>;
}

export class Logins implements LoginDoor {
  private failed = 0;
  /** For whom a key was proven, where a password is needed as well. */
  private keyOf: string | undefined;

  constructor(
    private readonly engine: Pick<SshEngine, 'audit' | 'identity' | 'limits' | 'config'>,
    private readonly session: LoggingIn,
  ) {}

  async ask(request: LoginRequest): Promise<Answer> {
    const { limits, identity } = this.engine;
    const { user } = request;
    const name = identity.nameOf(user);
    const { address } = this.session;
    const standing = await limits.beginLogin(address, name);
    if (standing === 'locked-out') return request.key?.isProven === false ? 'refused' : this.refuse(user, 'locked-out');
    if (this.session.ended) return this.undecided(name, 'over'); // it left while it waited for its turn
    try {
      const { key, password } = request;
      if (key) return await this.byKey(user, key.isProven, await identity.authenticateByKey({ user, key: key.blob }));
      const hasKey = this.keyOf === user;
      return await this.settle(user, await identity.authenticate({ user, password, hasKey, address, isKnown: standing === 'known' }), hasKey);
    } catch (error) {
      process.emitWarning(error as Error);
      return this.undecided(name, 'over');
    }
  }

  /** A key that is offered, or proven, is no guess at a secret: agents offer all that they have, and nobody is locked out for it. */
  private async byKey(user: string, isProven: boolean, verdict: Verdict): Promise<Answer> {
    const name = this.engine.identity.nameOf(user);
    if (verdict.kind === 'accepted') {
      const isAllowed = this.mayComeFromHere(verdict.account);
      if (!isProven) return this.undecided(name, isAllowed ? 'acceptable' : 'refused');
      if (!isAllowed || !needsPassword(verdict.account)) return this.settle(user, verdict, true);
      this.keyOf = user;
      return this.undecided(name, 'more');
    }
    if (verdict.kind === 'unavailable') return this.settle(user, verdict, true);
    if (isProven) this.record(user, verdict.reason, verdict.source);
    return this.undecided(name, 'refused');
  }

  /** Acts on a verdict, and ends the attempt that was begun for it. */
  private async settle(user: string, verdict: Verdict, hasKey: boolean): Promise<Answer> {
    const { audit, limits, identity } = this.engine;
    const { session } = this;
    const name = identity.nameOf(user);
    if (verdict.kind === 'unavailable') {
      audit.record({ kind: 'login', outcome: 'unavailable', login: user, reason: verdict.reason, ...session.facts });
      return this.undecided(name, 'over');
    }
    if (verdict.kind === 'refused') return this.refuse(user, verdict.reason, verdict.source);
    const { account, method, source } = verdict;
    if (!this.mayComeFromHere(account)) return this.refuse(user, 'address-not-allowed', source);
    if (!hasKey && (account.sshLogin ?? 'password-or-key') !== 'password-or-key') return this.refuse(user, 'key-required', source);
    if (session.ended) return this.undecided(name, 'over');
    const succeeded = limits.loginSucceeded(session.address, name, !session.hasLoggedIn).then((succeeds) => {
      session.hasLoggedIn ||= succeeds;
      return succeeds;
    });
    session.deciding = succeeded;
    if (!(await succeeded)) return this.refuse(user, 'locked-out');
    session.deciding = undefined;
    if (!(await limits.admitAccount(account.user, account.maxSessions))) {
      this.record(user, 'too-many-sessions', source);
      return 'over';
    }
    let entered = false;
    try {
      entered = await session.logIn(account);
    } finally {
      if (!entered) limits.releaseAccount(account.user);
    }
    if (!entered) return 'over'; // the client left meanwhile
    audit.record({ kind: 'login', outcome: 'success', login: user, method, source, ...session.facts });
    return 'accepted';
  }

  private async refuse(user: string, reason: RefusalReason, source?: string): Promise<Answer> {
    const { audit, limits, identity, config } = this.engine;
    this.record(user, reason, source);
    if (reason !== 'locked-out')
      for (const { scope, seconds } of await limits.loginFailed(this.session.address, identity.nameOf(user)))
        audit.record({ kind: 'lockout', scope, login: user, seconds, ...this.session.facts });
    this.failed += 1;
    return this.failed < config.limits.loginAttempts ? 'refused' : 'over';
  }

  private undecided(name: string, answer: Answer): Answer {
    this.engine.limits.loginUndecided(this.session.address, name);
    return answer;
  }

  private record(login: string, reason: RefusalReason, source?: string): void {
    this.engine.audit.record({ kind: 'login', outcome: 'failure', login, source, reason, ...this.session.facts });
  }

  private mayComeFromHere({ allowedNetworks, deniedNetworks }: Account): boolean {
    const { address } = this.session;
    if (deniedNetworks.length > 0 && new Networks(deniedNetworks).contains(address)) return false;
    return allowedNetworks.length === 0 || new Networks(allowedNetworks).contains(address);
  }
}

/** An account whose certificate is asked for beside the password proves a key in its place. */
function needsPassword({ sshLogin, clientCertificate }: Account): boolean {
  return sshLogin === 'key-and-password' || clientCertificate === 'required';
}
