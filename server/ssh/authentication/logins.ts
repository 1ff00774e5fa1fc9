/** What is particular to logging in over SSH: keys that are offered before they are proven, and accounts that ask for a key. */
import type { Account, Identity, Verdict } from '../../identity/identity';
import { type LoggingIn, type LoginEnd, type LoginParts, Logins } from '../../sessions/logins';
import type { Answer, LoginDoor, LoginRequest, OfferedKey } from './user-authentication';

export class SshLogins implements LoginDoor {
  private readonly logins: Logins;
  private readonly identity: Identity;
  /** For whom a key was proven, where a password is needed as well. */
  private keyOf: string | undefined;

  constructor(
    parts: LoginParts,
    private readonly session: LoggingIn,
  ) {
    this.logins = new Logins(parts, session);
    this.identity = parts.identity;
  }

  async ask({ user, key, password }: LoginRequest): Promise<Answer> {
    try {
      return await (key ? this.byKey(user, key) : this.byPassword(user, password));
    } catch (error) {
      process.emitWarning(error as Error);
      return 'over';
    }
  }

  private async byPassword(user: string, password: string | undefined): Promise<Answer> {
    const { address } = this.session;
    const hasKey = this.keyOf === user;
    const end = await this.logins.attempt(user, async (isKnown) => {
      const verdict = await this.identity.authenticate({ user, password, hasKey, address, isKnown });
      if (verdict.kind !== 'accepted' || hasKey || !needsKey(verdict.account) || !this.logins.mayComeFromHere(verdict.account)) return verdict;
      return { kind: 'refused', reason: 'key-required', source: verdict.source };
    });
    return answerTo(end);
  }

  /** A key that is offered, or proven, is no guess at a secret: agents offer all that they have, and nobody is locked out for it. */
  private async byKey(user: string, { blob, isProven }: OfferedKey): Promise<Answer> {
    let verdict: Verdict | undefined;
    const end = await this.logins.attemptByProof(
      user,
      async () => {
        verdict = await this.identity.authenticateByKey({ user, key: blob });
        return verdict;
      },
      (found) => (found.kind === 'accepted' ? isProven && !this.awaitsPassword(found.account) : found.kind === 'unavailable'),
    );
    if (end) return answerTo(end);
    if (!verdict) return isProven ? answerTo(await this.logins.refuse(user, 'locked-out')) : 'refused';
    if (verdict.kind === 'accepted') {
      if (!isProven) return this.logins.mayComeFromHere(verdict.account) ? 'acceptable' : 'refused';
      this.keyOf = user;
      return 'more';
    }
    if (isProven && verdict.kind === 'refused') this.logins.recordRefusal(user, verdict.reason, verdict.source);
    return 'refused';
  }

  private awaitsPassword(account: Account): boolean {
    return needsPassword(account) && this.logins.mayComeFromHere(account);
  }
}

function answerTo(end: LoginEnd): Answer {
  if (end.kind === 'accepted') return 'accepted';
  return end.kind === 'refused' && !end.isLast ? 'refused' : 'over';
}

/** An account whose certificate is asked for beside the password proves a key in its place. */
function needsPassword({ sshLogin, clientCertificate }: Account): boolean {
  return sshLogin === 'key-and-password' || clientCertificate === 'required';
}

function needsKey({ sshLogin }: Account): boolean {
  return (sshLogin ?? 'password-or-key') !== 'password-or-key';
}
