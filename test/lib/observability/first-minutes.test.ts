/** While a service is made, nobody is called: what has no data yet is no alarm. */

import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { prod } from '../../../bin/environments/prod';
import { FtpsStage } from '../../../lib';
import type { Resources } from '../support';

const { serviceStack, dataStack } = new FtpsStage(new App(), 'prod', { settings: prod });
const alarms = [serviceStack, dataStack].flatMap((stack) => Object.entries(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm') as Resources));
const named = (part: string) => alarms.filter(([id]) => id.includes(part)).map(([, { Properties }]) => Properties as Resources);

it('no alarm of the service takes missing data for a fault', () => {
  expect(alarms.length).toBeGreaterThan(30);
  expect(alarms.filter(([, { Properties }]) => Properties.TreatMissingData === 'breaching').map(([id]) => id)).toEqual([]);
});

it('silence is that of a group that is there: without any heartbeat the sum is none, without a group there is no sum', () => {
  const [silence] = named('AuditSilence');
  const metrics = silence!['Metrics'] as Resources[];
  expect(metrics.map(({ Expression, MetricStat }) => Expression ?? MetricStat.Metric.MetricName)).toEqual(
    expect.arrayContaining(['SUM([beats, none])', 'group * 0', 'GroupInServiceInstances', expect.stringMatching(/-Heartbeats$/)]),
  );
  // A quarter of an hour in which every five minutes have fewer than one and a half instances say.
  expect(silence).toMatchObject({ EvaluationPeriods: 3, Threshold: 7.5, ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'notBreaching' });
  for (const { MetricStat } of metrics.filter((one) => one['MetricStat'])) expect(MetricStat.Period).toBe(300);
});

it('a rotation that no longer runs is told once it has run, by one of its alarms', () => {
  const left = named('RotatedDaysLeft');
  expect(left).toHaveLength(4);
  expect(left.map(({ InsufficientDataActions, TreatMissingData }) => [TreatMissingData, InsufficientDataActions?.length ?? 0]).sort()).toEqual([
    ['ignore', 0],
    ['ignore', 0],
    ['ignore', 0],
    ['missing', 1],
  ]);
});
