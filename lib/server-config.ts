/**
 * The one configuration object that follows from what a platform engineer said about the server. Ports of the security group, the firewall and the
 * server itself are all read from that object.
 */
import { ConfigError, checkServerConfig, type Problem, type ServerConfig, type ServerConfigInput } from '../server/config';
import { knownAtDeployment } from './as2/known-at-deployment';
import { caProblems } from './authorities';
import { drainProblem } from './aws-limits';
import { KnownLater } from './known-later';
import { PassivePorts } from './network/passive-ports';
import { protocols } from './protocols/all';
import type { ProtocolParts } from './protocols/protocol';
import { withOverrides } from './server-overrides';
import { DataTlsReuse, type FtpsServerSettings, TlsPolicy, VirusScan } from './server-settings';
import { inProps } from './setting-names';
import { isOneObject } from './sftp/revocation-list';
import type { StorageSettings } from './storage/file-storage';
import { type UploadWebhook, webhookProblems, webhookSettings } from './storage/upload-webhook';

/** The parts of the configuration that other constructs fill in. */
export interface ServerParts extends ProtocolParts {
  /** Secrets with certificates; those for the same names, RSA beside ECDSA, are served side by side. */
  readonly certificateSecretIds: readonly string[];
  readonly storage: StorageSettings;
  readonly identity: readonly { readonly [key: string]: unknown }[];
  /** Endpoints that are told of uploads. */
  readonly webhooks?: readonly UploadWebhook[];
  readonly lifecycle?: ServerConfigInput['lifecycle'];
}

/** How many sessions of one client address a port of the passive range is good for, while none of them proves its session. */
const SESSIONS_PER_PORT = 1_000;

/** Where the audit goes on an instance; the CloudWatch agent reads it there. */
export const AUDIT_FILE = '/var/log/ftps/audit.json';

/** Fills in and checks the configuration that is shipped. Throws an Error that names every wrong setting. */
export function serverConfig(settings: FtpsServerSettings, parts: ServerParts): ServerConfig {
  const { webhooks = [] } = parts;
  const input = () =>
    ({
      ...(Object.assign({}, ...protocols.map((one) => one.settings(settings, parts))) as Partial<ServerConfigInput>),
      workers: 'auto',
      tls: {
        policy: settings.tlsPolicy ?? TlsPolicy.MODERN,
        dataTlsReuse: settings.dataTlsReuse ?? DataTlsReuse.PREFERRED,
        clientCa: parts.clientTrust?.authorities,
        clientCrl: parts.clientTrust?.revocations,
        certificates: parts.certificateSecretIds.map((secretId) => ({ kind: 'secret' as const, secretId })),
      },
      storage: parts.storage.storage as ServerConfigInput['storage'], // checked below, whoever wrote it
      antivirus: antivirusOf(settings.virusScan ?? VirusScan.REQUIRED, parts.storage),
      afterRelease: { eventBus: parts.storage.eventBus, webhooks: webhookSettings(webhooks) },
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
    }) as ServerConfigInput; // checked below
  const later = new KnownLater();
  try {
    const ofIssuers = (settings.https?.issuers ?? []).flatMap(({ ca }, index) => caProblems(ca, `https.issuers[${index}].ca`));
    refuse([...webhookProblems(webhooks, parts.storage), ...ofIssuers]);
    refuse(knownAtDeployment(settings.as2?.agreements ?? []));
    const said = withOverrides(input(), settings.overrides ?? {}, saidBy(settings)) as { https?: object; afterRelease?: object };
    const config = checkServerConfig({
      ...said,
      ...(said.https ? { https: later.standIns(said.https, ['issuer', 'jwksUri']) } : {}),
      afterRelease: later.standIns(said.afterRelease, ['url']),
    });
    refuse(deploymentProblems(config));
    return later.putBack(config);
  } catch (error) {
    if (error instanceof ConfigError)
      throw new Error(
        `The server settings can't be used:\n${error.problems.map((problem) => `  ${inProps(problem, { settings, sources: parts.identity.length })}`).join('\n')}`,
      );
    throw error;
  }
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigError([...problems]);
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
  const drain = drainProblem(config.limits.drainSeconds);
  if (drain) problems.push({ key: 'limits.drainSeconds', message: drain });
  const anyPort = '0 is any port, and no security group could name it';
  for (const key of ['sftp', 'https'] as const)
    if (config[key]?.port === 0) problems.push({ key: `${key}.port`, message: `${anyPort}; leave ${key} out to have it off` });
  for (const key of ['port', 'plainPort'] as const)
    if (config.as2?.[key] === 0) problems.push({ key: `as2.${key}`, message: `${anyPort}; leave ${key} out to have none` });
  const revocationList = config.sftp?.userCertificates.revocationList;
  if (revocationList !== undefined && !isOneObject(revocationList))
    problems.push({
      key: 'sftp.userCertificates.revocationList',
      message: `"${revocationList}" is no object of S3, and an instance has no other place for it; write it as s3://bucket/key`,
    });
  for (const [key, port] of [
    ...config.listeners.map(({ port }, index) => [`listeners[${index}].port`, port] as const),
    ['sftp.port', config.sftp?.port] as const,
    ['https.port', config.https?.port] as const,
    ['as2.port', config.as2?.port] as const,
    ['as2.plainPort', config.as2?.plainPort] as const,
  ])
    if (port !== undefined && port === config.admin.port)
      problems.push({ key, message: `${port} is where an instance is asked whether it is well; choose another port` });
  return problems;
}
