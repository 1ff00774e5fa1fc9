/** One request and what may be done about it: what a connection hands to the application. */

import type { AccountFiles } from '../files/account-files';
import type { Progress } from '../files/progress';
import type { Account, ClientCertificate } from '../identity/identity';
import type { SessionInfo } from '../sessions/session-info';
import type { Body } from './http/body';
import type { Head } from './http/head';
import type { Reply } from './http/reply';

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
export interface Caller {
  readonly address: string;
  /** That was proven in the handshake. */
  readonly certificate: ClientCertificate | undefined;
  /** With a password; without one, with the certificate alone. */
  signIn(user: string, password: string | undefined): Promise<Entrance>;
  /** Who is named by the request's cookie or token; undefined where it has neither. */
  visitor(headers: ReadonlyMap<string, string>): Promise<Entrance | undefined>;
  signOut(): void;
  /** Notes a transfer; the returned function, called once, that it is over. */
  begins(command: string, path: string, progress: Progress): () => void;
  /** Aborted when the client is gone, or the server or an administrator wants it gone. */
  readonly gone: AbortSignal;
  /** The sessions of all processes. */
  who(): Promise<readonly SessionInfo[]>;
  refused(head: Head, status: number, reason: string): void;
  readonly stallSeconds: number;
}

export interface Exchange {
  readonly head: Head;
  readonly body: Body;
  readonly reply: Reply;
  readonly caller: Caller;
  /** The connection ends with the answer. */
  endsConnection(): void;
}

export type Application = (exchange: Exchange) => Promise<void>;
