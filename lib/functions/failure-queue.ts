/** Keeps what a Lambda failed at for two weeks, and tells that there is something. */
import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations } from '../compliance/acknowledge';

export interface FailureQueueProps {
  /** What failed, in words. */
  readonly of: string;
}

export class FailureQueue extends Construct {
  public readonly queue: Queue;
  /** Goes off while something is in the queue. */
  public readonly alarm: Alarm;

  constructor(scope: Construct, id: string, props: FailureQueueProps) {
    super(scope, id);
    // Encrypted by keys of SQS itself: the account's own key for SQS (alias/aws/sqs) lets no service write, EventBridge for example (SQS developer guide, "Configure KMS permissions for AWS services").
    this.queue = new Queue(this, 'Resource', { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) });
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
}
