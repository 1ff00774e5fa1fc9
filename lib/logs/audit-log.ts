/** The logs of the service: one group for the audit and one for operations, encrypted, counted into metrics, kept unchangeable in S3. */

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { FlowLogDestination, FlowLogTrafficType, type IVpc } from 'aws-cdk-lib/aws-ec2';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, LogGroup, MetricFilter, RetentionDays as Retention, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { encryptBelow } from '../encryption/given-key';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { logKey } from '../network/log-key';
import { NAMESPACE } from '../observability/namespace';
import { furtherProtocol } from '../protocols/all';
import { as2 } from '../protocols/as2';
import { ftps } from '../protocols/ftps';
import type { Protocol } from '../protocols/protocol';
import { AUDIT_FILE } from '../server-config';
import { AuditArchive } from './audit-archive';
import { type AuditMetric, auditMetrics, metricsOf, peerMetricsOf, webhooksGivenUp } from './audit-metrics';
import { AuditDataEvents } from './data-events';

/** What `AuditLog` is told. */
export interface AuditLogProps {
  /**
   * How long the audit can be searched in CloudWatch Logs.
   * @default RetentionDays.ONE_YEAR
   */
  readonly retention?: RetentionDays;
  /**
   * How long the system's own log can be searched.
   * @default - as long as the audit
   */
  readonly operationsRetention?: RetentionDays;
  /**
   * For how long the archive can't be changed or deleted by anybody (S3 object lock, compliance mode). Whole days; `Duration.days(0)` leaves the archive out.
   * PCI DSS 10.5.1 asks for a year, HIPAA 164.316(b)(2) for six.
   * @default Duration.days(365)
   */
  readonly archiveRetention?: Duration;
  /**
   * Whether CloudTrail records who reads and changes objects of the archive, and of the buckets given to `addDataEvents`. Paid for by the event.
   * @default false
   */
  readonly dataEvents?: boolean;
  /**
   * What happens to logs and archive when the stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Key that encrypts logs and archive.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** Log groups for the audit and for what the system says, encrypted and kept; metrics read from the audit; the archive. */
export class AuditLog extends Construct {
  /** One OCSF line per event. */
  public readonly auditGroup: LogGroup;
  /** What the system says. */
  public readonly operationsGroup: LogGroup;
  /** Encrypts the groups. */
  public readonly encryptionKey: IKey;
  /** The unchangeable archive and its queries, where there is one. */
  public readonly archive?: AuditArchive;
  /** Who read or changed objects, where it is recorded. */
  public dataEvents?: AuditDataEvents;
  private readonly archiveRetention?: Duration;
  private readonly further: Protocol[] = [];
  private countsWebhooks = false;
  private readonly groupProps: { encryptionKey: IKey; retention: RetentionDays; removalPolicy: RemovalPolicy };

  constructor(scope: Construct, id: string, props: AuditLogProps = {}) {
    super(scope, id);
    refuseUnknownProps(props, 'AuditLogProps');
    encryptBelow(this, props.encryptionKey);
    const { retention = Retention.ONE_YEAR, archiveRetention = Duration.days(365), removalPolicy = RemovalPolicy.RETAIN } = props;
    this.encryptionKey = logKey(this, 'Key', 'FTPS audit and operations logs');
    this.archiveRetention = archiveRetention.toDays() > 0 ? archiveRetention : undefined;
    this.groupProps = { encryptionKey: this.encryptionKey, retention, removalPolicy };
    this.auditGroup = new LogGroup(this, 'Audit', this.groupProps);
    this.operationsGroup = new LogGroup(this, 'Operations', { ...this.groupProps, retention: props.operationsRetention ?? retention });
    for (const metric of Object.values(auditMetrics)) this.count(metric);
    if (this.archiveRetention)
      this.archive = new AuditArchive(this, 'Archive', {
        auditGroup: this.auditGroup,
        operationsGroup: this.operationsGroup,
        retention: this.archiveRetention,
        removalPolicy,
      });
    if (props.dataEvents && this.archive) this.addDataEvents(this.archive.bucket);
  }

  /** Allows writing to both groups, and no more. */
  public grantWrite(grantee: IGrantable): Grant {
    const groups = [this.auditGroup, this.operationsGroup] as const;
    const [audit, operations] = groups.map((group) => group.grantWrite(grantee)) as [Grant, Grant];
    const look = granted(grantee, new PolicyStatement({ actions: ['logs:DescribeLogStreams'], resources: groups.map(({ logGroupArn }) => logGroupArn) }));
    return audit.combine(operations).combine(look);
  }

