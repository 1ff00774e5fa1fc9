/**
 * What a platform engineer says about the server, and the one configuration object that follows from it. Ports of the security
 * group, the firewall and the server itself are all read from that object.
 */
import type { Duration } from 'aws-cdk-lib';
import { ConfigError, checkServerConfig, type Problem, type ServerConfig, type ServerConfigInput } from '../server/config';
import { PassivePorts } from './network/passive-ports';
import { withOverrides } from './server-overrides';
import type { StorageSettings } from './storage/file-storage';

/** Which TLS the server speaks. */
export enum TlsPolicy {
  /** TLS 1.2 and 1.3, ECDHE, AES-256-GCM first. */
  MODERN = 'modern',
  /** The same within FIPS 140-3; the server refuses to run unless its OpenSSL provider behaves so. */
  FIPS = 'fips',
}

/** Whether clients present a certificate. */
export enum ClientCertificates {
  OFF = 'off',
  OPTIONAL = 'optional',
  REQUIRED = 'required',
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

/** The parts of the configuration that other constructs fill in. */
export interface ServerParts {
  /** Where the authorities of client certificates and their revocation lists are. */
  readonly clientTrust?: { readonly authorities: string; readonly revocations?: string };
  /** Secrets with certificates; those for the same names, RSA beside ECDSA, are served side by side. */
  readonly certificateSecretIds: readonly string[];
  readonly storage: StorageSettings;
  readonly identity: readonly { readonly [key: string]: unknown }[];
  /** The table of shared lock-outs, where there is one. */
  readonly lockoutTable?: string;
  /** What PASV replies with, unless the settings say otherwise. */
  readonly advertisedAddress: string;
  readonly lifecycle?: ServerConfigInput['lifecycle'];
}

/** How many sessions of one client address a port of the passive range is good for, while none of them proves its session. */
const SESSIONS_PER_PORT = 1_000;

/** Where the audit goes on an instance; the CloudWatch agent reads it there. */
export const AUDIT_FILE = '/var/log/ftps/audit.json';

/** Fills in and checks the configuration that is shipped. Throws an Error that names every wrong setting. */
export function serverConfig(settings: FtpsServerSettings, parts: ServerParts): ServerConfig {
  const listeners = [
    { mode: 'explicit' as const, port: settings.explicitPort ?? 21 },
    { mode: 'implicit' as const, port: settings.implicitPort ?? 990 },
  ].filter(({ port }) => port !== 0);
  const clientCertificates = settings.clientCertificates ?? (parts.clientTrust ? ClientCertificates.OPTIONAL : ClientCertificates.OFF);
  const input: ServerConfigInput = {
    listeners: listeners.map((listener) => ({ ...listener, clientCertificates, advertisedAddress: settings.advertisedAddress ?? parts.advertisedAddress })),
    workers: 'auto',
    passive: { ports: `${settings.passivePorts ?? PassivePorts.DEFAULT}` },
    firewall: { mode: settings.justInTimeFirewall === false ? 'off' : 'nftables' },
    tls: {
      policy: settings.tlsPolicy ?? TlsPolicy.MODERN,
      dataTlsReuse: settings.dataTlsReuse ?? DataTlsReuse.PREFERRED,
      clientCa: parts.clientTrust?.authorities,
      clientCrl: parts.clientTrust?.revocations,
      certificates: parts.certificateSecretIds.map((secretId) => ({ kind: 'secret' as const, secretId })),
    },
    storage: parts.storage.storage as ServerConfigInput['storage'], // checked below, whoever wrote it
    antivirus: antivirusOf(settings.virusScan ?? VirusScan.REQUIRED, parts.storage),
    afterRelease: { eventBus: parts.storage.eventBus },
    identity: parts.identity as ServerConfigInput['identity'],
    limits: {
      sessions: settings.maxSessions ?? 2_000,
      drainSeconds: settings.drainTimeout?.toSeconds() ?? 300,
      idleSeconds: settings.idleTimeout?.toSeconds() ?? 900,
      ...(parts.lockoutTable === undefined ? {} : { lockout: { table: parts.lockoutTable } }),
    },
    audit: { destination: AUDIT_FILE },
    admin: { port: 9990 },
    ...(parts.lifecycle ? { lifecycle: parts.lifecycle } : {}),
    ...(settings.banner === undefined ? {} : { banner: settings.banner }),
  };
  try {
    const config = checkServerConfig(withOverrides(input, settings.overrides ?? {}, saidBy(settings)));
    const problems = deploymentProblems(config);
    if (problems.length > 0) throw new ConfigError(problems);
    return config;
  } catch (error) {
    if (error instanceof ConfigError)
      throw new Error(`The server settings can't be used:\n${error.problems.map(({ key, message }) => `  ${settingOf(key)}: ${message}`).join('\n')}`);
    throw error;
  }
}

/** Keys of the server that a prop was given for, which an override may not say again. */
function saidBy(settings: FtpsServerSettings): Readonly<Record<string, keyof FtpsServerSettings>> {
  const props = {
    'tls.dataTlsReuse': 'dataTlsReuse',
    'limits.sessions': 'maxSessions',
    'limits.drainSeconds': 'drainTimeout',
    'limits.idleSeconds': 'idleTimeout',
    banner: 'banner',
  } as const;
  return Object.fromEntries(Object.entries(props).filter(([, prop]) => settings[prop] !== undefined));
}

/** The scanner of the image, as lib/image/files/clamd.conf sets it up. */
const CLAMD_SOCKET = '/run/ftps-scanner/clamd.sock';
const CLAMD_LARGEST = 2000 * 1024 * 1024;

function antivirusOf(scan: VirusScan, { scannedElsewhere }: StorageSettings): ServerConfigInput['antivirus'] {
  if (scan === VirusScan.OFF || scannedElsewhere) return { kind: 'off' };
  const otherwise = scan === VirusScan.REQUIRED ? 'refuse' : 'release';
  return { kind: 'clamd', socket: CLAMD_SOCKET, maxBytes: CLAMD_LARGEST, whenLarger: otherwise, whenUnavailable: otherwise };
}

/** What a laptop may do and a deployment may not. */
function deploymentProblems(config: ServerConfig): Problem[] {
  const range = PassivePorts.parse(config.passive.ports);
  const problems: Problem[] = [];
  if (range.low < 1024)
    problems.push({ key: 'passive.ports', message: `${config.passive.ports} reaches below 1024, where other services are; choose a range from 1024 up` });
  const most = range.count * SESSIONS_PER_PORT;
  if (config.limits.sessions > most)
    problems.push({
      key: 'limits.sessions',
      message: `${config.limits.sessions} sessions are too many for the ${range.count} passive ports ${config.passive.ports}; allow at most ${most}, or widen the range`,
    });
  return problems;
}

/** The name that the engineer knows a key by. */
function settingOf(key: string): string {
  const known: Record<string, string> = {
    'passive.ports': 'passivePorts',
    'tls.clientCa': 'clientTrust',
    'limits.sessions': 'maxSessions',
    'limits.drainSeconds': 'drainTimeout',
    'limits.idleSeconds': 'idleTimeout',
    'listeners[0].port': 'explicitPort',
    'listeners[1].port': 'implicitPort',
    listeners: 'explicitPort, implicitPort',
  };
  return known[key] ?? key;
}
