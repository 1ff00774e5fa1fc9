/** Who asks on a connection: by password, by the cookie of a sign-in, by a token, by a link. Every way in is an attempt of `Logins`, so that limits and the audit are those of every protocol. */
import type { SessionFacts } from '../../audit/event';
import { type AccessToken, readAccessToken } from '../../identity/access-token';
import type { Account, AccountRecord, ClientCertificate, Verdict } from '../../identity/identity';
import type { Attempt, Returned } from '../../identity/issuers/client';
import { isJwt } from '../../identity/issuers/issuers';
import { within } from '../../identity/scopes';
import { readToken, type Token } from '../../identity/token';
import { clientKey } from '../../limits/client-key';
import type { Limits } from '../../limits/limits';
import { type LoggingIn, type LoginEnd, Logins } from '../../sessions/logins';
import type { SignIn } from '../../sessions/sign-ins';
import type { HttpsEngine } from '../engine';
import type { Entrance, Visitor } from '../exchange';
import { type LinkVerdict, loginOf } from '../links/links';
import type { LinkProof } from '../links/proof';
import { cookieIn, cookieOf, keyOf, newSecret } from './cookie';

/** Cookies and tokens that are none, on one connection, after which it ends: an honest client has one at most that is out of date. */
const MOST_REFUSED = 10;
/** Who comes back from an issuer waits no longer until it is asked. Milliseconds. */
const LONGEST_WAIT_MS = 10_000;

/** How often a sign-in is seen to be in use during a long request: before it makes room for another one of its account. */
const IN_USE_MS = 20_000;

/** What of its connection the door needs. */
export interface DoorConnection {
  facts: SessionFacts;
  readonly address: string;
  readonly ended: boolean;
  readonly certificate: ClientCertificate | undefined;
  /** Aborted when it is gone. */
  readonly gone: AbortSignal;
}

/** Who is about to come in, and whose place it takes. */
interface Entering {
  readonly visitor: Pick<Visitor, 'key' | 'via' | 'folder' | 'link' | 'grants'>;
  readonly fingerprint?: string;
  /** When what it came by is good no more. Milliseconds since 1970. */
  readonly until?: number;
  /** The issuer that says who it is, of a sign-in that begins. */
  readonly by?: SignIn['by'];
  /** Whether a sign-in begins. */
  readonly begins: boolean;
}

export class Door implements LoggingIn {
  hasLoggedIn = false;
  deciding: Promise<unknown> | undefined;
  private readonly logins: Logins;
  private entering: Entering | undefined;
  private current: (Visitor & Pick<Entering, 'fingerprint' | 'until'>) | undefined;
  /** Whose place this connection holds. */
  private placeOf: string | undefined;
  private refusals = 0;
  /** Keeps the sign-in of the request that is being answered from being idle. */
  private keeping: NodeJS.Timeout | undefined;

  constructor(
    private readonly engine: HttpsEngine,
    private readonly connection: DoorConnection,
  ) {
    const { limits, signIns } = engine;
    // A sign-in has the place of a session, however many connections it has; a token has one for each, and a link one of those of all links of its account.
    const ownLimits: Limits = {
      admitConnection: (address) => limits.admitConnection(address),
      releaseConnection: (address, end) => limits.releaseConnection(address, end),
      beginLogin: (address, login) => limits.beginLogin(address, login),
      loginFailed: (address, login) => limits.loginFailed(address, login),
      loginSucceeded: (address, login, first) => limits.loginSucceeded(address, login, first),
      loginUndecided: (address, login) => limits.loginUndecided(address, login),
      admitAccount: async (user, maxSessions) => {
        const { begins, visitor } = this.entering!;
        if (begins) return signIns.begin(visitor.key, user, maxSessions);
        return visitor.via === 'sign-in' || limits.admitAccount(placeOf(visitor, user), maxSessions);
      },
      releaseAccount: (user) => {
        const { begins, visitor } = this.entering!;
        if (begins) signIns.end(visitor.key);
        else if (visitor.via !== 'sign-in') limits.releaseAccount(placeOf(visitor, user));
      },
    };
    this.logins = new Logins({ ...engine, limits: ownLimits }, this);
  }