  /**
   * Settings of the CloudWatch agent as JSON (CloudWatch user guide, "Manually create or edit the CloudWatch agent configuration file"):
   * the audit and the system's log, each to its group, a stream per instance.
   */
  public agentSettings(): string {
    const collect = (path: string, group: LogGroup) => ({
      file_path: path,
      log_group_name: group.logGroupName,
      log_stream_name: '{instance_id}',
      timezone: 'UTC',
    });
    return JSON.stringify({
      // Not root: the image lets this user read both files, and nothing else of theirs.
      agent: { run_as_user: 'cwagent' },
      logs: {
        logs_collected: { files: { collect_list: [collect(AUDIT_FILE, this.auditGroup), collect('/var/log/messages', this.operationsGroup)] } },
      },
    });
  }

  /** Has CloudTrail record who reads and changes objects of this bucket, in a group of its own and in a locked bucket. */
  public addDataEvents(bucket: IBucket): AuditDataEvents {
    if (this.dataEvents) this.dataEvents.addBucket(bucket);
    this.dataEvents ??= new AuditDataEvents(this, 'DataEvents', {
      buckets: [bucket],
      logGroup: this.addGroup('DataEventsGroup'),
      retention: this.archiveRetention,
      removalPolicy: this.groupProps.removalPolicy,
    });
    return this.dataEvents;
  }

  /** A further group, encrypted and kept like the audit. */
  public addGroup(id: string): LogGroup {
    return new LogGroup(this, id, this.groupProps);
  }

  /** Sends the flow logs of a VPC to a group of their own, encrypted and kept like the audit. */
  public addFlowLogs(id: string, vpc: IVpc): LogGroup {
    const group = this.addGroup(id);
    vpc.addFlowLog(`${this.node.id}${id}`, { destination: FlowLogDestination.toCloudWatchLogs(group), trafficType: FlowLogTrafficType.ALL });
    return group;
  }

  /** Sessions that were opened. Sum over 5 minutes. */
  public metricSessionsOpened(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.sessionsOpened, options);
  }

