/** What every protocol is given when it is opened, and what it is from then on to whoever opened it. */
import type { Audit } from '../audit/event';
import type { Files } from '../files/files';
import type { Identity } from '../identity/identity';
import type { Limits } from '../limits/limits';
import type { Newcomers } from '../limits/newcomers';
import type { ServerCertificates } from '../tls/certificates';
import type { Sessions } from './registry';

/** The parts that every protocol works with; one set for a process. */
export interface ProtocolParts {
  readonly audit: Audit;
  readonly identity: Identity;
  readonly files: Files;
  readonly limits: Limits;
  /** The turns of those who have not logged in. */
  readonly newcomers: Newcomers;
  readonly certificates: ServerCertificates;
  /** Where each session is noted as long as it is open. */
  readonly sessions: Sessions;
}

/** A port that is open. */
export interface OpenPort {
  readonly mode: 'explicit' | 'implicit' | 'sftp' | 'https' | 'as2' | 'as2-plain';
  readonly host: string;
  readonly port: number;
}

export interface OpenProtocol {
  readonly ports: readonly OpenPort[];
  /** Takes no more connections; those that still arrive are refused. */
  stopTaking(): void;
  /** Looks at keys of its own again. False where something was refused and the last good one stays. */
  reload?(): Promise<boolean>;
  /** Ends what still goes on, and closes the ports. */
  close(): Promise<void>;
}