  get facts(): SessionFacts {
    return this.connection.facts;
  }

  get address(): string {
    return this.connection.address;
  }

  get ended(): boolean {
    return this.connection.ended;
  }

  get account(): Account | undefined {
    return this.current?.account;
  }

  /** With a password; without one, with the certificate alone. */
  async signIn(user: string, password: string | undefined, code?: string): Promise<Entrance> {
    const { identity } = this.engine;
    const { address, certificate } = this.connection;
    const secret = newSecret();
    this.prepare({ visitor: { key: keyOf(secret), via: 'sign-in', folder: '/' }, begins: true });
    if (password !== undefined)
      return this.entrance(
        await this.logins.attempt(user, (isKnown) => identity.authenticate({ user, password, code, certificate, address, isKnown, protocol: 'https' })),
        secret,
      );
    if (!certificate) return { kind: 'refused', isLast: false };
    const end = await this.logins.attemptByProof(
      user,
      () => identity.authenticateByCertificate({ user, certificate, address, protocol: 'https' }),
      ({ kind }) => kind !== 'refused',
    );
    if (end) return this.entrance(end, secret);
    this.logins.recordRefusal(user, 'certificate-not-mapped', undefined);
    return this.strange();
  }

  /** As who an issuer says that somebody is. */
  async signInElsewhere(way: number, returned: Returned, attempt: Attempt): Promise<Entrance> {
    const { address, gone, certificate } = this.connection;
    const { issuers, comingBack } = this.engine;
    const giveBack = await comingBack.take(clientKey(address), AbortSignal.any([gone, AbortSignal.timeout(LONGEST_WAIT_MS)])).catch(() => undefined);
    if (!giveBack) return { kind: 'unavailable' };
    const { login, verdict } = await issuers.cameBack(way, returned, attempt, certificate).finally(giveBack);
    const secret = newSecret();
    const { folder = '/', scopes = [] } = verdict.kind === 'accepted' ? (verdict.token ?? {}) : {};
    const by = verdict.kind === 'accepted' ? { issuer: verdict.source, scopes, folder } : undefined;
    this.prepare({ visitor: { key: keyOf(secret), via: 'sign-in', folder }, by, begins: true });
    if (verdict.kind !== 'refused') return this.byProof(login, verdict, secret);
    this.logins.recordRefusal(login, verdict.reason, verdict.source);
    return this.strange();
  }

  /** Somebody who has nothing to show. */
  nobody(): Entrance {
    return this.strange();
  }

  /** Who is named by the token or the cookie of a request; undefined where there is neither. A token goes first. */
  async visitor(headers: ReadonlyMap<string, string>): Promise<Entrance | undefined> {
    const authorization = headers.get('authorization');
    if (authorization !== undefined) {
      const text = /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
      const token = readToken(text) ?? readAccessToken(text);
      if (token) return this.byToken(token);
      return isJwt(text) ? this.byJwt(text) : this.strange();
    }
    const cookie = cookieIn(headers.get('cookie'));
    return cookie && this.bySignIn(keyOf(cookie.secret), cookie.seal);
  }

