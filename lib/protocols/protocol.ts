/** What a protocol opens and by what it is known, said once: whatever opens a port, carries it, counts, shows or tells of it reads it here. */
import type { ServerConfigInput } from '../../server/config';
import type { AuditQuery } from '../logs/audit-queries';
import type { FtpsServerSettings } from '../server-settings';

/** Ports that follow one another and are for the same. */
export interface Opening {
  /** As rules call them: `FTPS control 21`. */
  readonly label: string;
  readonly low: number;
  readonly high: number;
  /** Whether sessions begin there: such a port leads to any instance, another to the one that asked its client to come. */
  readonly beginsSessions: boolean;
  /** Whether all connections of a client belong at one instance, where one may know what another does not. */
  readonly sticky?: boolean;
}

/** Settings of the server that its ports are read from. */
export interface Served {
  readonly listeners: readonly { readonly port: number }[];
  readonly passive: { readonly ports: string };
  readonly sftp?: { readonly port: number };
  readonly https?: { readonly port: number };
  readonly as2?: { readonly port?: number; readonly plainPort?: number; readonly path?: string; readonly identity: { readonly url?: string } };
}

/** What other constructs know and a protocol has to tell the server. */
export interface ProtocolParts {
  /** Where the authorities of client certificates and their revocation lists are. */
  readonly clientTrust?: { readonly authorities: string; readonly revocations?: string };
  /** What PASV replies with, unless the settings say otherwise. */
  readonly advertisedAddress: string;
  /** The table that all instances share, where there is one. */
  readonly lockoutTable?: string;
  /** Secret with the host keys of SSH. */
  readonly hostKeySecretId?: string;
  /** Secret with the keys of AS2. */
  readonly as2KeysSecretId?: string;
  /** Host name that clients connect to. */
  readonly domainName?: string;
}

/** A value of the stack that partners or operators ask for. */
export interface ProtocolOutput {
  readonly id: string;
  readonly value: string;
  readonly description: string;
}

/** A question to the audit whose answer stands on the dashboard, as lines of CloudWatch Logs Insights. */
export interface ProtocolRow {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What goes wrong in one protocol alone: lines of the audit that are counted, each of which calls somebody. */
export interface ProtocolFailure {
  readonly name: string;
  /** Of CloudWatch (CloudWatch Logs user guide, "Filter pattern syntax for metric filters"). */
  readonly pattern: string;
  readonly words: string;
}

/** What goes wrong with each partner by itself: lines of the audit that name one of those that the settings know. */
export interface PeerFailures {
  readonly name: string;
  readonly dimension: string;
  /** Attribute that names the partner. */
  readonly attribute: string;
  readonly patterns: readonly string[];
  words(peer: string): string;
}

export interface Protocol {
  /** As people call it, and as rules and messages do. */
  readonly name: string;
  /** As names of metrics and resources begin. */
  readonly id: string;
  /** As lines of the audit call it (`unmapped.protocol`). */
  readonly audited: string;
  /** What its handshakes are handshakes of. */
  readonly handshakes: string;
  /** Its part of the settings of the server; nothing where it is off. */
  settings(said: FtpsServerSettings, parts: ProtocolParts): Partial<ServerConfigInput>;
  /** The block of those settings without which it is off, and what switches it on; none for what is always there. */
  readonly block?: { readonly key: 'sftp' | 'https' | 'as2'; readonly from: string };
  /** Settings of the server that follow from something else, and from what. */
  readonly derived: readonly (readonly [key: string, from: string])[];
  /** What it opens; nothing where it is off. */
  openings(served: Served): readonly Opening[];
  outputs(served: Served, domainName: string): readonly ProtocolOutput[];
  /** Whether its clients log in; false where whoever sends is known by a signature. */
  readonly logsIn: boolean;
  readonly failures: readonly ProtocolFailure[];
  readonly failuresByPeer?: PeerFailures;
  /** What is asked of its lines alone, beside what is asked of every protocol's. */
  readonly rows: readonly ProtocolRow[];
  /** The same, saved for whoever looks into the archive. `table` is the table's name. */
  queries(table: string): readonly AuditQuery[];
}
