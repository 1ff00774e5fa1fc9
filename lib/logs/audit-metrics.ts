/**
 * What is counted and measured out of the audit. A pattern is CloudWatch's (CloudWatch Logs user guide, "Filter pattern syntax for
 * metric filters"), over the OCSF lines of the server.
 */
import { Stats, Unit } from 'aws-cdk-lib/aws-cloudwatch';
import type { Protocol } from '../protocols/protocol';

export interface AuditMetric {
  readonly name: string;
  readonly pattern: string;
  /**
   * Attribute whose value is taken; without one, lines are counted. The pattern asks for it: CloudWatch takes nothing from a line that has it not, and
   * says so nowhere.
   */
  readonly value?: string;
  /** Pattern of lines that stand for several events, whose number is `count` (docs/logs.md). `pattern` leaves them out. */
  readonly repeated?: string;
  /** Name and attribute by whose values it is counted apart. */
  readonly dimension?: { readonly name: string; readonly attribute: string };
  readonly statistic: string;
  readonly unit: Unit;
}

const count = (name: string, pattern: string): AuditMetric => ({ name, pattern, statistic: Stats.SUM, unit: Unit.COUNT });
/** Of what strangers bring about, repeats are told as one line with a count. */
const countWithRepeats = (name: string, condition: string): AuditMetric => ({
  ...count(name, `{ ${condition} && $.count NOT EXISTS }`),
  repeated: `{ ${condition} && $.count > 1 }`,
});
const event = (word: string) => `$.unmapped.event = "${word}"`;

export const auditMetrics = {
  sessionsOpened: count('SessionsOpened', '{ $.class_uid = 4001 && $.activity_id = 1 }'),
  /** Each heartbeat says how many are open on its instance. */
  sessions: {
    name: 'Sessions',
    pattern: '{ $.status_detail = "alive" && $.unmapped.sessions >= 0 }',
    value: '$.unmapped.sessions',
    statistic: Stats.AVERAGE,
    unit: Unit.COUNT,
  },
  heartbeats: count('Heartbeats', '{ $.status_detail = "alive" }'),
  handshakeFailures: countWithRepeats('HandshakeFailures', event('handshake-failed')),
  logins: count('Logins', `{ ${event('login')} && $.unmapped.outcome = "success" }`),
  failedLogins: countWithRepeats('FailedLogins', `${event('login')} && $.unmapped.outcome = "failure"`),
  unavailableLogins: count('UnavailableLogins', `{ ${event('login')} && $.unmapped.outcome = "unavailable" }`),
  lockouts: count('Lockouts', `{ ${event('lockout')} }`),
  malware: count('Malware', '{ $.status_detail = "infected" }'),
  refusedPorts: countWithRepeats('RefusedPorts', `${event('refused')} && $.unmapped.channel = "data"`),
  refusedConnections: countWithRepeats('RefusedConnections', `${event('refused')} && $.unmapped.channel = "control"`),
  uploads: count('Uploads', `{ ${event('transfer')} && $.activity_id = 1 && $.status_id = 1 }`),
  downloads: count('Downloads', `{ ${event('transfer')} && $.activity_id = 2 && $.status_id = 1 }`),
  transferErrors: count('TransferErrors', `{ ${event('transfer')} && $.status_id = 2 }`),
  bytesUploaded: {
    name: 'BytesUploaded',
    pattern: `{ ${event('transfer')} && $.activity_id = 1 && $.traffic.bytes >= 0 }`,
    value: '$.traffic.bytes',
    statistic: Stats.SUM,
    unit: Unit.BYTES,
  },
  bytesDownloaded: {
    name: 'BytesDownloaded',
    pattern: `{ ${event('transfer')} && $.activity_id = 2 && $.traffic.bytes >= 0 }`,
    value: '$.traffic.bytes',
    statistic: Stats.SUM,
    unit: Unit.BYTES,
  },
  drainTimeouts: count('DrainTimeouts', '{ $.status_detail = "drain-timed-out" }'),
  workersLost: count('WorkersLost', '{ $.status_detail = "worker-lost" }'),
  scannerDown: count('ScannerDown', `{ ${event('health')} && $.unmapped.part = "scanner" && $.unmapped.state = "down" }`),
  partsDown: count('PartsDown', `{ ${event('health')} && $.unmapped.part != "scanner" && $.unmapped.part != "ocsp" && $.unmapped.state = "down" }`),
  certificatesRefused: count('CertificatesRefused', `{ ${event('certificate')} && $.status_id = 2 }`),
  certificateDaysLeft: {
    name: 'ServedCertificateDaysLeft',
    pattern: `{ ${event('certificate')} && $.status_id = 1 && ($.unmapped.days_left >= 0 || $.unmapped.days_left < 0) }`,
    value: '$.unmapped.days_left',
    statistic: Stats.MINIMUM,
    unit: Unit.NONE,
  },
} as const satisfies Record<string, AuditMetric>;

/** What is counted where there are webhooks: those that were given up, or still waited when their instance ended. */
export const webhooksGivenUp = count('WebhooksGivenUp', `{ ${event('after-release')} && $.unmapped.what = "webhook" && $.status_id = 2 }`);

/** What is counted of a protocol by itself, beside what is counted of all together. */
const BY_PROTOCOL = ['logins', 'failedLogins', 'handshakeFailures', 'uploads', 'downloads', 'transferErrors'] as const satisfies (keyof typeof auditMetrics)[];

/** The same metrics, of the lines of one protocol: `SftpLogins`; and what goes wrong in it alone. */
export function metricsOf({ id, audited, logsIn, failures }: Protocol): AuditMetric[] {
  const ofIt = (pattern: string) => pattern.replace(/ \}$/, ` && $.unmapped.protocol = "${audited}" }`);
  const shared = BY_PROTOCOL.filter((key) => logsIn || !/logins$/i.test(key)).map((key) => {
    const metric: AuditMetric = auditMetrics[key];
    return { ...metric, name: id + metric.name, pattern: ofIt(metric.pattern), ...(metric.repeated ? { repeated: ofIt(metric.repeated) } : {}) };
  });
  return [...shared, ...failures.map(({ name, pattern }) => count(id + name, pattern))];
}

/** What goes wrong with each partner by itself; the same metric for all of these lines. */
export function peerMetricsOf({ id, failuresByPeer: failures }: Protocol): AuditMetric[] {
  if (!failures) return [];
  const { name, dimension, attribute, patterns } = failures;
  return patterns.map((pattern) => ({ ...count(id + name, pattern), dimension: { name: dimension, attribute } }));
}
