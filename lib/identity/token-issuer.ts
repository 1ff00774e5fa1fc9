/** Issuers of OpenID Connect and OAuth 2.0: what a platform engineer says of those who may say who somebody is, over HTTPS. */
import type { Duration } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ServerConfigInput } from '../../server/config';
import type { FilePermission } from './directory-accounts';
import type { AccountBandwidth, AccountQuota } from './ftps-account';

/** In which claim a token says whom it is for. */
export enum AudienceClaim {
  /** `aud` (RFC 7519), as nearly all of them. */
  AUD = 'aud',
  /** `client_id`, as the access tokens of Amazon Cognito, which have no `aud`. */
  CLIENT_ID = 'client_id',
}

/** What a token leaves of what its account may do. */
export enum TokenScope {
  /** Download and list. */
  READ = 'read',
  /** Upload, delete, rename, make folders. */
  WRITE = 'write',
}

/** What a token must say. */
export interface TokenClaim {
  /** Name of a claim, or the way to one within others: `realm_access.roles`. */
  readonly name: string;
  /** What it must be, or have in it where it is a list; of `scope` and `scp` a word. */
  readonly value: string;
}

/** What an account may do that no source of accounts has: those whom an issuer alone knows. */
export interface TokenAccount {
  /**
   * Folder of the account below the storage root; `{user}` is its name, `{claim}` any claim with one value.
   * @default - a folder named for the account
   */
  readonly home?: string;
  /**
   * What it may do there.
   * @default - all of them
   */
  readonly permissions?: FilePermission[];
  /**
   * Whether it may replace a file that is there, or add to it.
   * @default true
   */
  readonly overwrite?: boolean;
  /**
   * Client networks that it may come from, in CIDR form.
   * @default - any
   */
  readonly allowedNetworks?: string[];
  /**
   * Client networks that it may not come from, looked at before `allowedNetworks`.
   * @default - none
   */
  readonly deniedNetworks?: string[];
  /**
   * Sessions at once.
   * @default - as many as the server lets one account have
   */
  readonly maxSessions?: number;
  /**
   * How much its home may hold.
   * @default - no bound
   */
  readonly quota?: AccountQuota;
  /**
   * How fast all its transfers together may move bytes.
   * @default - as fast as they can
   */
  readonly bandwidth?: AccountBandwidth;
}

/** From what a token says to the account that it stands for. */
export interface TokenRule {
  /** All of them must fit. One or more: without one, everybody whom the issuer knows would come in. */
  readonly claims: TokenClaim[];
  /**
   * The account that it stands for; `{claim}` is the value of a claim. Take one that its owner can not choose, such as `sub` or `oid`. The account must be
   * there, and may be used as it says itself, unless the rule has an `account`.
   */
  readonly user: string;
  /**
   * What it leaves of what the account may do.
   * @default - both
   */
  readonly scopes?: TokenScope[];
  /**
   * Folder of the account that it is for, as the account sees it.
   * @default - all that the account has
   */
  readonly folder?: string;
  /**
   * What the account may do, where no source of accounts has it. One of that name that a source has is never used by it: then nobody is let in.
   * @default - what a source of accounts says of it
   */
  readonly account?: TokenAccount;
}

/** A button of the page by which people sign in at an issuer (OpenID Connect, authorization code with PKCE). */
export interface IssuerSignIn {
  /** What stands on the button, 60 characters at most. */
  readonly name: string;
  /** As which the service is registered there, with the address `https://HOST/api/v1/sign-in/callback`. */
  readonly clientId: string;
  /**
   * Secret with its secret there: `{"clientSecret": "…"}`, read each time. The instances may read it and no other. Where it has a key of its own, name that
   * too: `Secret.fromSecretAttributes` with `encryptionKey`.
   * @default - none; PKCE alone (RFC 7636)
   */
  readonly clientSecret?: ISecret;
  /**
   * What is asked for; `openid` must be among them.
   * @default - openid, profile, email
   */
  readonly scopes?: string[];
}

/**
 * Who else may say who somebody is, over HTTPS: an issuer of OpenID Connect or OAuth 2.0, whose JSON Web Tokens are taken as `Authorization: Bearer`, and at
 * which people may sign in. The instances reach it on the port that its address names.
 */
