/** What a platform engineer says about the server. What follows from it for the server itself: lib/server-config.ts. */
import type { Duration } from 'aws-cdk-lib';
import type { PassivePorts } from './network/passive-ports';
import type { As2Settings } from './protocols/as2-settings';
import type { ClientCertificates } from './protocols/client-certificates';
import type { HttpsSettings } from './protocols/https-settings';
import type { SftpSettings } from './protocols/sftp-settings';

/** Which TLS the server speaks. */
export enum TlsPolicy {
  /** TLS 1.2 and 1.3, ECDHE, AES-256-GCM first. */
  MODERN = 'modern',
  /** The same within FIPS 140-3; the server refuses to run unless its OpenSSL provider behaves so. */
  FIPS = 'fips',
}

/** Whether a data connection must resume a TLS session of its control connection. */
export enum DataTlsReuse {
  /** Every data connection must. Some clients can't. */
  REQUIRED = 'required',
  /** Where the client has shown that it can; else held for a moment, taken only where nobody else came from its address, and audited. */
  PREFERRED = 'preferred',
  OFF = 'off',
}

/** Whether uploads are scanned for malware before anybody can read them. */
export enum VirusScan {
  /** What can't be scanned, because the scanner is down or the file too large for it (2000 MiB), is refused. */
  REQUIRED = 'required',
  /** What can't be scanned is let through, which the audit says. */
  PREFERRED = 'preferred',
  /** Nothing is scanned. */
  OFF = 'off',
}

/** Settings of the server itself. */
export interface FtpsServerSettings {
  /**
   * Port of explicit FTPS (AUTH TLS, RFC 4217); 0 leaves explicit mode out.
   * @default 21
   */
  readonly explicitPort?: number;
  /**
   * Port of implicit FTPS; 0 leaves implicit mode out.
   * @default 990
   */
  readonly implicitPort?: number;
  /**
   * The passive range. Sessions share its ports.
   * @default PassivePorts.DEFAULT
   */
  readonly passivePorts?: PassivePorts;
  /**
   * Whether the kernel keeps passive ports closed (nftables) and opens one to one client address when its session asks, until
   * the connection is there. Else they are open to every network of the security group, and strangers are dropped after they connect.
   * @default true
   */
  readonly justInTimeFirewall?: boolean;
  /**
   * SFTP, for the same accounts and files, beside FTPS.
   * @default - it is off
   */
  readonly sftp?: SftpSettings;
  /**
   * HTTPS, for the same accounts and files in a browser and by an API, beside FTPS.
   * @default - it is off
   */
  readonly https?: HttpsSettings;
  /**
   * AS2, messages of partners into the same accounts, beside FTPS.
   * @default - it is off
   */
  readonly as2?: As2Settings;
  /**
   * The address that PASV replies with: `auto` (the public IPv4 of the instance), `local`, an IPv4 address or a host name.
   * @default - what the endpoint has
   */
  readonly advertisedAddress?: string;
  /**
   * Which TLS the server speaks.
   * @default TlsPolicy.MODERN
   */
  readonly tlsPolicy?: TlsPolicy;
  /**
   * Whether clients present certificates, which takes a `clientTrust`.
   * @default - ClientCertificates.OPTIONAL with a `clientTrust`, else OFF
   */
  readonly clientCertificates?: ClientCertificates;
  /**
   * Whether a data connection must resume a TLS session of its control connection.
   * @default DataTlsReuse.PREFERRED
   */
  readonly dataTlsReuse?: DataTlsReuse;
  /**
   * Scanning by the instances; a storage that is scanned by GuardDuty does without it.
   * @default VirusScan.REQUIRED
   */
  readonly virusScan?: VirusScan;
  /**
   * Sessions at once on one instance.
   * @default 2000
   */
  readonly maxSessions?: number;
  /**
   * How long transfers may go on when an instance is taken out of service.
   * @default Duration.seconds(300)
   */
  readonly drainTimeout?: Duration;
  /**
   * Time without a command or transfer after which a session is closed.
   * @default Duration.seconds(900)
   */
  readonly idleTimeout?: Duration;
  /**
   * Text of the greeting.
   * @default "FTPS ready"
   */
  readonly banner?: string;
  /**
   * Whatever else the settings file of the server knows (docs/settings.md), key by key over what the constructs write: `{ limits: { bandwidth: { … } }, active: { enabled: true } }`.
   * Checked by the schema of the server; what follows from a construct, ports for example, is refused. In TypeScript, `satisfies ServerOverrides` has an editor know the keys.
   * @default - nothing
   */
  readonly overrides?: { readonly [key: string]: unknown };
}
