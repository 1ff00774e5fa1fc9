/** Tells when an image could not be built or tested, and when Amazon Inspector finds a vulnerability in one. */

import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type EventPattern, Match, Rule } from 'aws-cdk-lib/aws-events';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { encryptBelow } from '../encryption/given-key';
import { refuseUnknownProps } from '../known-props';
import { ofThisStack, stableName } from '../names';
import { logKey } from '../network/log-key';

/** What `ImageWatch` is told. */
export interface ImageWatchProps {
  /** Beginning of the ARNs of the images. */
  readonly imageArnPrefix: string;
  /**
   * Key that encrypts the events.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** Tells when an image could not be built, failed its tests, or has a known vulnerability. */
export class ImageWatch extends Construct {
  /** Goes off when a build or a test of an image failed; the image before stays in service. */
  public readonly failedAlarm: Alarm;
  /** Goes off when an image has a critical or high vulnerability. */
  public readonly vulnerabilityAlarm: Alarm;
  /** ARN of the log group that keeps the events, as EventBridge wants it: without the `:*` at its end. */
  private readonly eventsArn: string;

  constructor(scope: Construct, id: string, props: ImageWatchProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ImageWatchProps');
    encryptBelow(this, props.encryptionKey);
    const { imageArnPrefix } = props;
    const events = new LogGroup(this, 'Events', {
      logGroupName: `/aws/events/${stableName(this)}-${ofThisStack(this)}`,
      encryptionKey: logKey(this, 'Key', 'Events of FTPS images'),
      retention: RetentionDays.ONE_YEAR,
    });
    // EventBridge user guide, "CloudWatch Logs permissions": the service writes by the resource policy of Logs.
    events.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('events.amazonaws.com'), new ServicePrincipal('delivery.logs.amazonaws.com')],
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [events.logGroupArn],
      }),
    );
    this.eventsArn = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: events.logGroupName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const ofImages = { source: ['aws.imagebuilder'], resources: Match.prefix(imageArnPrefix) };
    this.failedAlarm = this.alarmOn('Failed', 'An FTPS image could not be built; the one before stays in service', {
      ...ofImages,
      detailType: ['EC2 Image Builder Image State Change'],
      detail: { state: { status: ['FAILED'] } },
    });
    this.vulnerabilityAlarm = this.alarmOn('Vulnerable', 'An FTPS image has a critical or high vulnerability', {
      ...ofImages,
      detailType: ['EC2 Image Builder CVE Detected'],
      detail: {
        $or: ['critical', 'high'].map((severity) => ({ 'finding-severity-counts': { [severity]: [{ numeric: ['>', 0] }] } })),
      },
    });
  }

  /** EventBridge counts the events that a rule matched (EventBridge user guide, "Monitoring Amazon EventBridge"). */
  private alarmOn(id: string, description: string, eventPattern: EventPattern): Alarm {
    const rule = new Rule(this, `${id}Rule`, { description, eventPattern, targets: [{ bind: () => ({ arn: this.eventsArn }) }] });
    return new Alarm(this, `${id}Alarm`, {
      alarmDescription: description,
      metric: new Metric({
        namespace: 'AWS/Events',
        metricName: 'TriggeredRules',
        dimensionsMap: { RuleName: rule.ruleName },
        statistic: 'Sum',
        period: Duration.minutes(5),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
