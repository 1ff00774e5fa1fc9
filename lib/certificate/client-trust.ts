/** Whose client certificates are taken: a bundle of authorities and their revocation lists in S3, which the instances look at. */

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations } from '../compliance/acknowledge';
import { readingOf } from '../encryption/assets';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { useThrough } from '../encryption/use-through';
import { ServiceFunction } from '../functions/service-function';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { NAMESPACE } from '../observability/namespace';
import { PRIVATE } from '../private-bucket';

/** What `ClientTrust` is told. */
export interface ClientTrustProps {
  /** PEM file with the certificates of the authorities, in your repository. */
  readonly bundleFile: string;
  /**
   * Where the authorities publish their revocation lists (http or https), one for each authority in the bundle. They are fetched once an
   * hour, checked, and given to the instances. A certificate whose authority has no list, or one that is out of date, is refused.
   * @default - none; revoked certificates are not noticed
   */
  readonly revocationLists?: string[];
  /**
   * How long before the end of a revocation list its alarm goes off. An hourly list needs less than the daily one of most authorities. Whole hours.
   * @default Duration.hours(12)
   */
  readonly warnBefore?: Duration;
  /**
   * Key that encrypts authorities and lists.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

const CA_KEY = 'client-ca.pem';
const CRL_KEY = 'client-crl.pem';

/** The authorities whose client certificates are taken, and their revocation lists, kept up to date by a Lambda. */
export class ClientTrust extends Construct {
  /** Where the server reads the authorities. */
  public readonly authorities: string;
  /** Where the server reads the revocation lists; none where none are fetched. */
  public readonly revocations?: string;
  /** Where the authorities and the lists are kept for the instances. */
  public readonly bucket: Bucket;
  private readonly alarms: Alarm[];
  private readonly key: IKey;

  constructor(scope: Construct, id: string, props: ClientTrustProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ClientTrustProps');
    encryptBelow(this, props.encryptionKey);
    const { bundleFile, revocationLists = [], warnBefore = Duration.hours(12) } = props;
    const staleHours = warnBefore.toHours();
    const wrong = revocationLists.find((url) => !/^https?:\/\/\S+$/.test(url));
    if (wrong !== undefined) throw new Error(`revocationLists: "${wrong}" is no address; write it as http://crl.example.com/root.crl`);
    this.key = keyFor(this, 'Key', { description: 'FTPS client authorities', removalPolicy: RemovalPolicy.RETAIN });
    letRolesUse(this, this.key, 's3');
    this.bucket = this.makeBucket();
    this.authorities = `s3://${this.bucket.bucketName}/${CA_KEY}`;
    if (revocationLists.length > 0) this.revocations = `s3://${this.bucket.bucketName}/${CRL_KEY}`;
    const bundle = new Asset(this, 'Bundle', { path: bundleFile });
    const refresh = new ServiceFunction(this, 'Refresh', {
      bundle: 'certificate-client-trust',
      description: 'Gives the instances the authorities of client certificates and their revocation lists',
      alone: false,
      environment: {
        SOURCE_BUCKET: bundle.s3BucketName,
        SOURCE_KEY: bundle.s3ObjectKey,
        BUCKET: this.bucket.bucketName,
        CA_KEY,
        CRL_KEY,
        CRL_URLS: revocationLists.join(' '),
        METRIC_NAMESPACE: NAMESPACE,
        METRIC_TRUST: stableName(this),
      },
      permissions: [
        ...readingOf(bundle),
        new PolicyStatement({ actions: ['s3:GetObject', 's3:PutObject'], resources: [this.bucket.arnForObjects(CA_KEY), this.bucket.arnForObjects(CRL_KEY)] }),
        // Without it, S3 answers for an object that is not there yet as for one that may not be read.
        new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] }),
        useThrough('s3', this.key, 'Decrypt', 'GenerateDataKey'),
      ],
    });
    // With every new bundle, before instances begin to look for it.
    const first = new Trigger(this, 'First', { handler: refresh.lambda, timeout: Duration.minutes(2), executeAfter: [this.bucket, refresh.role] });
    this.alarms = [refresh.failedAlarm];
    if (revocationLists.length > 0) {
      const hourly = new Rule(this, 'Hourly', {
        description: 'Fetches the revocation lists of client certificates',
        schedule: Schedule.rate(Duration.hours(1)),
        targets: [new LambdaFunction(refresh.lambda, { retryAttempts: 2 })],
      });
      hourly.node.addDependency(first); // a rule begins with its first run; two at once would be in each other's way
      this.alarms.push(
        new Alarm(this, 'StaleRevocations', {
          alarmDescription: `A revocation list of client certificates ends within ${staleHours} hours, or, where data are missing, nobody looks at it. When it has ended, every client certificate of its authority is refused.`,
          metric: this.metricHoursLeft(),
          threshold: staleHours,
          comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
          evaluationPeriods: 1,
          treatMissingData: TreatMissingData.MISSING, // before the first run there is nothing to tell
        }),
      );
    }
  }

  /** Allows reading both, and nothing else. */
  public grantRead(grantee: IGrantable): Grant {
    const objects = [this.bucket.arnForObjects(CA_KEY), this.bucket.arnForObjects(CRL_KEY)];
    return granted(grantee, new PolicyStatement({ actions: ['s3:GetObject'], resources: objects }), useThrough('s3', this.key, 'Decrypt'));
  }

  /** Lets every alarm do something, for example tell an SNS topic. */
  public addAlarmAction(action: IAlarmAction): void {
    for (const alarm of this.alarms) alarm.addAlarmAction(action);
  }

  /** Hours until the first of the revocation lists ends. */
  public metricHoursLeft(options?: MetricOptions): Metric {
    return new Metric({
      namespace: NAMESPACE,
      metricName: 'ClientCrlHoursLeft',
      dimensionsMap: { Trust: stableName(this) },
      statistic: 'Minimum',
      period: Duration.hours(2),
      ...options,
    });
  }

  private makeBucket(): Bucket {
    const bucket = new Bucket(this, 'Resource', {
      ...PRIVATE,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      lifecycleRules: [{ noncurrentVersionExpiration: Duration.days(365) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const published =
      'Two objects that authorities publish anyway, written by one Lambda and read by the instances every few minutes; versions tell what changed when.';
    acknowledge(bucket, 'AwsSolutions-S1', published);
    acknowledgeRegulations(bucket, 'S3BucketLoggingEnabled', published);
    return bucket;
  }
}
