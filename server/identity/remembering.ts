/**
 * Accounts whose passwords, once verified, are not hashed again for a while: a script that logs in for every file costs next to nothing. What is
 * remembered holds only for the account as it was then; its state and rules are looked up at every login.
 */
import type { Credentials, Identity, Verdict } from './identity';
import { afterPassword } from './password-account';
import { Remembered } from './remembered';

export class Remembering implements Identity {
  private readonly verified: Remembered<string>;
  /** Logins that are being decided. The same password for the same login is hashed once, however many sessions ask at the same moment. */
  private readonly running = new Map<string, Promise<Verdict>>();
  readonly nameOf: Identity['nameOf'];
  readonly authenticateByCertificate: Identity['authenticateByCertificate'];
  readonly authenticateByKey: Identity['authenticateByKey'];
  readonly authenticateByToken: Identity['authenticateByToken'];
  readonly authenticateVouched: Identity['authenticateVouched'];
  readonly rulesOf: Identity['rulesOf'];
  readonly recordOf: Identity['recordOf'];
  readonly close: Identity['close'];

  /** `seconds`: how long; 0 hashes every time. */
  constructor(
    private readonly identity: Identity,
    seconds: number,
  ) {
    this.verified = new Remembered(seconds);
    this.nameOf = (login) => identity.nameOf(login);
    this.authenticateByCertificate = (credentials) => identity.authenticateByCertificate(credentials);
    this.authenticateByKey = (credentials) => identity.authenticateByKey(credentials);
    this.authenticateByToken = (credentials) => identity.authenticateByToken(credentials);
    this.authenticateVouched = (credentials) => identity.authenticateVouched(credentials);
    this.rulesOf = (user) => identity.rulesOf(user);
    this.recordOf = (user) => identity.recordOf(user);
    this.close = () => identity.close();
  }

  async authenticate(credentials: Credentials): Promise<Verdict> {
    const { user, password = '', code, protocol, certificate, hasKey } = credentials;
    // Only who sends the right password gets beyond this line: nobody else learns by time what is remembered.
    const verified = this.verified.find(user, password);
    if (verified !== undefined) {
      const record = await this.identity.recordOf(user).catch(() => undefined);
      if (typeof record === 'object' && record.fingerprint === verified) return afterPassword(record.account, credentials, record.source);
      this.verified.forget(user);
    }
    const key = `${this.verified.digest(user, password).toString('base64')} ${certificate?.sha256 ?? ''} ${hasKey ? 'key' : ''} ${protocol} ${code ?? ''}`;
    const shared = this.running.get(key);
    if (shared) {
      const verdict = await shared;
      if (verdict.kind !== 'accepted' || !verdict.once) return verdict;
    }
    const running = this.decide(credentials).finally(() => this.running.delete(key));
    this.running.set(key, running);
    return running;
  }

  private async decide(credentials: Credentials): Promise<Verdict> {
    const verdict = await this.identity.authenticate(credentials);
    if (verdict.kind === 'accepted' && verdict.fingerprint !== undefined) this.verified.keep(credentials.user, credentials.password ?? '', verdict.fingerprint);
    return verdict;
  }
}
