/** Tells Route 53 whether a service serves, without a way in for its health checkers. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnHealthCheck } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { acknowledgeRegulations } from '../compliance/acknowledge';
import type { DnsRouting } from './dns-routing';

export interface ServingCheckProps {
  /** Name of the group of instances. */
  readonly groupName: string;
}

/**
 * A health check that follows an alarm, since the checkers of Route 53 come from the internet, where the door is closed to them (Amazon Route 53
 * developer guide, "How Route 53 determines the status of health checks that monitor CloudWatch alarms").
 */
class ServingCheck extends Construct {
  public readonly healthCheckId: string;

  constructor(scope: Construct, id: string, props: ServingCheckProps) {
    super(scope, id);
    const { groupName } = props;
    const alarm = new Alarm(this, 'Alarm', {
      alarmDescription: 'FTPS: no instance has been in service for three minutes; Route 53 sends clients to the other service.',
      metric: new Metric({
        namespace: 'AWS/AutoScaling',
        metricName: 'GroupInServiceInstances',
        dimensionsMap: { AutoScalingGroupName: groupName },
        statistic: 'Maximum',
        period: Duration.minutes(1),
      }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.BREACHING,
    });
    acknowledgeRegulations(alarm, 'CloudWatchAlarmAction', 'Route 53 is told by the health check; a service tells its topic as well.');
    const check = new CfnHealthCheck(this, 'Resource', {
      healthCheckConfig: {
        type: 'CLOUDWATCH_METRIC',
        alarmIdentifier: { name: alarm.alarmName, region: Stack.of(this).region },
        insufficientDataHealthStatus: 'Unhealthy', // a region that tells nothing serves nobody
      },
      healthCheckTags: [{ key: 'Name', value: groupName }],
    });
    this.healthCheckId = check.attrHealthCheckId;
  }
}

/** What the Lambda that keeps the records is told of their routing, as environment variables. */
export function routingVariables(scope: Construct, groupName: string, routing: DnsRouting | undefined): Record<string, string> {
  if (!routing) return {};
  const id = routing._needsCheck ? new ServingCheck(scope, 'Serving', { groupName }).healthCheckId : routing.healthCheck?.healthCheckId;
  return { ROUTING: JSON.stringify(routing._settings), ...(id === undefined ? {} : { HEALTH_CHECK_ID: id }) };
}
