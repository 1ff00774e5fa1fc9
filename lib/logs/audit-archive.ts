/**
 * The archive of the audit: Firehose takes the lines from CloudWatch Logs and writes them to S3 twice, under object lock: as Parquet,
 * a partition a day, for queries by Athena; and as they came, for `ftps audit verify`, whose hashes are over the very bytes.
 */

import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { CfnTable } from 'aws-cdk-lib/aws-glue';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  BackupMode,
  CloudWatchLogProcessor,
  DecompressionProcessor,
  DeliveryStream,
  EnableLogging,
  OpenXJsonInputFormat,
  ParquetCompression,
  ParquetOutputFormat,
  S3Bucket,
  SchemaConfiguration,
  StreamEncryption,
} from 'aws-cdk-lib/aws-kinesisfirehose';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, type LogGroup } from 'aws-cdk-lib/aws-logs';
import { FirehoseDestination } from 'aws-cdk-lib/aws-logs-destinations';
import { Bucket, BucketEncryption, type BucketProps, ObjectLockRetention, ObjectOwnership, StorageClass } from 'aws-cdk-lib/aws-s3';
import { S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import { acknowledgeRegulations, OWN_ROLE } from '../compliance/acknowledge';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { useThrough } from '../encryption/use-through';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { accessLogsBucket, ONE_REGION, PRIVATE } from '../private-bucket';
import type { Protocol } from '../protocols/protocol';
import { auditQueries, sessionsByProtocol, webhooksGivenUpQuery } from './audit-queries';
import { AuditQuestions } from './audit-questions';
import { auditTable, PARQUET, TABLE } from './audit-table';
import { leaveOutFirehoseAddresses } from './firehose-addresses';
import { encryptOnItsWay } from './firehose-key';
import { firehoseRole } from './firehose-role';

/** What `AuditArchive` is told. */
export interface AuditArchiveProps {
  /** Group whose every line is archived. */
  readonly auditGroup: LogGroup;
  /** Group that is told what Firehose could not deliver. */
  readonly operationsGroup: LogGroup;
  /** For how long nobody can change or delete what was written (S3 object lock, compliance mode). Whole days. */
  readonly retention: Duration;
  /**
   * What happens to the archive when the stack is deleted; locked objects stay in any case.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Key that encrypts the archive, and what is on its way there.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

const RAW = 'raw';
/** For how long results of queries are kept. Days. */
const RESULT_DAYS = 30;

/** An archive of the audit in S3 that nobody can change for a time (object lock), as Parquet, with a table and queries for Athena. */
export class AuditArchive extends Construct {
  /** Parquet below `audit/day=…/`, the lines as they came below `raw/day=…/`, what could not be converted below `failed/`. */
  public readonly bucket: Bucket;
  /** Carries the audit from CloudWatch Logs to the bucket. */
  public readonly deliveryStream: DeliveryStream;
  /** Glue database of the table. */
  public readonly databaseName: string;
  /** Glue table with a column for each attribute of the server's lines, partitioned by day of arrival. */
  public readonly tableName = TABLE;
  /** What Athena asks. */
  public readonly table: CfnTable;
  /** Athena workgroup with the saved queries. */
  public readonly workGroupName: string;
  /** Where results of queries are kept for a month. */
  public readonly resultBucket: Bucket;
  private readonly key: IKey;
  private readonly accessLogs: Bucket;
  private readonly questions: AuditQuestions;
  /** What its buckets have in common. */
  private readonly buckets: BucketProps;

  constructor(scope: Construct, id: string, props: AuditArchiveProps) {
    super(scope, id);
    refuseUnknownProps(props, 'AuditArchiveProps');
    encryptBelow(this, props.encryptionKey);
    const { auditGroup, operationsGroup, removalPolicy = RemovalPolicy.RETAIN } = props;
    const days = props.retention.toDays();
    // Access logs are let in by a policy of the bucket rather than by an ACL, whatever the app's feature flags are.
    this.node.setContext(S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true);
    this.buckets = { ...PRIVATE, objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED, removalPolicy };
    this.key = keyFor(this, 'Key', { description: 'FTPS audit archive', removalPolicy });
    letRolesUse(this, this.key, 's3');
    this.accessLogs = this.makeAccessLogs(days);
    this.bucket = this.makeBucket(days);
    const identifier = stableName(this)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_');
    this.databaseName = identifier;
    this.table = auditTable(this, this.bucket, identifier);
    this.deliveryStream = this.makeStream(operationsGroup);
    const subscription = auditGroup.addSubscriptionFilter('ToArchive', {
      destination: new FirehoseDestination(this.deliveryStream),
      filterPattern: FilterPattern.allEvents(),
    });
    acknowledgeRegulations(subscription, 'IAMNoInlinePolicy', OWN_ROLE);
    this.resultBucket = this.makeResultBucket();
    this.questions = new AuditQuestions(this, identifier, { results: this.resultBucket, key: this.key });
    this.workGroupName = this.questions.name;
    for (const query of auditQueries(this.fullTableName)) this.questions.save(query);
  }

  /** Allows running queries in the workgroup, and reading the archive through them. */
  public grantQuery(grantee: IGrantable): Grant {
    const stack = Stack.of(this);
    const glue = (resource: string, resourceName?: string) => stack.formatArn({ service: 'glue', resource, resourceName });
    return granted(
      grantee,
      // Athena user guide, "Control access to Amazon S3 from Athena" and "Permissions to encrypted data in Amazon S3": Athena reads and writes as whoever asks.
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [this.bucket.arnForObjects('*')] }),
      new PolicyStatement({ actions: ['s3:GetBucketLocation', 's3:ListBucket'], resources: [this.bucket.bucketArn, this.resultBucket.bucketArn] }),
      new PolicyStatement({
        actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        resources: [this.resultBucket.arnForObjects('*')],
      }),
      new PolicyStatement({ actions: ['s3:ListBucketMultipartUploads'], resources: [this.resultBucket.bucketArn] }),
      useThrough('s3', this.key, 'Decrypt', 'GenerateDataKey'),
      new PolicyStatement({
        actions: [
          'athena:StartQueryExecution',
          'athena:StopQueryExecution',
          'athena:GetQueryExecution',
          'athena:GetQueryResults',
          'athena:GetWorkGroup',
          'athena:ListNamedQueries',
          'athena:GetNamedQuery',
          'athena:ListPreparedStatements',
          'athena:GetPreparedStatement',
        ],
        resources: [stack.formatArn({ service: 'athena', resource: 'workgroup', resourceName: this.workGroupName })],
      }),
      new PolicyStatement({
        actions: ['glue:GetTable', 'glue:GetPartitions'],
        resources: [glue('catalog'), glue('database', this.databaseName), glue('table', `${this.databaseName}/${this.tableName}`)],
      }),
      new PolicyStatement({ actions: ['glue:GetDatabase'], resources: [glue('catalog'), glue('database', this.databaseName)] }),
    );
  }

  /** Age of the oldest line that is not in S3 yet, in seconds. Maximum over 5 minutes. */
  public metricDataFreshness(options?: MetricOptions): Metric {
    return this.metric('DeliveryToS3.DataFreshness', { statistic: 'Maximum', ...options });
  }

  /** Lines that fit no column and were put below `failed/`. Sum over 5 minutes. */
  public metricFailedConversions(options?: MetricOptions): Metric {
    return this.metric('FailedConversion.Records', { statistic: 'Sum', ...options });
  }

  private metric(metricName: string, options: MetricOptions): Metric {
    return new Metric({
      namespace: 'AWS/Firehose',
      metricName,
      dimensionsMap: { DeliveryStreamName: this.deliveryStream.deliveryStreamName },
      period: Duration.minutes(5),
      ...options,
    });
  }

  private makeAccessLogs(days: number): Bucket {
    const lifecycleRules = [{ expiration: Duration.days(days), noncurrentVersionExpiration: Duration.days(1) }];
    const circle = 'This bucket holds the access logs of the archive; logging its own access would go in a circle.';
    const bucket = accessLogsBucket(this, 'AccessLogs', { ...this.buckets, lifecycleRules }, circle);
    acknowledgeRegulations(bucket, 'S3BucketReplicationEnabled', ONE_REGION);
    return bucket;
  }

  private makeBucket(days: number): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      ...this.buckets,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(days)),
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 'archive/',
      lifecycleRules: [
        {
          transitions: days > 90 ? [{ storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(90) }] : [],
          expiration: Duration.days(days + 1),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    });
    acknowledgeRegulations(bucket, 'S3BucketReplicationEnabled', ONE_REGION);
    return bucket;
  }

  private makeStream(operationsGroup: LogGroup): DeliveryStream {
    const role = firehoseRole(this, 'Role', {
      description: 'Writes the FTPS audit into its archive',
      bucket: this.bucket,
      key: this.key,
      table: this.table,
      databaseName: this.databaseName,
      tableName: this.tableName,
      errorGroups: [operationsGroup],
    });
    const stream = new DeliveryStream(this, 'Stream', {
      encryption: StreamEncryption.awsOwnedKey(),
      destination: new S3Bucket(this.bucket, {
        role: role.withoutPolicyUpdates(),
        processors: [new DecompressionProcessor(), new CloudWatchLogProcessor({ dataMessageExtraction: true })],
        dataFormatConversion: {
          schemaConfiguration: SchemaConfiguration.fromCfnTable(this.table),
          inputFormat: new OpenXJsonInputFormat(),
          outputFormat: new ParquetOutputFormat({ compression: ParquetCompression.GZIP }),
        },
        dataOutputPrefix: `${PARQUET}/day=!{timestamp:yyyy-MM-dd}/`,
        errorOutputPrefix: 'failed/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
        bufferingInterval: Duration.minutes(5),
        bufferingSize: Size.mebibytes(64),
        loggingConfig: new EnableLogging(operationsGroup),
        // CloudWatch Logs hands its records over compressed already, so they are kept as they are.
        s3Backup: {
          mode: BackupMode.ALL,
          bucket: this.bucket,
          dataOutputPrefix: `${RAW}/day=!{timestamp:yyyy-MM-dd}/`,
          errorOutputPrefix: 'failed/raw/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
          bufferingInterval: Duration.minutes(5),
          bufferingSize: Size.mebibytes(5),
          loggingConfig: new EnableLogging(operationsGroup),
        },
      }),
    });
    leaveOutFirehoseAddresses(this);
    encryptOnItsWay(stream);
    stream.node.addDependency(role);
    return stream;
  }

  private makeResultBucket(): Bucket {
    const bucket = new Bucket(this, 'Results', {
      ...this.buckets,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 'results/',
      lifecycleRules: [{ expiration: Duration.days(RESULT_DAYS), noncurrentVersionExpiration: Duration.days(1) }],
    });
    acknowledgeRegulations(bucket, 'S3BucketReplicationEnabled', 'Results of queries can be had again by asking again.');
    return bucket;
  }

  /**
   * Saves what is asked of one protocol.
   * @internal
   */
  public _addProtocol(protocol: Protocol): void {
    const shared = this.node.tryFindChild('Query-sessions-by-protocol') ? [] : [sessionsByProtocol(this.fullTableName)];
    for (const query of [...shared, ...protocol.queries(this.fullTableName)]) this.questions.save(query);
  }

  /**
   * Saves a query of what was given up of webhooks.
   * @internal
   */
  public _addWebhooks(): void {
    this.questions.save(webhooksGivenUpQuery(this.fullTableName));
  }

  private get fullTableName(): string {
    return `${this.databaseName}.${TABLE}`;
  }
}
