/** What is particular to logging in over SSH: keys that are offered before they are proven, and accounts that ask for a key. */
import type { KeyProof } from '../../audit/event';
import type { Account, Identity, RefusalReason, SshCertificate, Verdict } from '../../identity/identity';
import { type LoggingIn, type LoginEnd, type LoginParts, Logins } from '../../sessions/logins';
import type { Certificate } from '../certificates/certificate';
import type { Ties } from '../certificates/options';
import type { UserCertificates } from '../certificates/user-certificates';
import { fingerprintOf } from '../public-key';
import type { Answer, LoginDoor, LoginRequest, OfferedKey } from './user-authentication';

export interface SshLoginParts extends LoginParts {
  readonly userCertificates: UserCertificates;
}

export class SshLogins implements LoginDoor {
  /** What the login that succeeded is good for. */
  onlySftp = false;
  private readonly logins: Logins;
  private readonly identity: Identity;
  private readonly certificates: UserCertificates;
  /** What was proven, and for whom, where a password is needed as well. */
  private proven: { readonly user: string; readonly proof: KeyProof; readonly onlySftp: boolean } | undefined;

  constructor(
    parts: SshLoginParts,
    private readonly session: LoggingIn,
  ) {
    this.logins = new Logins(parts, session);
    this.identity = parts.identity;
    this.certificates = parts.userCertificates;
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
    const proven = this.proven?.user === user ? this.proven : undefined;
    const hasKey = proven !== undefined;
    this.onlySftp = proven?.onlySftp ?? false;
    this.logins.proof = proven?.proof;
    const end = await this.logins.attempt(user, async (isKnown) => {
      const verdict = await this.identity.authenticate({ user, password, hasKey, address, isKnown, protocol: 'ssh' });
      if (verdict.kind !== 'accepted' || hasKey || !needsKey(verdict.account) || !this.logins.mayComeFromHere(verdict.account)) return verdict;
      return { kind: 'refused', reason: 'key-required', source: verdict.source };
    });
    return answerTo(end);
  }

  /** A key that is offered, or proven, is no guess at a secret: agents offer all that they have, and nobody is locked out for it. */
  private async byKey(user: string, { blob, certificate, isProven }: OfferedKey): Promise<Answer> {
    const ties = this.tiesOf(blob, certificate);
    this.logins.proof = proofOf(blob, certificate);
    this.onlySftp = typeof ties === 'object' && ties.onlySftp;
    let verdict: Verdict | undefined;
    const end = await this.logins.attemptByProof(
      user,
      async () => {
        verdict =
          typeof ties === 'string' ? { kind: 'refused', reason: ties } : await this.identity.authenticateByKey({ user, key: blob, ...this.inIt(certificate) });
        return verdict;
      },
      (found) => (found.kind === 'accepted' ? isProven && !this.awaitsPassword(found.account) : found.kind === 'unavailable'),
    );
    if (end) return answerTo(end);
    if (!verdict) return isProven ? answerTo(await this.logins.refuse(user, 'locked-out')) : 'refused';
    if (verdict.kind === 'accepted') {
      if (!isProven) return this.logins.mayComeFromHere(verdict.account) ? 'acceptable' : 'refused';
      this.proven = { user, proof: this.logins.proof, onlySftp: this.onlySftp };
      return 'more';
    }
    // Who comes with a certificate of an authority of ours should learn from the audit why it is not taken: his client does not even prove it.
    const isOurs = certificate !== undefined && this.certificates.trusts(certificate.authority);
    if ((isProven || isOurs) && verdict.kind === 'refused') this.logins.recordRefusal(user, verdict.reason, verdict.source);
    return 'refused';
  }

  private tiesOf(blob: Buffer, certificate: Certificate | undefined): Ties | RefusalReason {
    if (certificate) return this.certificates.check(certificate, this.session.address);
    return this.certificates.isRevoked({ keyBlob: blob }) ? 'key-revoked' : { onlySftp: false };
  }

  private inIt(certificate: Certificate | undefined): { readonly certificate?: SshCertificate } {
    if (!certificate) return {};
    const { authority, principals } = certificate;
    return { certificate: { authority, isTrusted: this.certificates.trusts(authority), principals } };
  }

  private awaitsPassword(account: Account): boolean {
    return needsPassword(account) && this.logins.mayComeFromHere(account);
  }
}

function proofOf(blob: Buffer, certificate: Certificate | undefined): KeyProof {
  const key = fingerprintOf(blob);
  if (!certificate) return { key };
  const { keyId, serial, authority } = certificate;
  return { key, certificate: { keyId, serial: String(serial), authority: fingerprintOf(authority) } };
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