  /** Looked at with every request: a link lets nobody do what its account may not do any more. */
  async byLink(text: string, proof: LinkProof): Promise<Entrance> {
    const { links } = this.engine;
    const { address } = this.connection;
    const { current } = this;
    const login = loginOf(text);
    if (current?.link && proof.password === undefined) {
      const verdict = await links.check(text, proof, { address, isKnown: true });
      if (verdict.kind === 'accepted' && current.fingerprint === verdict.fingerprint) return { kind: 'entered', visitor: current };
    }
    this.forget();
    let verdict: LinkVerdict | undefined;
    const ask = async (): Promise<Verdict> => {
      verdict = await links.check(text, proof, { address, isKnown: false });
      if (verdict.kind === 'unavailable' || verdict.kind === 'refused') return verdict;
      if (verdict.kind !== 'accepted') return { kind: 'refused', reason: verdict.kind === 'over' ? 'link-over' : 'link-password' };
      const { record, account, source, fingerprint } = verdict;
      this.prepare({ visitor: { key: record.id, via: 'link', folder: '/', link: record }, fingerprint, begins: false });
      return { kind: 'accepted', account, source, method: 'link', link: { id: record.id } };
    };
    const end = await this.logins.attemptByProof(login, ask, () => verdict?.kind !== 'over' && verdict?.kind !== 'password-missing');
    if (verdict?.kind === 'over') this.logins.recordRefusal(login, 'link-over', undefined);
    if (verdict?.kind === 'over' || verdict?.kind === 'password-missing') {
      this.refusals += 1;
      return { kind: verdict.kind === 'over' ? 'link-over' : 'link-password', isLast: this.refusals >= MOST_REFUSED };
    }
    if (!end) return { kind: 'locked-out' };
    if (end.kind === 'refused' && verdict?.kind === 'refused' && verdict.reason === 'link-password') return { kind: 'link-password', isLast: end.isLast };
    return this.entrance(end);
  }

  /** The request that named somebody is answered. */
  answered(): void {
    clearInterval(this.keeping);
    this.keeping = undefined;
  }

  signOut(): void {
    if (this.current?.via !== 'sign-in') return;
    this.engine.signIns.end(this.current.key);
    this.current = undefined;
  }

  /** The connection is gone. */
  leave(): void {
    if (this.placeOf !== undefined) this.engine.limits.releaseAccount(this.placeOf);
    this.placeOf = undefined;
  }

  /** Opens the account's files. */
  async logIn(account: Account): Promise<boolean> {
    const { files, identity, signIns, links } = this.engine;
    const { visitor, begins, ...entering } = this.entering!;
    const facts = { ...this.connection.facts, user: account.user };
    const opened = await files.open({ account, facts, doneCode: 200 });
    const fingerprint = begins ? recordIn(await identity.recordOf(account.user).catch(() => undefined))?.fingerprint : entering.fingerprint;
    if (begins) await signIns.keep(visitor.key, { account, fingerprint, by: entering.by });
    const makes = visitor.via === 'link' ? [] : await links.kindsFor(account, visitor.via === 'token' ? visitor.key : undefined);
    if (this.ended) return false;
    this.connection.facts = facts;
    this.current = { ...visitor, account, files: opened, makes, fingerprint, until: entering.until };
    if (visitor.via !== 'sign-in') this.placeOf = placeOf(visitor, account.user);
    return true;
  }

  private async bySignIn(key: string, seal: string): Promise<Entrance> {
    const { signIns, identity } = this.engine;
    const signIn = await signIns.find(key, seal);
    if (!signIn) return this.strange();
    const { user } = signIn.account;
    let record: AccountRecord | 'none' | 'unknown';
    try {
      record = await identity.recordOf(user);
    } catch {
      return { kind: 'unavailable' };
    }
    // The account is gone, or was changed: who it is has to be said again.
    const known = recordIn(record);
    // (Of an account that a rule of an issuer has made there never was a record.)
    const { by } = signIn;
    if ((record === 'none' && !by) || known?.fingerprint !== signIn.fingerprint) {
      signIns.end(key);
      return this.strange();
    }
    this.keepInUse(key, seal);
    const { current } = this;
    if (current?.key === key && current.fingerprint === signIn.fingerprint) return { kind: 'entered', visitor: current };
    this.prepare({ visitor: { key, via: 'sign-in', folder: by?.folder ?? '/' }, fingerprint: signIn.fingerprint, begins: false });
    return this.byProof(user, {
      kind: 'accepted',
      account: known && by ? within(known.account, by.scopes) : (known?.account ?? signIn.account),
      source: by?.issuer ?? known?.source ?? 'directory',
      method: 'session',
    });
  }