  /** Sessions that are open on an instance. Average over 5 minutes; the maximum is that of the busiest instance. */
  public metricSessions(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.sessions, options);
  }

  /** How often servers said that they are alive. Sum over 5 minutes. */
  public metricHeartbeats(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.heartbeats, options);
  }

  /** TLS handshakes that failed, on both channels. Sum over 5 minutes. */
  public metricHandshakeFailures(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.handshakeFailures, options);
  }

  /** Logins that succeeded. Sum over 5 minutes. */
  public metricLogins(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.logins, options);
  }

  /** Logins that were refused. Sum over 5 minutes. */
  public metricFailedLogins(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.failedLogins, options);
  }

  /** Logins that could not be decided, because the source of accounts did not answer. Sum over 5 minutes. */
  public metricUnavailableLogins(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.unavailableLogins, options);
  }

  /** Addresses and accounts that were locked out. Sum over 5 minutes. */
  public metricLockouts(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.lockouts, options);
  }

  /** Uploads that the scanner refused. Sum over 5 minutes. */
  public metricMalware(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.malware, options);
  }

  /** Data connections that were refused: strangers on a passive port, sessions of somebody else, bounces. Sum over 5 minutes. */
  public metricRefusedPorts(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.refusedPorts, options);
  }

  /** Control connections and requests that were refused. Sum over 5 minutes. */
  public metricRefusedConnections(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.refusedConnections, options);
  }

  /** Uploads that succeeded. Sum over 5 minutes. */
  public metricUploads(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.uploads, options);
  }

  /** Downloads that succeeded. Sum over 5 minutes. */
  public metricDownloads(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.downloads, options);
  }

  /** Transfers that failed or were cut. Sum over 5 minutes. */
  public metricTransferErrors(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.transferErrors, options);
  }

  /** Bytes that came in. Sum over 5 minutes, counted when an upload ends. */
  public metricBytesUploaded(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.bytesUploaded, options);
  }

  /** Bytes that went out. Sum over 5 minutes, counted when a download ends. */
  public metricBytesDownloaded(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.bytesDownloaded, options);
  }

  /** Drains that ended before every transfer had. Sum over 5 minutes. */
  public metricDrainTimeouts(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.drainTimeouts, options);
  }

  /** Worker processes that died. Sum over 5 minutes. */
  public metricWorkersLost(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.workersLost, options);
  }

  /** How often the scanner was found down. Sum over 5 minutes. */
  public metricScannerDown(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.scannerDown, options);
  }

  /** How often another part (directory, storage, firewall, EventBridge, an issuer, an endpoint of webhooks) was found down. Sum over 5 minutes. */
  public metricPartsDown(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.partsDown, options);
  }

  /** New certificates that a server refused; it goes on with the last good one. Sum over 5 minutes. */
  public metricCertificatesRefused(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.certificatesRefused, options);
  }

  /** Days that the certificate served on the instances has left. Minimum over 2 hours; each server says it every hour. */
  public metricCertificateDaysLeft(options?: MetricOptions): Metric {
    return this.metric(auditMetrics.certificateDaysLeft, { period: Duration.hours(2), ...options });
  }

  /**
   * Counts another protocol than FTPS by itself as well, `SFTP` or `HTTPS`, and saves queries for it; the other metrics are of all protocols together.
   * `FtpsService` does so for each that it opens.
   */
  public addProtocol(protocol: string): void {
    const added = furtherProtocol(protocol);
    if (this.further.includes(added)) return;
    this.further.push(added);
    for (const metric of metricsOf(added)) this.count(metric);
    for (const [index, metric] of peerMetricsOf(added).entries()) this.filter(`${metric.name}Filter${index + 1}`, metric);
    this.archive?._addProtocol(added);
  }

  /**
   * A metric of one protocol that was added: `Logins`, `FailedLogins`, `HandshakeFailures`, `Uploads`, `Downloads` or `TransferErrors`. Sum over 5 minutes.
   */
  public metricOfProtocol(protocol: string, metric: string, options?: MetricOptions): Metric {
    const of = furtherProtocol(protocol);
    if (!this.further.includes(of))
      throw new Error(`protocol: ${protocol} is not counted by itself here; the service does not open it, or addProtocol was not called`);
    const all = metricsOf(of);
    const found = all.find(({ name }) => name === of.id + metric);
    if (!found) throw new Error(`metric: "${metric}" is not counted by protocol; there is ${all.map(({ name }) => name.slice(of.id.length)).join(', ')}`);
    return this.metric(found, options);
  }

  /** Messages of AS2 from or to one partner that failed for good. Sum over 5 minutes. */
  public metricAs2Failures(partner: string, options?: MetricOptions): Metric {
    const [metric] = peerMetricsOf(as2);
    return this.metric(metric!, { dimensionsMap: { [metric!.dimension!.name]: partner }, ...options });
  }

  /** Counts webhooks that were given up as well, and saves a query for them. `FtpsService` does so where it has some. */
  public addWebhooks(): void {
    if (this.countsWebhooks) return;
    this.countsWebhooks = true;
    this.count(webhooksGivenUp);
    this.archive?._addWebhooks();
  }

  /** Messages to webhooks that were given up, or still waited when their instance ended. Sum over 5 minutes. */
  public metricWebhooksGivenUp(options?: MetricOptions): Metric {
    if (!this.countsWebhooks) throw new Error('webhooks: are not counted here; the service has none, or addWebhooks was not called');
    return this.metric(webhooksGivenUp, options);
  }

  /**
   * Whether webhooks are in the audit.
   * @internal
   */
  public get _webhooks(): boolean {
    return this.countsWebhooks;
  }

  /**
   * What is in the audit: FTPS, and what was added.
   * @internal
   */
  public get _protocols(): readonly Protocol[] {
    return [ftps, ...this.further];
  }

  private metric({ name, statistic, unit }: AuditMetric, options?: MetricOptions): Metric {
    return new Metric({ namespace: NAMESPACE, metricName: this.metricName(name), statistic, unit, period: Duration.minutes(5), ...options });
  }

  /** Metric filters without dimensions share a namespace, so the name carries the service. */
  private metricName(name: string): string {
    return `${stableName(this).replaceAll('/', '-')}-${name}`;
  }

  private count({ repeated, ...metric }: AuditMetric): void {
    this.filter(`${metric.name}Filter`, metric);
    if (repeated) this.filter(`${metric.name}RepeatedFilter`, { ...metric, pattern: repeated, value: '$.count' });
  }

  private filter(id: string, { name, pattern, value, dimension, unit }: AuditMetric): void {
    new MetricFilter(this, id, {
      logGroup: this.auditGroup,
      filterPattern: FilterPattern.literal(pattern),
      metricNamespace: NAMESPACE,
      metricName: this.metricName(name),
      metricValue: value ?? '1',
      dimensions: dimension && { [dimension.name]: dimension.attribute },
      // A count of nothing is 0; a level that nobody told is unknown, and of whom there is nothing is not known where they are told apart.
      defaultValue: value || dimension ? undefined : 0,
      unit,
    });
  }
}
