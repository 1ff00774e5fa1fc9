/** Everything the server reports, in the server's own words. `ocsf.ts` turns each into a line that a SIEM reads. */
import type { RefusalReason } from '../identity/identity';
import type { ServerDetail } from './schema';

/** What is spoken with a client. */
export type Protocol = 'ftps' | 'ssh' | 'https' | 'as2';

/** Which session an event belongs to. */
export interface SessionFacts {
  /** Unique per control connection, empty where there is none. */
  readonly session: string;
  readonly protocol: Protocol;
  /** By which port it came. `passive`: a connection on a passive port that belongs to no session; `session` is then empty. */
  readonly listener: 'explicit' | 'implicit' | 'passive' | 'sftp' | 'https' | 'as2';
  readonly client: { readonly address: string; readonly port: number };
  readonly server: { readonly address: string; readonly port: number };
  /** Present once logged in. */
  readonly user?: string;
  /** Whoever it is has only said the name of `user`, and may be anybody: a stranger. Not told. */
  readonly isUnproven?: boolean;
}

export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** IANA name, for example `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  readonly group?: string;
  readonly serverName?: string;
  readonly resumed: boolean;
  /** SHA-256 of the client certificate, where one was verified. */
  readonly clientCertificate?: string;
  readonly clientCertificateSubject?: string;
}

export interface SshFacts {
  /** As the client calls itself. */
  readonly software: string;
  readonly keyExchange: string;
  readonly hostKey: string;
  /** Of what the client sends, and of what it is sent; with the MAC where the cipher is none by itself. */
  readonly cipherIn: string;
  readonly cipherOut: string;
  /** Whether both ends keep to strict key exchange (CVE-2023-48795). */
  readonly strict: boolean;
}

/** The key that somebody logs in with over SSH, or tries to. */
export interface KeyProof {
  /** `SHA256:…`. */
  readonly key: string;
  /** What the certificate says that it comes in; not to be believed where the login failed. */
  readonly certificate?: {
    readonly keyId: string;
    readonly serial: string;
    /** The key of the authority, `SHA256:…`. */
    readonly authority: string;
  };
}

/** Why a handshake failed or a connection was dropped before it had one. */
export type HandshakeFailure =
  | 'no-shared-cipher'
  | 'unsupported-protocol'
  | 'no-shared-group'
  | 'plain-text'
  | 'bytes-before-upgrade'
  | 'timeout'
  | 'disconnected'
  | 'client-rejected-certificate'
  | 'client-certificate-missing'
  | 'client-certificate-unknown-ca'
  | 'client-certificate-expired'
  | 'client-certificate-revoked'
  | 'client-certificate-invalid'
  | 'malformed';

export type Refusal =
  /** A connection on a passive port that no waiting session owns. */
  | 'stranger'
  | 'session-not-resumed'
  | 'other-session'
  | 'address-differs'
  | 'bounce'
  /** A login or other command in plain text that is only taken over TLS. */
  | 'tls-required'
  | 'line-too-long'
  | 'nul-in-line'
  | 'malformed-line'
  | 'too-many-sessions'
  | 'too-many-sessions-for-address'
  | 'too-many-connections'
  | 'network-not-allowed'
  | 'locked-out'
  /** A shell, a tunnel or a command, over SSH. */
  | 'not-offered'
  | 'draining'
  | 'proxy-header'
  /** Something that is no HTTP, or leaves open where a request ends. */
  | 'malformed-request'
  /** A request of a web page of somebody else's. */
  | 'other-site';

/** `alive` is said every `audit.heartbeatSeconds`: its absence tells of a server, or of a way to the logs, that is broken. */
export type ServerChange = 'started' | 'alive' | 'draining' | 'drain-timed-out' | 'stopped' | 'worker-lost' | 'worker-started';

export type TransferKind = 'download' | 'upload' | 'listing';

export type ServerEvent =
  | ({ readonly kind: 'connection-opened' } & SessionFacts)
  | ({
      readonly kind: 'connection-closed';
      readonly seconds: number;
      readonly reason: 'quit' | 'client' | 'idle' | 'drain' | 'login-timeout' | 'refused' | 'error' | 'kicked';
    } & SessionFacts)
  /** A connection, or a request, turned away. The session goes on where there is one. */
  | ({ readonly kind: 'refused'; readonly reason: Refusal; readonly channel: 'control' | 'data'; readonly detail?: string } & SessionFacts)
  | ({
      readonly kind: 'tls-established';
      readonly channel: 'control' | 'data';
      readonly tls: TlsFacts /** Data only: what tied it to its control session. */;
      readonly binding?: 'resumed' | 'same-certificate' | 'same-account' | 'address';
    } & SessionFacts)
  /** Keys were agreed on with a client of SSH. */
  | ({ readonly kind: 'ssh-established'; readonly ssh: SshFacts } & SessionFacts)
  | ({
      readonly kind: 'handshake-failed';
      readonly channel: 'control' | 'data';
      readonly reason: HandshakeFailure /** OpenSSL's own words. */;
      readonly detail?: string;
    } & SessionFacts)
  | ({
      readonly kind: 'login';
      readonly outcome: 'success' | 'failure' | 'unavailable';
      readonly login: string;
      readonly method?: string;
      readonly source?: string;
      /** Id of the token by which it came; of a token of an issuer, its subject. */
      readonly token?: string;
      /** Id of the link by which somebody without an account came. */
      readonly link?: string;
      readonly reason?: RefusalReason | string;
      readonly proof?: KeyProof;
    } & SessionFacts)
  | ({ readonly kind: 'lockout'; readonly scope: 'address' | 'account'; readonly login?: string; readonly seconds: number } & SessionFacts)
  /** Every command that changes something or is refused, with the reply's code in the protocol; the argument is left out for PASS and ACCT. */
  | ({
      readonly kind: 'command';
      readonly command: string;
      readonly argument?: string;
      readonly code: number;
      /** Of SFTP, whose codes are no replies of FTP. */
      readonly refused?: true;
      readonly path?: string;
      readonly renamedTo?: string;
      /** A file that had the new name is gone. */
      readonly replaced?: true;
    } & SessionFacts)
  /** A request over HTTPS that was refused; what was done is told as a command or a transfer. */
  | ({
      readonly kind: 'request';
      readonly method: string;
      /** Of the URL; without its parameters. */
      readonly path: string;
      readonly status: number;
      /** Why, one word that can be counted. */
      readonly reason: string;
    } & SessionFacts)
  /** A message of AS2 that has come, or a receipt, and what was made of it; its files are told as transfers besides. */
  | ({
      readonly kind: 'as2-message';
      readonly direction: 'received';
      readonly what: 'message' | 'repeated message' | 'receipt';
      /** AS2 name. */
      readonly partner: string;
      readonly messageId: string;
      readonly outcome: 'success' | 'failure';
      /** As the receipt has it. */
      readonly disposition: string;
      /** From the outside in. */
      readonly layers?: string;
      readonly mic?: string;
      /** Of all payloads. */
      readonly bytes: number;
      /** How it is receipted. */
      readonly receipt: 'sync' | 'async' | 'none';
      readonly path: string;
      readonly status: number;
      readonly detail?: string;
    } & SessionFacts)
  | ({
      readonly kind: 'transfer';
      readonly transfer: TransferKind;
      readonly command: string;
      readonly path: string;
      readonly outcome: 'success' | 'failure' | 'aborted';
      readonly bytes: number;
      readonly offset: number;
      readonly seconds: number;
      readonly sha256?: string;
      readonly encrypted: boolean;
      readonly verdict?: {
        readonly result: 'clean' | 'infected' | 'unscanned' | 'error' | 'too-large';
        readonly signature?: string;
        readonly engine?: string;
        /** Why there is no verdict. */
        readonly detail?: string;
        /** Id in the quarantine. */
        readonly quarantined?: string;
      };
      readonly reason?: string;
    } & SessionFacts)
  | ({ readonly kind: 'passive-port'; readonly change: 'opened' | 'used' | 'expired'; readonly port: number } & SessionFacts)
  /** A file that was older than its account's retention, deleted. */
  | {
      readonly kind: 'retention';
      readonly user: string;
      readonly home: string;
      readonly path: string;
      readonly bytes: number;
      /** ISO 8601. */
      readonly modified: string;
    }
  | {
      /** A file that an operator let go from the quarantine, or deleted there. */
      readonly kind: 'quarantine';
      readonly change: 'released' | 'deleted';
      readonly outcome: 'success' | 'failure';
      /** Of the operating system. */
      readonly operator: string;
      readonly id: string;
      readonly state: string;
      readonly user: string;
      readonly home: string;
      readonly path: string;
      readonly bytes: number;
      readonly sha256?: string;
      readonly signature?: string;
      readonly engine?: string;
      /** Why it failed. */
      readonly reason?: string;
    }
  | {
      /** What was started after an upload became visible. */
      readonly kind: 'after-release';
      readonly what: 'command' | 'event' | 'webhook';
      /** Name of the webhook. */
      readonly endpoint?: string;
      readonly outcome: 'success' | 'failure';
      readonly user: string;
      readonly path: string;
      readonly session: string;
      readonly seconds: number;
      readonly reason?: string;
    }
  | {
      /** An attempt of ours to send a message or a receipt to a partner of AS2, and what became of it. */
      readonly kind: 'as2-delivery';
      /** `received message`: one whose delivery a crash has cut. */
      readonly what: 'message' | 'receipt' | 'received message';
      readonly partner: string;
      readonly user: string;
      /** Absent where there is no message yet. */
      readonly messageId?: string;
      readonly outcome: 'success' | 'failure';
      /** `delivered` `failed` `awaiting` (its receipt) `waiting` (for the next attempt) `incomplete` (a folder that lacks what its list names) `sent` `given-up` (a receipt, or a message that came). */
      readonly state: string;
      /** Of the file, or the folder. */
      readonly path?: string;
      /** Of all payloads. */
      readonly bytes?: number;
      /** In the order of the message; digests where it was sent. */
      readonly payloads?: readonly { readonly name: string; readonly bytes: number; readonly sha256?: string }[];
      readonly disposition?: string;
      readonly detail?: string;
    }
  | { readonly kind: 'server'; readonly change: ServerChange; readonly detail?: ServerDetail }
  | { readonly kind: 'configuration'; readonly change: 'loaded' | 'reloaded' | 'refused'; readonly what: string; readonly detail?: string }
  | {
      readonly kind: 'certificate';
      /** `served` is said every hour, so that a certificate that nobody renews is noticed. */
      readonly change: 'loaded' | 'replaced' | 'served' | 'refused';
      readonly subject?: string;
      readonly serialNumber?: string;
      readonly notAfter?: string;
      readonly daysLeft?: number;
      readonly reason?: string;
    }
  | {
      /** A rotated file of the audit that was deleted to make room. */
      readonly kind: 'audit-dropped';
      readonly file: string;
      readonly bytes: number;
      readonly why: 'keepBytes' | 'freeBytes' | 'full';
      /** Whether it was taken for shipped (`RotatedFile`). */
      readonly shipped: boolean;
      /** What of each chain was in it: that it is missing is no break. */
      readonly chains: readonly { readonly id: string; readonly previous: string; readonly hash: string }[];
    }
  | {
      readonly kind: 'health';
      readonly part: 'scanner' | 'directory' | 'storage' | 'firewall' | 'audit' | 'lockouts' | 'sign-ins' | 'ocsp' | 'events' | 'issuer' | 'webhooks' | 'as2';
      readonly state: 'up' | 'down' | 'off';
      readonly detail?: string;
    };

/** Where events go. Never throws; a sink that can't write says so to the server, which then stops taking sessions. */
export interface Audit {
  /** Whether something could not be written: nothing will be any more. */
  readonly failed: boolean;
  record(event: ServerEvent): void;
  /** Fulfilled when every event recorded so far is written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
