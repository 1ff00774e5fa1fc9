/** The audit of the service: searchable in CloudWatch Logs, kept unchangeable in S3, watched by alarms. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Effect, type IGrantable, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Compression, DeliveryStream, DisableLogging, S3Bucket, StreamEncryption } from 'aws-cdk-lib/aws-kinesisfirehose';
import { Key } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, LogGroup, MetricFilter, RetentionDays as Retention, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { FirehoseDestination } from 'aws-cdk-lib/aws-logs-destinations';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership, StorageClass } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, inFinding } from '../compliance/acknowledge';
import { stableName } from '../names';
import { logKey } from '../network/service-network';

export interface AuditLogProps {
  /**
   * How long the audit can be searched in CloudWatch Logs.
   * @default RetentionDays.ONE_YEAR
   */
  readonly retention?: RetentionDays;
  /**
   * For how many days the archive can't be changed or deleted by anybody (S3 object lock, compliance mode). 0 leaves the archive out.
   * PCI DSS 10.5.1 asks for a year, HIPAA 164.316(b)(2) for six.
   * @default 365
   */
  readonly archiveDays?: number;
  /**
   * What happens to logs and archive when the stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** What is counted out of the audit, and when it is alarming. The pattern is CloudWatch's, over the OCSF lines of the server. */
const watched = [
  { name: 'HandshakeFailures', pattern: '{ $.unmapped.event = "handshake-failed" }', threshold: 50, text: 'Many TLS handshakes fail' },
  { name: 'FailedLogins', pattern: '{ $.class_uid = 3002 && $.activity_id = 1 && $.status_id = 2 }', threshold: 20, text: 'Many logins fail' },
  { name: 'Lockouts', pattern: '{ $.unmapped.event = "lockout" }', threshold: 1, text: 'An address or account was locked out' },
  { name: 'Malware', pattern: '{ $.status_detail = "infected" }', threshold: 1, text: 'An upload was infected' },
  { name: 'RefusedConnections', pattern: '{ $.unmapped.event = "refused" }', threshold: 100, text: 'Many connections are refused' },
  { name: 'TransferErrors', pattern: '{ $.unmapped.event = "transfer" && $.status_id = 2 }', threshold: 20, text: 'Many transfers fail' },
  {
    name: 'CertificatesRefused',
    pattern: '{ $.unmapped.event = "certificate" && $.status_id = 2 }',
    threshold: 1,
    text: 'A new certificate was refused; the last good one is served',
  },
] as const;

const NAMESPACE = 'CdkFtps';

export class AuditLog extends Construct {
  /** One OCSF line per event. */
  public readonly auditGroup: LogGroup;
  /** What the system says. */
  public readonly operationsGroup: LogGroup;
  /** The unchangeable archive, where there is one. */
  public readonly archive?: Bucket;
  private readonly alarms: Alarm[] = [];

  constructor(scope: Construct, id: string, { retention = Retention.ONE_YEAR, archiveDays = 365, removalPolicy = RemovalPolicy.RETAIN }: AuditLogProps = {}) {
    super(scope, id);
    const encryptionKey = logKey(this, 'Key', 'FTPS audit and operations logs');
    this.auditGroup = new LogGroup(this, 'Audit', { encryptionKey, retention, removalPolicy });
    this.operationsGroup = new LogGroup(this, 'Operations', { encryptionKey, retention, removalPolicy });
    for (const { name, pattern, threshold, text } of watched) this.watch(name, pattern, threshold, text);
    if (archiveDays > 0) this.archive = this.makeArchive(archiveDays, removalPolicy);
  }

