/** The Lambda that puts uploads into place once GuardDuty has found them clean, and what starts it. Its code: release/handler.ts. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { type IEventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { lambdaCode } from '../bundles';
import { acknowledgeRegulations, OWN_ROLE } from '../compliance/acknowledge';
import { FailureQueue } from '../functions/failure-queue';
import { acceptSharedConcurrency } from '../functions/one-at-a-time';
import { stableName } from '../names';
import { letLogsUse } from '../network/log-key';
import { NAMESPACE } from '../observability/namespace';
import { QUARANTINE_PREFIX, type S3Places } from './s3-places';

export interface Release {
  readonly lambda: LambdaFn;
  /** Goes off when it could not be told of an upload. */
  readonly failuresAlarm: Alarm;
}

/** `ownKey`: whether the bucket of the files is encrypted as it says itself. */
export function releaseScanned(scope: Construct, places: S3Places, bus: IEventBus, ownKey: boolean): Release {
  const role = new Role(scope, 'ReleaseRole', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: 'Puts FTPS uploads into place that GuardDuty found clean',
  });
  const { queue: failures, alarm } = new FailureQueue(scope, 'Failures', { of: 'release of FTPS uploads that GuardDuty has scanned', role });
  letLogsUse(scope, places.key);
  const logGroup = new LogGroup(scope, 'ReleaseLogs', { retention: RetentionDays.ONE_YEAR, encryptionKey: places.key, removalPolicy: RemovalPolicy.RETAIN });
  const release = new LambdaFn(scope, 'Release', {
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
      FILES_BUCKET: places.files.bucketName,
      QUARANTINE_BUCKET: places.quarantine.bucketName,
      QUARANTINE_PREFIX,
      ...(ownKey ? {} : { KMS_KEY_ID: places.key.keyArn }),
      EVENT_BUS: bus.eventBusArn,
      METRIC_NAMESPACE: NAMESPACE,
      METRIC_STORAGE: stableName(scope),
    },
  });
  acceptSharedConcurrency(release);
  logGroup.grantWrite(role);
  places.grantFiles(role, 's3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:PutObjectTagging');
  places.grantQuarantine(role, 's3:GetObject', 's3:GetObjectTagging', 's3:PutObject', 's3:DeleteObject');
  places.grantBuckets(role, 's3:ListBucket');
  bus.grantPutEventsTo(role);
  acknowledgeRegulations(role, 'IAMNoInlinePolicy', OWN_ROLE);
  acknowledgeRegulations(
    release,
    'LambdaInsideVPC',
    'It reaches S3 and EventBridge alone, with its own role, and nothing reaches it; a VPC would only add a way to fail.',
  );
  new Rule(scope, 'Scanned', {
    description: 'GuardDuty has scanned an upload in quarantine',
    eventPattern: {
      source: ['aws.guardduty'],
      detailType: ['GuardDuty Malware Protection Object Scan Result'],
      detail: { s3ObjectDetails: { bucketName: [places.quarantine.bucketName] } },
    },
    targets: [new LambdaFunction(release, { deadLetterQueue: failures, retryAttempts: 20 })],
  });
  new Rule(scope, 'Overdue', {
    description: 'Looks for uploads whose scan result never came',
    schedule: Schedule.rate(Duration.minutes(15)),
    targets: [new LambdaFunction(release, { retryAttempts: 0 })],
  });
  return { lambda: release, failuresAlarm: alarm };
}
