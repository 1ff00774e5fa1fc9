/** Files in S3, where uploads become visible only when GuardDuty has found them clean. */

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import { EventBus, type IEventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { CfnMalwareProtectionPlan } from 'aws-cdk-lib/aws-guardduty';
import { type Grant, type IGrantable, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, type IBucket, type LifecycleRule, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import { QUARANTINED_FILES } from '../../server/config';
import { lambdaCode } from '../bundles';
import { NAMESPACE } from '../certificate/certificate-rotation';
import { acknowledge, acknowledgeRegulations, inFinding, OWN_ROLE } from '../compliance/acknowledge';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { useThrough } from '../encryption/through';
import { FailureQueue } from '../functions/failure-queue';
import { acceptSharedConcurrency } from '../functions/one-at-a-time';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { letLogsUse } from '../network/log-key';
import { FileStorage, type StorageSettings } from './file-storage';

/** What `S3Storage` is told. */
export interface S3StorageProps {
  /**
   * A bucket for the files that is there already, with its own key, versions and lifecycle; only the quarantine is made. Where it is encrypted
   * with a key of KMS, give one that knows its key: `Bucket.fromBucketAttributes({ bucketArn, encryptionKey })`.
   * @default - a new one
   */
  readonly bucket?: IBucket;
  /**
   * What every key of a file in that bucket begins with, ending in a slash: `ftps/`. What else is in the bucket, no account sees or changes.
   * @default - the whole bucket
   */
  readonly prefix?: string;
  /**
   * Whether GuardDuty Malware Protection scans every upload before it becomes visible. Otherwise the scanner of the instances does, and
   * files larger than what it takes (2000 MiB) are refused.
   * @default true
   */
  readonly malwareProtection?: boolean;
  /**
   * Time after which files are deleted, counted from their upload. Whole days.
   * @default - never
   */
  readonly expiration?: Duration;
  /**
   * For how long a file that was replaced or deleted can be had back. Whole days.
   * @default Duration.days(30)
   */
  readonly noncurrentVersionExpiration?: Duration;
  /**
   * For how long infected files are kept. Whole days.
   * @default Duration.days(90)
   */
  readonly quarantineExpiration?: Duration;
  /**
   * Gets an event for every upload that became visible: source `cdk-ftps`, detail type `FTPS Upload Released`.
   * @default - the default bus of the account
   */
  readonly eventBus?: IEventBus;
  /**
   * What happens to the files when the stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Key that encrypts the files, and what the release of uploads logs.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** What every key in the quarantine begins with. */
const QUARANTINE_PREFIX = 'uploads/';
const OBJECTS = 'Files of partners have names that nobody knows before; the statement is limited to this one bucket.';
const ONE_REGION = 'S3 keeps every object in at least three zones of the region; where a second region is asked for, replicate this bucket by a rule of yours.';
const PRIVATE = { blockPublicAccess: BlockPublicAccess.BLOCK_ALL, enforceSSL: true, minimumTLSVersion: 1.2, versioned: true } as const;
/** What a deleted file leaves in a versioned bucket, once nothing is behind it any more; markers are listed and paid for as objects are (S3 user guide, "Managing delete markers"). */
const NO_MARKERS: LifecycleRule = { expiredObjectDeleteMarker: true };
const CIRCLE = 'Access logs of the bucket of access logs would go around in a circle.';

/** Files in S3, encrypted and versioned. Uploads become visible only when GuardDuty has found them clean. */
export class S3Storage extends FileStorage {
  /** Files in a bucket that is there already: `bucket` of the props. */
  public static fromBucket(scope: Construct, id: string, existingBucket: IBucket, props: S3StorageProps = {}): S3Storage {
    return new S3Storage(scope, id, { ...props, bucket: existingBucket });
  }

  public readonly description: string;
  public readonly isShared = true;
  public readonly mountCommands: string[] = [];
  /** The files: a folder an account, as its home says. */
  public readonly bucket: IBucket;
  /** Uploads that wait for a verdict, and infected ones. */
  public readonly quarantineBucket: Bucket;
  /** The Lambda that lets uploads become visible; undefined without `malwareProtection`. */
  public readonly releaseFunction?: LambdaFn;
  public readonly settings: StorageSettings;
  /** What keys of files begin with. */
  private readonly prefix: string;
  private readonly key: IKey;
  public override readonly eventBus?: IEventBus;
  private readonly bus: IEventBus;
  private readonly alarms: Alarm[] = [];

  constructor(scope: Construct, id: string, props: S3StorageProps = {}) {
    super(scope, id);
    refuseUnknownProps(props, 'S3StorageProps');
    refuseWrong(props);
    this.prefix = props.prefix ?? '';
    encryptBelow(this, props.encryptionKey);
    const { malwareProtection = true, removalPolicy = RemovalPolicy.RETAIN } = props;
    // Access logs are let in by a policy of the bucket rather than by an ACL, whatever the app's feature flags are.
    this.node.setContext(S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true);
    this.description = malwareProtection ? 'S3, encrypted, versioned, scanned by GuardDuty' : 'S3, encrypted, versioned';
    this.key = keyFor(this, 'Key', { description: 'FTPS files', removalPolicy });
    letRolesUse(this, this.key, 's3');
    this.bus = props.eventBus ?? EventBus.fromEventBusName(this, 'DefaultBus', 'default');
    this.eventBus = this.bus;
    const accessLogs = this.makeAccessLogs(removalPolicy);
    const own = props.bucket;
    if (own?.encryptionKey) letRolesUse(this, own.encryptionKey, 's3');
    this.bucket =
      own ??
      this.makeBucket(
        'Files',
        removalPolicy,
        [
          {
            noncurrentVersionExpiration: props.noncurrentVersionExpiration ?? Duration.days(30),
            expiration: props.expiration,
            abortIncompleteMultipartUploadAfter: Duration.days(2),
          },
          NO_MARKERS,
        ],
        accessLogs,
      );
    this.quarantineBucket = this.makeBucket(
      'Quarantine',
      removalPolicy,
      [
        {
          expiration: props.quarantineExpiration ?? Duration.days(90),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(2),
        },
        NO_MARKERS,
      ],
      accessLogs,
    );
    this.settings = {
      storage: {
        kind: 's3',
        bucket: this.bucket.bucketName,
        region: Stack.of(this).region,
        // Each of the two is encrypted as it says itself where one is not the kit's.
        ...(own ? { prefix: this.prefix } : { kmsKeyId: this.key.keyArn }),
        release: malwareProtection ? 'guardduty' : 'server',
        quarantine: { bucket: this.quarantineBucket.bucketName, prefix: QUARANTINE_PREFIX },
      },
      scannedElsewhere: malwareProtection,
      eventBus: malwareProtection ? undefined : this.bus.eventBusArn,
    };
    if (malwareProtection) {
      const plan = this.protect();
      this.releaseFunction = this.makeRelease();
      this.releaseFunction.node.addDependency(plan);
      this.makeAlarms(this.releaseFunction);
    }
  }

  public grantReadWrite(grantee: IGrantable): Grant {
    const actions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:GetObjectTagging'];
    // A copy takes the tags of its object along (API reference, "CopyObject"). In quarantine a tag is the verdict of GuardDuty, which nobody else writes.
    const files = this.grantObjects(grantee, this.bucket, [...actions, 's3:PutObjectTagging'])
      .combine(this.grantObjects(grantee, this.quarantineBucket, actions))
      .combine(this.grantBuckets(grantee, ['s3:ListBucket', 's3:ListBucketMultipartUploads']));
    return this.settings.eventBus === undefined ? files : files.combine(this.bus.grantPutEventsTo(grantee));
  }

  public allowFrom(_instances: IConnectable): void {
    // S3 is reached through its public endpoint or a gateway endpoint; there is no security group.
  }

  /** Uploads that were found clean and became visible. Sum over 5 minutes. */
  public metricReleased(options?: MetricOptions): Metric {
    return this.metric('UploadsReleased', options);
  }

  /** Uploads that were infected. Sum over 5 minutes. */
  public metricInfected(options?: MetricOptions): Metric {
    return this.metric('UploadsInfected', options);
  }

  /** Uploads that GuardDuty could not scan (password, size, format); they stay in quarantine. */
  public metricUnscanned(options?: MetricOptions): Metric {
    return this.metric('UploadsUnscanned', options);
  }

  /** Uploads that wait for a verdict for more than a quarter of an hour. */
  public metricOverdue(options?: MetricOptions): Metric {
    return this.metric('UploadsOverdue', { statistic: 'Maximum', ...options });
  }

  public override addAlarmAction(action: IAlarmAction): void {
    for (const alarm of this.alarms) alarm.addAlarmAction(action);
  }

  private makeAccessLogs(removalPolicy: RemovalPolicy): Bucket {
    const bucket = new Bucket(this, 'AccessLogs', {
      ...PRIVATE,
      encryption: BucketEncryption.S3_MANAGED, // S3 delivers access logs to no bucket with a KMS key of its own
      lifecycleRules: [{ expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(1) }, NO_MARKERS],
      removalPolicy,
    });
    acknowledge(bucket, 'AwsSolutions-S1', CIRCLE);
    acknowledgeRegulations(bucket, 'S3BucketLoggingEnabled', CIRCLE);
    acknowledgeRegulations(bucket, 'S3DefaultEncryptionKMS', 'S3 delivers access logs only to buckets encrypted with keys of S3 itself.');
    acknowledgeRegulations(bucket, 'S3BucketReplicationEnabled', ONE_REGION);
    return bucket;
  }

  private makeBucket(id: string, removalPolicy: RemovalPolicy, lifecycleRules: LifecycleRule[], accessLogs: Bucket): Bucket {
    const bucket = new Bucket(this, id, {
      ...PRIVATE,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: `${id.toLowerCase()}/`,
      lifecycleRules,
      removalPolicy,
    });
    acknowledgeRegulations(bucket, 'S3BucketReplicationEnabled', ONE_REGION);
    return bucket;
  }

  /** GuardDuty user guide, "Create or update IAM role policy" for Malware Protection for S3: what it needs, for this bucket alone. */
  private protect(): CfnMalwareProtectionPlan {
    // GuardDuty switches this on by itself; said here, no deployment switches it off again.
    (this.quarantineBucket.node.defaultChild as CfnBucket).addPropertyOverride('NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled', true);
    const role = new Role(this, 'ScanRole', {
      assumedBy: new ServicePrincipal('malware-protection-plan.guardduty.amazonaws.com'),
      description: 'GuardDuty scans FTPS uploads in quarantine',
    });
    const stack = Stack.of(this);
    const managedRule = stack.formatArn({ service: 'events', resource: 'rule', resourceName: 'DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*' });
    const { bucketArn } = this.quarantineBucket;
    for (const statement of [
      new PolicyStatement({
        actions: ['events:PutRule', 'events:DeleteRule', 'events:PutTargets', 'events:RemoveTargets'],
        resources: [managedRule],
        conditions: { StringLike: { 'events:ManagedBy': 'malware-protection-plan.guardduty.amazonaws.com' } },
      }),
      new PolicyStatement({ actions: ['events:DescribeRule', 'events:ListTargetsByRule'], resources: [managedRule] }),
      new PolicyStatement({ actions: ['s3:PutBucketNotification', 's3:GetBucketNotification', 's3:ListBucket'], resources: [bucketArn] }),
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [`${bucketArn}/malware-protection-resource-validation-object`] }),
      new PolicyStatement({
        actions: [
          's3:GetObject',
          's3:GetObjectVersion',
          's3:PutObjectTagging',
          's3:GetObjectTagging',
          's3:PutObjectVersionTagging',
          's3:GetObjectVersionTagging',
        ],
        resources: [`${bucketArn}/*`],
      }),
      useThrough('s3', this.key, 'GenerateDataKey', 'Decrypt'),
    ])
      role.addToPolicy(statement);
    acknowledge(role, `AwsSolutions-IAM5[Resource::${inFinding(role, managedRule)}]`, 'GuardDuty names its rule by this prefix and an id that it chooses.');
    acknowledge(role, `AwsSolutions-IAM5[Resource::${inFinding(role, bucketArn)}/*]`, OBJECTS);
    acknowledgeRegulations(role, 'IAMNoInlinePolicy', OWN_ROLE);
    const plan = new CfnMalwareProtectionPlan(this, 'Scan', {
      role: role.roleArn,
      protectedResource: { s3Bucket: { bucketName: this.quarantineBucket.bucketName, objectPrefixes: [QUARANTINE_PREFIX + QUARANTINED_FILES] } },
      actions: { tagging: { status: 'ENABLED' } },
    });
    plan.node.addDependency(role);
    return plan;
  }

  private makeRelease(): LambdaFn {
    const role = new Role(this, 'ReleaseRole', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Puts FTPS uploads into place that GuardDuty found clean',
    });
    const { queue: failures, alarm } = new FailureQueue(this, 'Failures', { of: 'release of FTPS uploads that GuardDuty has scanned', role });
    this.alarms.push(alarm);
    letLogsUse(this, this.key);
    const logGroup = new LogGroup(this, 'ReleaseLogs', { retention: RetentionDays.ONE_YEAR, encryptionKey: this.key, removalPolicy: RemovalPolicy.RETAIN });
    const release = new LambdaFn(this, 'Release', {
      description: 'Puts FTPS uploads into place that GuardDuty found clean, and keeps the others in quarantine',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: lambdaCode('storage-release'),
      timeout: Duration.minutes(15), // objects of many GiB are copied in parts
      memorySize: 512,
      deadLetterQueue: failures,
      retryAttempts: 2,
      role,
      logGroup,
      environment: {
        FILES_BUCKET: this.bucket.bucketName,
        QUARANTINE_BUCKET: this.quarantineBucket.bucketName,
        QUARANTINE_PREFIX,
        ...(this.settings.storage['kmsKeyId'] === undefined ? {} : { KMS_KEY_ID: this.key.keyArn }),
        EVENT_BUS: this.bus.eventBusArn,
        METRIC_NAMESPACE: NAMESPACE,
        METRIC_STORAGE: stableName(this),
      },
    });
    acceptSharedConcurrency(release);
    logGroup.grantWrite(role);
    this.grantObjects(role, this.bucket, ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:PutObjectTagging']);
    this.grantObjects(role, this.quarantineBucket, ['s3:GetObject', 's3:GetObjectTagging', 's3:PutObject', 's3:DeleteObject']);
    this.grantBuckets(role, ['s3:ListBucket']);
    this.bus.grantPutEventsTo(role);
    acknowledgeRegulations(role, 'IAMNoInlinePolicy', OWN_ROLE);
    acknowledgeRegulations(
      release,
      'LambdaInsideVPC',
      'It reaches S3 and EventBridge alone, with its own role, and nothing reaches it; a VPC would only add a way to fail.',
    );
    new Rule(this, 'Scanned', {
      description: 'GuardDuty has scanned an upload in quarantine',
      eventPattern: {
        source: ['aws.guardduty'],
        detailType: ['GuardDuty Malware Protection Object Scan Result'],
        detail: { s3ObjectDetails: { bucketName: [this.quarantineBucket.bucketName] } },
      },
      targets: [new LambdaFunction(release, { deadLetterQueue: failures, retryAttempts: 20 })],
    });
    new Rule(this, 'Overdue', {
      description: 'Looks for uploads whose scan result never came',
      schedule: Schedule.rate(Duration.minutes(15)),
      targets: [new LambdaFunction(release, { retryAttempts: 0 })],
    });
    return release;
  }

  private makeAlarms(release: LambdaFn): void {
    const alarm = (id: string, metric: Metric, alarmDescription: string) => {
      const made = new Alarm(this, id, {
        alarmDescription,
        metric,
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      acknowledgeRegulations(made, 'CloudWatchAlarmAction', 'Who is told is said by addAlarmAction; a service in the same stack says its own topic.');
      this.alarms.push(made);
    };
    alarm('Infected', this.metricInfected(), 'GuardDuty found malware in an upload. It stays in quarantine: ftps quarantine list.');
    alarm(
      'Unscanned',
      this.metricUnscanned(),
      'GuardDuty could not scan an upload (password, size, format or permission). It stays in quarantine: ftps quarantine list.',
    );
    alarm('Waiting', this.metricOverdue(), 'Uploads wait for GuardDuty for more than a quarter of an hour. Look at the status of its Malware Protection plan.');
    alarm(
      'ReleaseFailed',
      release.metricErrors({ period: Duration.minutes(15) }),
      'The release Lambda failed; what it did not release is tried again, then in its dead-letter queue.',
    );
  }

  private grantObjects(grantee: IGrantable, bucket: IBucket, actions: string[]): Grant {
    const principal = grantee.grantPrincipal;
    const below = bucket === this.bucket ? this.prefix : '';
    if (Construct.isConstruct(principal)) acknowledge(principal, `AwsSolutions-IAM5[Resource::${inFinding(principal, bucket.bucketArn)}/${below}*]`, OBJECTS);
    const objects = new PolicyStatement({ actions, resources: [bucket.arnForObjects(`${below}*`)] });
    const key = bucket === this.quarantineBucket ? this.key : bucket.encryptionKey;
    return key ? granted(grantee, objects, useThrough('s3', key, 'Decrypt', 'GenerateDataKey')) : granted(grantee, objects);
  }

  private grantBuckets(grantee: IGrantable, actions: string[]): Grant {
    return granted(grantee, new PolicyStatement({ actions, resources: [this.bucket.bucketArn, this.quarantineBucket.bucketArn] }));
  }

  private metric(metricName: string, options?: MetricOptions): Metric {
    return new Metric({
      namespace: NAMESPACE,
      metricName,
      dimensionsMap: { Storage: stableName(this) },
      statistic: 'Sum',
      period: Duration.minutes(15),
      ...options,
    });
  }
}

/** What is of the bucket that is made has no meaning beside one that is there. */
function refuseWrong(props: S3StorageProps): void {
  const { bucket, prefix } = props;
  if (!bucket && prefix !== undefined) throw new Error('prefix: is a part of a bucket that is there already; give bucket as well, or leave it out');
  if (prefix !== undefined && !/^[^/].*\/$/.test(prefix))
    throw new Error(`prefix: "${prefix}" can't begin the keys of files; write it without a slash before it and with one behind it, as ftps/`);
  const wrong = bucket && (['expiration', 'noncurrentVersionExpiration'] as const).find((key) => props[key] !== undefined);
  if (wrong) throw new Error(`${wrong}: is a rule of a bucket that is made; ${bucket.node.path} is there already, so say it in its own lifecycle rules`);
}
