/** One request of the API or the page and what may be done about it: what a connection hands to the application. */
import type { AccountFiles } from '../files/account-files';
import type { HttpCaller, HttpExchange } from '../http/exchange';
import type { Account } from '../identity/identity';
import type { SessionInfo } from '../sessions/session-info';

/** Who asks. */
export interface Visitor {
  /** Tells sign-ins and tokens apart: the SHA-256 of the cookie, or the id of the token. */
  readonly key: string;
  readonly via: 'sign-in' | 'token';
  readonly account: Account;
  readonly files: AccountFiles;
  /** The folder that a token reaches, as the account names it. */
  readonly folder: string;
}

/** What became of a request to come in. */
export type Entrance =
  | { readonly kind: 'entered'; readonly visitor: Visitor; readonly cookie?: string }
  /** `isLast`: the connection has no further try. */
  | { readonly kind: 'refused'; readonly isLast: boolean }
  | { readonly kind: 'unavailable' | 'too-many-sessions' | 'locked-out' | 'gone' };

/** What of its connection a request needs. */
export interface Caller extends HttpCaller {
  /** With a password; without one, with the certificate alone. */
  signIn(user: string, password: string | undefined): Promise<Entrance>;
  /** Who is named by the request's cookie or token; undefined where it has neither. */
  visitor(headers: ReadonlyMap<string, string>): Promise<Entrance | undefined>;
  signOut(): void;
  /** The sessions of all processes. */
  who(): Promise<readonly SessionInfo[]>;
}

export interface Exchange extends HttpExchange {
  readonly caller: Caller;
}

export type Application = (exchange: Exchange) => Promise<void>;
