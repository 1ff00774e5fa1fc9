/** What every session is, whatever its protocol: for the console, SITE WHO, kick and drain. */
import type { Protocol } from '../audit/event';

export type CloseReason = 'quit' | 'client' | 'idle' | 'drain' | 'login-timeout' | 'refused' | 'error' | 'kicked';

/** A transfer that is running. */
export interface RunningTransfer {
  readonly command: string;
  readonly path: string;
  readonly progress: TransferProgress;
  readonly done: Promise<void>;
  /** A command that works for long and moves no data: nothing was replied to it yet, and it does not keep a server that goes down. */
  readonly needsNoData?: true;
}

export interface TransferProgress {
  readonly bytes: number;
  /** Bytes there will be at the end, where that is known. */
  readonly total: number | undefined;
  readonly seconds: number;
  abort(): void;
}

export interface Session {
  /** The same in the audit. */
  readonly id: string;
  readonly protocol: Protocol;
  /** By which it came: the mode of an FTPS listener, or `sftp`. */
  readonly listener: string;
  /** Of the client. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** Absent until it has logged in. */
  readonly account: { readonly user: string } | undefined;
  /** The one that is running; of several the one that has run longest. */
  readonly transfer: RunningTransfer | undefined;
  /** Fulfilled when the connection is gone. */
  readonly closed: Promise<void>;
  /** `drain`: lets transfers finish first. `kicked`: ends them. Either says why, in the protocol's way, and closes. Never rejected. */
  dismiss(reason: 'drain' | 'kicked', text: string): Promise<void>;
}