  /** Who is sent a large file asks for something as long as that takes. What has ended meanwhile does not end the request. */
  private keepInUse(key: string, seal: string): void {
    const { signIns, config } = this.engine;
    this.answered();
    this.keeping = setInterval(
      () => void signIns.find(key, seal).catch(() => {}), // the other process is gone, and this one goes with it
      Math.min(IN_USE_MS, config.https.signInIdleSeconds * 333),
    ).unref();
  }

  /** Looked at with every request: a token that was revoked is worth nothing from then on. */
  private async byToken(token: Token | AccessToken): Promise<Entrance> {
    const { address, certificate } = this.connection;
    const verdict = await this.engine.identity.authenticateByToken({ token, address, certificate });
    if (verdict.kind !== 'accepted') {
      this.prepare({ visitor: { key: token.id, via: 'token', folder: '/' }, begins: false });
      if (verdict.kind === 'unavailable') return this.byProof(token.user, verdict);
      this.logins.recordRefusal(token.user, verdict.reason, verdict.source);
      return this.strange();
    }
    const { fingerprint } = verdict;
    const { current } = this;
    if (current?.via === 'token' && current.key === token.id && current.account.user === token.user && current.fingerprint === fingerprint)
      return { kind: 'entered', visitor: current };
    const { folder = '/', grants } = verdict.token ?? {};
    this.prepare({ visitor: { key: token.id, via: 'token', folder, grants }, fingerprint, begins: false });
    return this.byProof(token.user, verdict);
  }

  /** Looked at with every request, but for the signature: that is checked once on a connection. */
  private async byJwt(text: string): Promise<Entrance> {
    const { issuers, identity } = this.engine;
    const key = keyOf(text);
    const { current } = this;
    if (current?.via === 'token' && current.key === key && current.until! > Date.now()) {
      const record = await identity.recordOf(current.account.user).catch(() => 'down' as const);
      if (record === 'down') return { kind: 'unavailable' };
      if (recordIn(record)?.fingerprint === current.fingerprint) return { kind: 'entered', visitor: current };
    }
    const { login, verdict, until } = await issuers.authenticate(text, this.connection.certificate);
    this.prepare({ visitor: { key, via: 'token', folder: '/' }, begins: false });
    if (verdict.kind === 'refused') {
      this.logins.recordRefusal(login, verdict.reason, verdict.source);
      return this.strange();
    }
    if (verdict.kind === 'accepted')
      this.entering = { visitor: { key, via: 'token', folder: verdict.token?.folder ?? '/' }, fingerprint: verdict.fingerprint, until, begins: false };
    return this.byProof(login, verdict);
  }

  private async byProof(user: string, verdict: Verdict, secret?: string): Promise<Entrance> {
    const end = await this.logins.attemptByProof(
      user,
      async () => verdict,
      () => true,
    );
    return end ? this.entrance(end, secret) : { kind: 'locked-out' };
  }

  /** Somebody else is about to come in. */
  private prepare(entering: Entering): void {
    this.forget();
    this.entering = entering;
  }

  private forget(): void {
    this.leave();
    this.current = undefined;
    const { user: _, ...facts } = this.connection.facts;
    this.connection.facts = facts;
  }

  private strange(): Entrance {
    this.refusals += 1;
    return { kind: 'refused', isLast: this.refusals >= MOST_REFUSED };
  }

  /** `secret`: of a sign-in that begins. */
  private async entrance(end: LoginEnd, secret?: string): Promise<Entrance> {
    if (end.kind !== 'accepted') return end;
    const visitor = this.current!;
    return { kind: 'entered', visitor, cookie: secret && cookieOf(secret, await this.engine.signIns.sealOf(keyOf(secret))) };
  }
}

/** Whose places are counted: who has a link keeps its account from nothing. (Names of accounts have no blanks.) */
function placeOf({ via }: Pick<Visitor, 'via'>, user: string): string {
  return via === 'link' ? `links of ${user}` : user;
}

function recordIn(record: AccountRecord | 'none' | 'unknown' | undefined): AccountRecord | undefined {
  return typeof record === 'object' ? record : undefined;
}