  /** Allows writing to both groups, and no more. */
  public grantWrite(grantee: IGrantable): void {
    this.auditGroup.grantWrite(grantee);
    this.operationsGroup.grantWrite(grantee);
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['logs:DescribeLogStreams'],
        resources: [this.auditGroup.logGroupArn, this.operationsGroup.logGroupArn],
      }),
    );
  }

  /** Lets every alarm do something, for example tell an SNS topic. */
  public addAlarmAction(action: IAlarmAction): void {
    for (const alarm of this.alarms) alarm.addAlarmAction(action);
  }

  /** One of the counts: HandshakeFailures, FailedLogins, Lockouts, Malware, RefusedConnections, TransferErrors, CertificatesRefused. */
  public metric(name: string, options?: MetricOptions): Metric {
    if (!watched.some((one) => one.name === name))
      throw new Error(`metric: "${name}" is not counted; choose one of ${watched.map((one) => one.name).join(', ')}`);
    return new Metric({ namespace: NAMESPACE, metricName: this.metricName(name), statistic: 'Sum', period: Duration.minutes(5), ...options });
  }

  /** Metric filters without dimensions share a namespace, so the name carries the service. */
  private metricName(name: string): string {
    return `${stableName(this).replaceAll('/', '-')}-${name}`;
  }

  private watch(name: (typeof watched)[number]['name'], pattern: string, threshold: number, text: string): void {
    new MetricFilter(this, `${name}Filter`, {
      logGroup: this.auditGroup,
      filterPattern: FilterPattern.literal(pattern),
      metricNamespace: NAMESPACE,
      metricName: this.metricName(name),
      metricValue: '1',
      defaultValue: 0,
    });
    this.alarms.push(
      new Alarm(this, `${name}Alarm`, {
        alarmDescription: `${text} (FTPS)`,
        metric: this.metric(name),
        threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: 1,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }),
    );
  }

  private makeArchive(days: number, removalPolicy: RemovalPolicy): Bucket {
    const key = new Key(this, 'ArchiveKey', { description: 'FTPS audit archive', enableKeyRotation: true, removalPolicy });
    const common = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      removalPolicy,
    };
    const accessLogs = new Bucket(this, 'ArchiveAccessLogs', {
      ...common,
      encryption: BucketEncryption.S3_MANAGED, // S3 delivers access logs to no bucket with a KMS key of its own
      lifecycleRules: [{ expiration: Duration.days(days) }],
    });
    acknowledge(accessLogs, 'AwsSolutions-S1', 'This bucket holds the access logs of the archive; logging its own access would go in a circle.');
    const archive = new Bucket(this, 'Archive', {
      ...common,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(days)),
      serverAccessLogsBucket: accessLogs,
      lifecycleRules: [
        {
          transitions: [{ storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(90) }],
          expiration: Duration.days(days + 1),
          noncurrentVersionExpiration: Duration.days(1),
        },
      ],
    });
    const role = new Role(this, 'ArchiveRole', {
      assumedBy: new ServicePrincipal('firehose.amazonaws.com'),
      description: 'Writes the FTPS audit into its archive',
    });
    const stream = new DeliveryStream(this, 'ArchiveStream', {
      encryption: StreamEncryption.awsOwnedKey(),
      destination: new S3Bucket(archive, {
        role,
        // CloudWatch Logs hands its records over compressed already.
        compression: Compression.of('UNCOMPRESSED'),
        dataOutputPrefix: 'audit/day=!{timestamp:yyyy-MM-dd}/',
        errorOutputPrefix: 'failed/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
        bufferingInterval: Duration.minutes(5),
        loggingConfig: new DisableLogging(),
      }),
    });
    this.auditGroup.addSubscriptionFilter('ToArchive', { destination: new FirehoseDestination(stream), filterPattern: FilterPattern.allEvents() });
    for (const finding of [
      'Action::s3:Abort*',
      'Action::s3:DeleteObject*',
      'Action::s3:GetBucket*',
      'Action::s3:GetObject*',
      'Action::s3:List*',
      'Action::kms:GenerateDataKey*',
      'Action::kms:ReEncrypt*',
      `Resource::${inFinding(this, archive.bucketArn)}/*`,
    ])
      acknowledge(
        role,
        `AwsSolutions-IAM5[${finding}]`,
        'Firehose writes objects of its own naming into this one bucket, encrypted by this one key; object lock keeps what was written.',
      );
    return archive;
  }
}
