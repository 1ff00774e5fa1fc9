/** Issuers of the settings, who say of somebody who he is: their tokens are held against keys and claims, and a rule says for which account they stand. */
import { decodeJwt } from 'jose';
import type { Audit } from '../../audit/event';
import type { IssuerConfig, SignInWith } from '../../config';
import { Authorities } from '../authorities';
import type { ClientCertificate, Identity, Verdict } from '../identity';
import { within } from '../scopes';
import { type Claims, mappedBy } from './claims';
import { type Attempt, OidcClient, type Returned } from './client';
import { Issuer } from './issuer';

/** Three parts of base64url (RFC 7519); no honest one is longer. */
const JWT = /^(?=.{1,16384}$)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export function isJwt(text: string): boolean {
  return JWT.test(text);
}

interface Configured {
  readonly issuers: readonly IssuerConfig[];
  readonly signInWith: readonly SignInWith[];
  readonly fips: boolean;
}

/** Who comes by a token. */
export interface Vouched {
  /** The account that it stands for; where it stands for none, whom it names, not to be believed. */
  readonly login: string;
  readonly verdict: Verdict;
  /** When it is good no more. Milliseconds since 1970. */
  readonly until: number;
}

export class Issuers {
  private constructor(
    private readonly all: readonly Issuer[],
    private readonly clients: readonly OidcClient[],
    private readonly identity: Identity,
    /** What stands on the buttons of the page. */
    readonly ways: readonly string[],
  ) {}

  /** Throws an Error that names the setting where authorities can't be read. An issuer that does not answer is no error yet. */
  static async open({ issuers: configs, signInWith, fips }: Configured, audit: Audit, identity: Identity): Promise<Issuers> {
    const all: Issuer[] = [];
    for (const [index, config] of configs.entries()) {
      const authorities = await Authorities.open(config.ca, `https.issuers[${index}]`, `authorities of ${config.issuer}`, audit);
      all.push(new Issuer(config, authorities, (state, detail) => audit.record({ kind: 'health', part: 'issuer', state, detail }), { fips }));
    }
    const clients = signInWith.map((one) => new OidcClient(all.find(({ config }) => config.issuer === one.issuer)!, one));
    return new Issuers(
      all,
      clients,
      identity,
      signInWith.map(({ name }) => name),
    );
  }

  /** The account that a token of its bearer's stands for. */
  async authenticate(token: string, certificate: ClientCertificate | undefined): Promise<Vouched> {
    const { iss, sub } = claimed(token);
    const refused = { login: typeof sub === 'string' ? sub.slice(0, 256) : '', until: 0 };
    const issuer = this.all.find(({ config }) => config.issuer === iss);
    if (!issuer) return { ...refused, verdict: { kind: 'refused', reason: 'unknown-issuer' } };
    const { config } = issuer;
    const checked = await issuer.check(token, { ...config, certificate: certificate?.sha256 });
    const source = config.issuer;
    if (checked.kind === 'unavailable') return { ...refused, verdict: checked };
    if (checked.kind === 'bad') return { ...refused, verdict: { kind: 'refused', reason: checked.reason, source } };
    return { ...(await this.vouchedBy(config, checked.claims, certificate)), until: checked.until };
  }

  /** Where a browser goes to sign in. Rejected where the issuer does not say. */
  addressOf(way: number, attempt: Attempt): Promise<string> {
    return this.clients[way]!.address(attempt);
  }

  /** The account of somebody who comes back from there. */
  async cameBack(way: number, returned: Returned, attempt: Attempt, certificate: ClientCertificate | undefined): Promise<Omit<Vouched, 'until'>> {
    const client = this.clients[way];
    if (!client) return { login: '', verdict: { kind: 'refused', reason: 'unknown-issuer' } };
    const checked = await client.redeem(returned, attempt);
    if (checked.kind === 'unavailable') return { login: '', verdict: checked };
    if (checked.kind === 'bad') return { login: '', verdict: { kind: 'refused', reason: checked.reason, source: client.rules.issuer } };
    const { login, verdict } = await this.vouchedBy(client.rules, checked.claims, certificate);
    return { login, verdict: verdict.kind === 'accepted' ? { ...verdict, method: 'oidc' } : verdict };
  }

  close(): void {
    for (const issuer of this.all) issuer.close();
  }

  /** Whom the rules of an issuer make of claims that were verified. */
  private async vouchedBy(
    { issuer: source, rules }: IssuerConfig,
    claims: Claims,
    certificate: ClientCertificate | undefined,
  ): Promise<Omit<Vouched, 'until'>> {
    const subject = String(claims['sub'] ?? '').slice(0, 256);
    const mapped = mappedBy(rules, claims);
    if (!mapped) return { login: subject, verdict: { kind: 'refused', reason: 'no-rule-matches', source } };
    const { user: login, scopes, folder } = mapped;
    const known = await this.identity.authenticateVouched({ user: login, certificate });
    const isNobody = known.kind === 'refused' && known.reason === 'unknown-user';
    const token = { id: subject, folder, scopes };
    if (!mapped.account) return { login, verdict: known.kind === 'accepted' ? { ...known, account: within(known.account, scopes), source, token } : known };
    if (known.kind === 'unavailable') return { login, verdict: known };
    // What an issuer says of its users is theirs to choose, often enough: nobody gets the name of somebody else.
    if (!isNobody) return { login, verdict: { kind: 'refused', reason: 'ambiguous', source } };
    return { login, verdict: { kind: 'accepted', account: within(mapped.account, scopes), source, method: 'jwt', token } };
  }
}

/** What a token says before anybody has verified it. */
function claimed(token: string): Claims {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}
