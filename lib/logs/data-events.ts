/** Who read or changed an object: CloudTrail's data events of buckets, kept like the audit. They are paid for by the event. */

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { ReadWriteType, Trail } from 'aws-cdk-lib/aws-cloudtrail';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Bucket, BucketEncryption, type IBucket, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations } from '../compliance/acknowledge';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse, letUse } from '../encryption/key-policy';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { PRIVATE } from '../private-bucket';

/** What `AuditDataEvents` is told. */
export interface AuditDataEventsProps {
  /** Buckets whose objects are watched. More can be added later, by `addBucket`. */
  readonly buckets: IBucket[];
  /** Group in which the events can be searched. */
  readonly logGroup: ILogGroup;
  /**
   * For how long nobody can change or delete what was written (S3 object lock, compliance mode). Whole days.
   * @default Duration.days(365)
   */
  readonly retention?: Duration;
  /**
   * What happens to the recorded events when the stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Key that encrypts the recorded events.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** Who touched the objects of buckets: CloudTrail data events, kept unchangeably. */
export class AuditDataEvents extends Construct {
  /** The trail that records the events. */
  public readonly trail: Trail;
  /** Where CloudTrail puts its files, with their digests. */
  public readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: AuditDataEventsProps) {
    super(scope, id);
    refuseUnknownProps(props, 'AuditDataEventsProps');
    encryptBelow(this, props.encryptionKey);
    const { buckets, logGroup, retention = Duration.days(365), removalPolicy = RemovalPolicy.RETAIN } = props;
    const days = retention.toDays();
    const trailName = stableName(this).replaceAll(/[^A-Za-z0-9]+/g, '-');
    const key = keyFor(this, 'Key', { description: 'CloudTrail data events of an FTPS service', removalPolicy });
    letRolesUse(this, key, 's3');
    this.bucket = new Bucket(this, 'Bucket', {
      ...PRIVATE,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(days)),
      lifecycleRules: [{ expiration: Duration.days(days + 1), noncurrentVersionExpiration: Duration.days(1) }],
      removalPolicy,
    });
    const circle = 'This bucket holds a log of accesses itself; who reads it is in the management events of the account.';
    acknowledge(this.bucket, 'AwsSolutions-S1', circle);
    acknowledgeRegulations(this.bucket, 'S3BucketLoggingEnabled', circle);
    acknowledgeRegulations(this.bucket, 'S3BucketReplicationEnabled', 'S3 keeps every object in at least three zones of the region.');
    this.letCloudTrailUse(key, trailName);
    this.trail = new Trail(this, 'Trail', {
      trailName,
      bucket: this.bucket,
      encryptionKey: key,
      enableFileValidation: true,
      sendToCloudWatchLogs: true,
      cloudWatchLogGroup: logGroup,
      managementEvents: ReadWriteType.NONE,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
    });
    acknowledgeRegulations(
      this.trail,
      'IAMNoInlinePolicy',
      'The policy lets this one trail write into its group, and lives and dies with it; a managed policy could be attached to others.',
    );
    for (const bucket of buckets) this.addBucket(bucket);
  }

  /** Watches the objects of one more bucket. */
  public addBucket(bucket: IBucket): void {
    this.trail.addS3EventSelector([{ bucket }], { includeManagementEvents: false });
  }

  /** CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail". */
  private letCloudTrailUse(key: IKey, trailName: string): void {
    const stack = Stack.of(this);
    const trail = stack.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: trailName });
    letUse(
      this,
      key,
      'FtpsDataEvents',
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudtrail.amazonaws.com')],
        actions: ['kms:GenerateDataKey*', 'kms:DescribeKey'],
        resources: ['*'], // in a key policy this means the key itself
        conditions: { StringEquals: { 'aws:SourceArn': trail } },
      }),
    );
  }
}
