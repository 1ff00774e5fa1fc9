/** One request and what may be done about it: what a connection hands to whoever answers. */
import type { SessionFacts } from '../audit/event';
import type { Progress } from '../files/progress';
import type { ClientCertificate } from '../identity/identity';
import type { Body } from './body';
import type { Head } from './head';
import type { Reply } from './reply';

/** What of its connection a request needs. */
export interface HttpCaller {
  readonly address: string;
  readonly facts: SessionFacts;
  /** That was proven in the handshake. */
  readonly certificate: ClientCertificate | undefined;
  /** Whether the connection is encrypted. */
  readonly isEncrypted: boolean;
  /** Notes a transfer; the returned function, called once, that it is over. */
  begins(command: string, path: string, progress: Progress): () => void;
  /** Aborted when the client is gone, or the server or an administrator wants it gone. */
  readonly gone: AbortSignal;
  refused(head: Pick<Head, 'method' | 'path'>, status: number, reason: string): void;
  readonly stallSeconds: number;
  /** Who asks has proven in another way than by logging in whose account it is: the connection is no stranger's any more. */
  proven(user: string): Promise<void>;
}

export interface HttpExchange {
  readonly head: Head;
  readonly body: Body;
  readonly reply: Reply;
  readonly caller: HttpCaller;
  /** The connection ends with the answer. */
  endsConnection(): void;
}

/** Answers every request in one way or another. Throws a Disconnected where the client is gone, and nothing else. */
export type HttpApplication = (exchange: HttpExchange) => Promise<void>;

/** What another protocol answers on a port of HTTPS: the requests of one path. */
export interface Mounted {
  readonly path: string;
  readonly application: HttpApplication;
}
