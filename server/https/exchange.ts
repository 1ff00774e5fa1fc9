/** One request of the API or the page and what may be done about it: what a connection hands to the application. */
import type { AccountFiles } from '../files/account-files';
import type { HttpCaller, HttpExchange } from '../http/exchange';
import type { Account } from '../identity/identity';
import type { Attempt, Returned } from '../identity/issuers/client';
import type { Scope } from '../identity/scopes';
import type { SessionInfo } from '../sessions/session-info';
import type { LinkProof } from './links/proof';
import type { LinkRecord } from './links/record';

/** Who asks. */
export interface Visitor {
  /** Tells them apart: the SHA-256 of the cookie or of an issuer's token, or the id of a token of ours or of a link. */
  readonly key: string;
  readonly via: 'sign-in' | 'token' | 'link';
  readonly account: Account;
  readonly files: AccountFiles;
  /** Scopes of a token that short-lived ones are made of; absent where none are. */
  readonly grants?: readonly Scope[];
  /** The folder that a token reaches, as the account names it. */
  readonly folder: string;
  /** Kinds of links that it can make for somebody else. */
  readonly makes: readonly LinkRecord['kind'][];
  /** By which somebody without an account came in, and uses this one's files. */
  readonly link?: LinkRecord;
}

/** Whether a path, absolute, lies in the folder that a visitor reaches. */
export function isWithin(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/** What became of a request to come in. */
export type Entrance =
  | { readonly kind: 'entered'; readonly visitor: Visitor; readonly cookie?: string }
  /** `isLast`: the connection has no further try. */
  | { readonly kind: 'refused'; readonly isLast: boolean }
  | { readonly kind: 'unavailable' | 'too-many-sessions' | 'locked-out' | 'gone' }
  /** Of links: it is good for nothing any more; its password is missing, or wrong. */
  | { readonly kind: 'link-over' | 'link-password'; readonly isLast: boolean };

/** What of its connection a request needs. */
export interface Caller extends HttpCaller {
  /** With a password; without one, with the certificate alone. */
  signIn(user: string, password: string | undefined, code?: string): Promise<Entrance>;
  /** Who is named by the request's cookie or token; undefined where it has neither. */
  visitor(headers: ReadonlyMap<string, string>): Promise<Entrance | undefined>;
  /** Who comes by a link, whose address this is. */
  byLink(address: string, proof: LinkProof): Promise<Entrance>;
  /** Names of where else people can sign in. */
  readonly ways: readonly string[];
  /** Where a browser goes that signs in at one of them. */
  addressOf(way: number, attempt: Attempt): Promise<string>;
  /** Who comes back from there. */
  signInElsewhere(way: number, returned: Returned, attempt: Attempt): Promise<Entrance>;
  /** Counts an attempt of somebody who has nothing to show. */
  nobody(): Entrance;
  signOut(): void;
  /** The sessions of all processes. */
  who(): Promise<readonly SessionInfo[]>;
  /** Tells the audit what was done with a link. */
  toldOfLink(command: 'LINK' | 'UNLINK' | 'USE', code: number, link: Pick<LinkRecord, 'id' | 'path'>): void;
}

export interface Exchange extends HttpExchange {
  readonly caller: Caller;
}

export type Application = (exchange: Exchange) => Promise<void>;