export interface TokenIssuer {
  /** Its address as its tokens name it (`iss`), letter by letter: `https://token.actions.githubusercontent.com`, or `userPool.userPoolProviderUrl` of Amazon Cognito. */
  readonly issuer: string;
  /**
   * Whom tokens must be for, any one of these: a value that no other service shares, because with the same one its tokens would do here as well.
   * @default - `clientId` of `signIn`; needed without it
   */
  readonly audience?: string[];
  /**
   * In which claim a token says that.
   * @default AudienceClaim.AUD
   */
  readonly audienceClaim?: AudienceClaim;
  /**
   * Signatures that are taken (RFC 7518 section 3.1), `ES256` for example. `TlsPolicy.FIPS` takes no EdDSA.
   * @default - every asymmetric one: RS, PS and ES with SHA-256, 384 and 512, EdDSA
   */
  readonly algorithms?: string[];
  /**
   * Where its keys are (RFC 7517).
   * @default - where `/.well-known/openid-configuration` below the issuer says
   */
  readonly jwksUri?: string;
  /**
   * Authorities of its own certificate, in PEM.
   * @default - the well-known ones
   */
  readonly ca?: string;
  /**
   * How far its clock and the server's may be apart, five minutes at most.
   * @default Duration.minutes(1)
   */
  readonly clockSkew?: Duration;
  /**
   * How long its keys are used before they are asked for again. One that is not among them has them asked for at once.
   * @default Duration.minutes(10)
   */
  readonly keysTtl?: Duration;
  /** The first rule whose claims fit decides; a token that none fits is refused. They look at the ID token of whoever signs in, too. */
  readonly rules: TokenRule[];
  /**
   * A button of the page by which people sign in there.
   * @default - none
   */
  readonly signIn?: IssuerSignIn;
}

type HttpsInput = NonNullable<ServerConfigInput['https']>;

/** What the server is told of them. It is checked with the other settings, which is why types end here. */
export function issuerSettings(issuers: readonly TokenIssuer[]): Pick<HttpsInput, 'issuers' | 'signInWith'> {
  return {
    issuers: issuers.map(issuerOf) as HttpsInput['issuers'],
    signInWith: withSignIn(issuers).map(({ issuer, signIn: { name, clientId, clientSecret, scopes } }) =>
      given({ name, issuer, clientId, clientSecretId: clientSecret?.secretArn, scopes }),
    ) as HttpsInput['signInWith'],
  };
}

/** Secrets that the instances read for them. */
export function issuerSecrets(issuers: readonly TokenIssuer[] = []): ISecret[] {
  return withSignIn(issuers).flatMap(({ signIn: { clientSecret } }) => clientSecret ?? []);
}

/** The prop that a key of the server's settings below `https` stands for. */
export function issuerProp(key: string, issuers: readonly TokenIssuer[] = []): string {
  const [, index, rest] = /^https\.signInWith\[(\d+)\](.*)$/.exec(key) ?? [];
  const prop = index === undefined ? key : `https.issuers[${issuers.indexOf(withSignIn(issuers)[Number(index)]!)}].signIn${rest}`;
  return prop
    .replace(/\.clientSecretId$/, '.clientSecret')
    .replace(/\.skewSeconds$/, '.clockSkew')
    .replace(/\.keysSeconds$/, '.keysTtl')
    .replace(/\.quota\.bytes$/, '.quota.size')
    .replace(/\.bandwidth\.(download|upload)BytesPerSecond$/, '.bandwidth.$1');
}

function issuerOf(one: TokenIssuer) {
  const { issuer, audience, audienceClaim, algorithms, jwksUri, ca, clockSkew, keysTtl, rules, signIn } = one;
  return given({
    issuer,
    audience: audience ?? (signIn && [signIn.clientId]),
    audienceClaim,
    algorithms,
    jwksUri,
    ca,
    skewSeconds: clockSkew?.toSeconds(),
    keysSeconds: keysTtl?.toSeconds(),
    // What is missing, which JavaScript lets pass, is named where everything is checked.
    rules: rules?.map(({ claims, user, scopes, folder, account }) =>
      given({ claims: claims?.map(({ name, value }) => ({ name, value })), user, scopes, folder, account: account && accountOf(account) }),
    ),
  });
}

function accountOf({ home, permissions, overwrite, allowedNetworks, deniedNetworks, maxSessions, quota, bandwidth }: TokenAccount) {
  return given({
    home: home ?? '/{user}',
    permissions,
    overwrite,
    allowedNetworks,
    deniedNetworks,
    maxSessions,
    quota: quota && given({ bytes: quota.size?.toBytes(), files: quota.files }),
    bandwidth: bandwidth && given({ downloadBytesPerSecond: bandwidth.download?.toBytes(), uploadBytesPerSecond: bandwidth.upload?.toBytes() }),
  });
}

function withSignIn(issuers: readonly TokenIssuer[]): (TokenIssuer & { readonly signIn: IssuerSignIn })[] {
  return issuers.filter((one): one is TokenIssuer & { readonly signIn: IssuerSignIn } => one.signIn !== undefined);
}

/** Without the keys that nobody gave. */
function given(keys: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
}
