/** Files in S3, where uploads become visible only when GuardDuty has found them clean. */

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import { Bucket, BucketEncryption, type IBucket, type LifecycleRule, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import { acknowledgeRegulations } from '../compliance/acknowledge';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { NAMESPACE } from '../observability/namespace';
import { accessLogsBucket, ONE_REGION, PRIVATE } from '../private-bucket';
import { FileStorage, type StorageSettings } from './file-storage';
import { scanQuarantine } from './malware-scan';
import { releaseScanned } from './release-function';
import { QUARANTINE_PREFIX, S3Places } from './s3-places';

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

/** What a deleted file leaves in a versioned bucket, once nothing is behind it any more; markers are listed and paid for as objects are (S3 user guide, "Managing delete markers"). */
const NO_MARKERS: LifecycleRule = { expiredObjectDeleteMarker: true };

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
  private readonly places: S3Places;
  private readonly key: IKey;
  public override readonly eventBus?: IEventBus;
  private readonly bus: IEventBus;
  private readonly alarms: Alarm[] = [];

  constructor(scope: Construct, id: string, props: S3StorageProps = {}) {
    super(scope, id);
    refuseUnknownProps(props, 'S3StorageProps');
    refuseWrong(props);
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
    const prefix = props.prefix ?? '';
    this.places = new S3Places(this.bucket, prefix, this.quarantineBucket, this.key);
    this.settings = {
      storage: {
        kind: 's3',
        bucket: this.bucket.bucketName,
        region: Stack.of(this).region,
        // Each of the two is encrypted as it says itself where one is not the kit's.
        ...(own ? { prefix } : { kmsKeyId: this.key.keyArn }),
        release: malwareProtection ? 'guardduty' : 'server',
        quarantine: { bucket: this.quarantineBucket.bucketName, prefix: QUARANTINE_PREFIX },
      },
      scannedElsewhere: malwareProtection,
      eventBus: malwareProtection ? undefined : this.bus.eventBusArn,
    };
    if (malwareProtection) {
      const scan = scanQuarantine(this, this.quarantineBucket, this.key);
      const { lambda, failuresAlarm } = releaseScanned(this, this.places, this.bus, own !== undefined);
      lambda.node.addDependency(scan);
      this.releaseFunction = lambda;
      this.alarms.push(failuresAlarm);
      this.makeAlarms(lambda);
    }
  }

  public grantReadWrite(grantee: IGrantable): Grant {
    const actions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:GetObjectTagging'];
    // A copy takes the tags of its object along (API reference, "CopyObject"). In quarantine a tag is the verdict of GuardDuty, which nobody else writes.
    const files = this.places
      .grantFiles(grantee, ...actions, 's3:PutObjectTagging')
      .combine(this.places.grantQuarantine(grantee, ...actions))
      .combine(this.places.grantBuckets(grantee, 's3:ListBucket', 's3:ListBucketMultipartUploads'));
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
    const lifecycleRules = [{ expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(1) }, NO_MARKERS];
    const circle = 'Access logs of the bucket of access logs would go around in a circle.';
    const bucket = accessLogsBucket(this, 'AccessLogs', { lifecycleRules, removalPolicy }, circle);
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
  for (const key of ['expiration', 'noncurrentVersionExpiration', 'quarantineExpiration'] as const) {
    const days = props[key]?.toDays({ integral: false });
    if (days !== undefined && !(Number.isInteger(days) && days >= 1))
      throw new Error(`${key}: ${days} days are none that S3 counts; write Duration.days(1) or more, in whole days`);
  }
  if (!bucket && prefix !== undefined) throw new Error('prefix: is a part of a bucket that is there already; give bucket as well, or leave it out');
  if (prefix !== undefined && !/^[^/].*\/$/.test(prefix))
    throw new Error(`prefix: "${prefix}" can't begin the keys of files; write it without a slash before it and with one behind it, as ftps/`);
  const wrong = bucket && (['expiration', 'noncurrentVersionExpiration'] as const).find((key) => props[key] !== undefined);
  if (wrong) throw new Error(`${wrong}: is a rule of a bucket that is made; ${bucket.node.path} is there already, so say it in its own lifecycle rules`);
}
