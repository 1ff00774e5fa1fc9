/** What every source of accounts answers: is this who they say, and what may they do. */
import type { AccountRules, AccountToken } from '../config';
import type { AccessToken } from './access-token';
import type { Scope } from './scopes';

/** An account that has logged in, with the rules that apply to it. */
export interface Account extends AccountRules {
  readonly user: string;
}

/** What a verified client certificate says. Only ever filled in when its chain, dates and revocation were checked. */
export interface ClientCertificate {
  /** SHA-256 of the DER, lower-case hexadecimal without colons. */
  readonly sha256: string;
  readonly commonName?: string;
  /** `DNS:…`, `email:…`, `URI:…` as Node prints them. */
  readonly subjectAltNames: readonly string[];
  readonly serialNumber: string;
}

/** What a certificate of SSH says. Only ever filled in when signature, dates, revocation and ties of it were checked. */
export interface SshCertificate {
  /** The key of who signed it, as SSH writes it. */
  readonly authority: Buffer;
  /** Whether the server takes certificates of this authority for every account. */
  readonly isTrusted: boolean;
  readonly principals: readonly string[];
}

/** A key that somebody has or offers; whether he has its private half is for SSH to say. */
export interface KeyCredentials {
  readonly user: string;
  /** As SSH writes it. */
  readonly key: Buffer;
  /** Where the key comes in one. It then has to stand for the account; whether the key is one of the account's does not matter. */
  readonly certificate?: SshCertificate;
}

export interface Credentials {
  readonly user: string;
  /** Absent where only the certificate is to be checked, right after USER. */
  readonly password?: string;
  /** Of an authenticator app, where it comes in a field of its own; otherwise it stands behind the password. */
  readonly code?: string;
  /** By which it is asked; absent, none that an account could have as an exception. */
  readonly protocol?: 'ftps' | 'ssh' | 'https';
  readonly certificate?: ClientCertificate;
  /** Whether a key of the account was proven before, which is as good as a certificate. */
  readonly hasKey?: boolean;
  readonly address: string;
  /** Whether this address has logged in lately: its password is looked at before that of a stranger. */
  readonly isKnown?: boolean;
}

/** What a token says of itself, and who sends it. */
export interface TokenCredentials {
  readonly token: { readonly user: string; readonly id: string; readonly secret: string } | AccessToken;
  readonly certificate?: ClientCertificate;
  readonly address: string;
}

/** Somebody for whom an issuer of the settings vouches, as one of its rules maps it. */
export interface VouchedCredentials {
  readonly user: string;
  readonly certificate?: ClientCertificate;
}

/** Why a login was refused. For the audit; the client hears the same 530 for all of them. */
export type RefusalReason =
  | 'unknown-user'
  | 'wrong-password'
  /** The password was right, and the code was wrong, missing or used before. */
  | 'wrong-code'
  | 'account-disabled'
  | 'account-expired'
  | 'account-locked'
  | 'password-expired'
  | 'no-rule-matches'
  /** Two entries of a directory answer to the login. */
  | 'ambiguous'
  | 'certificate-required'
  | 'certificate-not-mapped'
  /** Over SSH: the account has to prove a key as well, or instead. */
  | 'key-required'
  | 'unknown-key'
  | 'unknown-token'
  | 'token-expired'
  /** Links: there is none of that secret; its time is over, or its account's rights are; its password is missing or wrong. */
  | 'unknown-link'
  | 'link-over'
  | 'link-password'
  /** Tokens of issuers: nobody whom the settings name, badly signed or made, for somebody else. */
  | 'unknown-issuer'
  | 'token-not-valid'
  | 'wrong-audience'
  /** Certificates of SSH: the authority is none of the account's or the server's, or the certificate does not name the account. */
  | 'unknown-authority'
  | 'principal-not-listed'
  /** Out of date, of a host, badly signed, or tied to what is not known here. */
  | 'certificate-not-valid'
  | 'key-revoked'
  | 'address-not-allowed'
  | 'locked-out'
  | 'too-many-sessions';

export type Verdict =
  | {
      readonly kind: 'accepted';
      readonly account: Account;
      readonly source: string;
      readonly method:
        | 'password'
        | 'password+totp'
        | 'password+certificate+totp'
        | 'publickey+password+totp'
        | 'certificate'
        | 'password+certificate'
        | 'publickey'
        | 'publickey+password'
        | 'session'
        | 'token'
        | 'link'
        | 'jwt'
        | 'oidc';
      /** What was proven is good for this login alone, and for nobody who asks the same at the same moment. */
      readonly once?: true;
      /** Of the record whose password was right, where the source has records: see `AccountRecord`. */
      readonly fingerprint?: string;
      /** By which it came in. The permissions of `account` are what its scopes leave of them. `id`: of a token of an issuer, its subject. */
      readonly token?: {
        readonly id: string /** The folder that it reaches, as the account names it. */;
        readonly folder: string /** Scopes for which short-lived tokens are made of it; absent where none are. */;
        readonly grants?: readonly Scope[];
        /** What a rule of an issuer leaves of the account. */
        readonly scopes?: readonly Scope[];
      };
      /** By which somebody came in who has no account. The permissions of `account` are what is left of them for the link. */
      readonly link?: { readonly id: string };
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly source?: string }
  /** The source could not answer (directory down). The client hears 421. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** An account as its source has it now. */
export interface AccountRecord {
  readonly account: Account;
  readonly source: string;
  /** Changes with everything that is said of the account, its password's hash included. */
  readonly fingerprint: string;
  /** Those that it has, without their secrets. */
  readonly tokens: readonly Pick<AccountToken, 'id' | 'scopes' | 'folder' | 'expires'>[];
}

/**
 * One source of accounts, or several in order. `authenticate` takes the same time for an unknown user and a wrong
 * password, and never throws for either.
 */
export interface Identity {
  /** The name that failures are counted under: the same for every spelling of one account (`CORP\\Ann`, `ann@corp.example.com`). */
  nameOf(login: string): string;
  authenticate(credentials: Credentials): Promise<Verdict>;
  /** Whether the certificate alone logs this user in, asked at USER (RFC 4217 section 4 lets 232 answer). Same shape of answer. */
  authenticateByCertificate(credentials: Credentials & { readonly certificate: ClientCertificate }): Promise<Verdict>;
  /** Whether a public key, or the certificate that it comes in, is one of this user's. Same shape of answer. */
  authenticateByKey(credentials: KeyCredentials): Promise<Verdict>;
  /** Whether a token is one of this user's, and good from there and now. Same shape of answer. */
  authenticateByToken(credentials: TokenCredentials): Promise<Verdict>;
  /** Whether somebody may come in as this user for whom an issuer vouches. Same shape of answer. */
  authenticateVouched(credentials: VouchedCredentials): Promise<Verdict>;
  /**
   * The rules of an account as they are now, asked for without a login. `none`: there is no such account. `unknown`: the source can't
   * say, as a directory that is only asked with the user's own password. Rejected where the source does not answer.
   */
  rulesOf(user: string): Promise<Account | 'none' | 'unknown'>;
  /** The same with what its password was checked against. `unknown` as well where the source checks passwords elsewhere. */
  recordOf(user: string): Promise<AccountRecord | 'none' | 'unknown'>;
  close(): Promise<void>;
}
