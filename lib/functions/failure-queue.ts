/** Keeps what a Lambda failed at for two weeks, and tells that there is something. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations } from '../compliance/acknowledge';
import { givenKey } from '../encryption/given-key';
import { letRolesUse, letUse } from '../encryption/key-policy';
import { useThrough } from '../encryption/use-through';

export interface FailureQueueProps {
  /** What failed, in words. */
  readonly of: string;
  /** Role of the Lambda: Lambda keeps what failed in its name. */
  readonly role: IGrantable;
}

export class FailureQueue extends Construct {
  public readonly queue: Queue;
  /** Goes off while something is in the queue. */
  public readonly alarm: Alarm;

  constructor(scope: Construct, id: string, props: FailureQueueProps) {
    super(scope, id);
    const key = givenKey(this);
    if (key) this.letUse(key, props.role);
    this.queue = new Queue(this, 'Resource', {
      // Else by keys of SQS itself: the account's own key for SQS (alias/aws/sqs) lets no service write, EventBridge for example (SQS developer guide, "Configure KMS permissions for AWS services").
      ...(key ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key } : { encryption: QueueEncryption.SQS_MANAGED }),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledge(this.queue, 'AwsSolutions-SQS3', 'This queue is itself the dead-letter queue of a Lambda.');
    this.alarm = new Alarm(this, 'Kept', {
      alarmDescription: `Failed for good, and kept in a queue for two weeks: ${props.of}`,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    acknowledgeRegulations(this.alarm, 'CloudWatchAlarmAction', 'Who is told is said by addAlarmAction; a service in the same stack says its own topic.');
  }

  /** What Lambda could not do it puts here in the name of its role, what EventBridge could not hand over in its own (SQS developer guide, "Configure KMS permissions for AWS services"). */
  private letUse(key: IKey, role: IGrantable): void {
    letRolesUse(this, key, 'sqs');
    role.grantPrincipal.addToPrincipalPolicy(useThrough('sqs', key, 'GenerateDataKey', 'Decrypt'));
    letUse(
      this,
      key,
      'FtpsFailures',
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
        resources: ['*'], // in a key policy this means the key itself
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }
}
