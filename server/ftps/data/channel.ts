/** A data connection that is encrypted, tied to its session, and ready for one transfer. */
import type { TLSSocket } from 'node:tls';
import type { SessionFacts, TlsFacts } from '../../audit/event';
import type { DataTlsReuse } from '../../config';
import { BrokenOff } from '../../files/progress';
import type { SignOfLife } from './sign-of-life';

/** Which way the bytes go. `in` is watched for the end of its TLS stream. */
export type Direction = 'in' | 'out';

/**
 * What tied the connection to its session. `same-account`: it resumed another session of the same account from the same address.
 * `address` is no proof: the same client address, and nobody else waited there.
 */
export type Binding = 'resumed' | 'same-certificate' | 'same-account' | 'address';

export interface DataChannel {
  readonly socket: TLSSocket;
  /** What the handshake negotiated. */
  readonly tls: TlsFacts;
  readonly binding: Binding;
  /** Whether what was received ended by close_notify. */
  endedByCloseNotify(): boolean;
  /** Must be called before anything is sent on a channel that was there before its direction was known. */
  turnOutgoing(): void;
  /** Ends our side of an upload with close_notify. To be called when the client's side has ended. */
  sayGoodbye(): void;
}

/** A data connection that was agreed on (PASV, EPSV, PORT, EPRT) and is not there yet. */
export interface PendingData {
  /** The transfer command has come; its connection may be waited for later. */
  commanded(): void;
  /** Waits for the connection. Throws a DataConnectionError. May be called once. */
  connected(direction: Direction): Promise<DataChannel>;
  /** Gives up what is pending or ready. */
  cancel(): void;
}

/** The control session as the data path sees it. */
export interface DataOwner {
  /** Address of the client, IPv4 in plain form. */
  readonly address: string;
  readonly facts: SessionFacts;
  readonly dataTlsReuse: DataTlsReuse;
  /** SHA-256 of the certificate that the client proved on the control connection. */
  readonly clientCertificate?: string;
  readonly clientCertificates: 'off' | 'optional' | 'required';
  readonly maxTlsVersion: 'TLSv1.2' | 'TLSv1.3';
  /** What the last data connection showed about this client; the data path keeps it here. */
  resumption: Resumption;
  /**
   * Whether this client waits for our close_notify at the end of an upload before it closes, and so has read all that we sent; undefined while
   * that is not known. The data path keeps it here.
   */
  waitsForGoodbye?: boolean;
  /** When such a client gets new sessions. */
  readonly signOfLife: SignOfLife;
  /** Whether the client's last connection was there before its transfer command, as a client's is that connects first. The data path keeps it here. */
  connectsFirst?: boolean;
  /** What the ClientHello of the control connection shows of the client's TLS software. */
  readonly software?: string;
}

/**
 * Whether a client can be expected to resume a session on its next data connection. `unknown`: none was made yet. `expected`:
 * it resumed, and has read a newer session since. `doubtful`: it never resumes, or (small uploads under TLS 1.3) it closed
 * before it can have read the session it was sent.
 */
export type Resumption = 'unknown' | 'expected' | 'doubtful';

export type DataFailure =
  /** Nobody connected in time. */
  | 'timeout'
  /** A connection came and was gone before its handshake was done. */
  | 'lost'
  /** Somebody connected who could not show that they are this session's client. */
  | 'not-resumed'
  /** The client could not be reached (active mode). */
  | 'unreachable'
  /** No passive port became free for this client. */
  | 'exhausted'
  /** The firewall could not be opened for this client. */
  | 'firewall'
  | 'cancelled';

export class DataConnectionError extends BrokenOff {
  constructor(
    readonly code: DataFailure,
    message: string,
  ) {
    super(message);
    this.name = 'DataConnectionError';
  }
}
