/** Further changes of a deployed environment, beside those of deployed.test.ts. */
import { Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DnsRouting, EndpointKind, type FtpsEnvironmentOptions, ImageComponent, StorageKind } from '../../../../lib';
import { change, environment } from './environment';

it.each<[string, FtpsEnvironmentOptions, FtpsEnvironmentOptions]>([
  ['one instance becomes three', { instances: 1 }, { instances: 3 }],
  ['two environments are to share a name', {}, { dnsRouting: DnsRouting.weighted(100) }],
  [
    'an environment becomes the primary one',
    { endpoint: EndpointKind.LOAD_BALANCER },
    { endpoint: EndpointKind.LOAD_BALANCER, dnsRouting: DnsRouting.primary() },
  ],
  ['the archive goes', {}, { archiveRetention: Duration.days(0) }],
  ['IPv6 comes', {}, { ipv6: true }],
  ['an agent in the image', {}, { image: { components: [ImageComponent.commands('Agent', { install: ['dnf -y install agent'] })] } }],
  ['an archive comes', { archiveRetention: Duration.days(0) }, {}],
  ['the archive is kept for longer', {}, { archiveRetention: Duration.days(730) }],
  ['IPv6 goes', { ipv6: true }, {}],
  ['a network firewall comes', {}, { networkFirewall: true }],
  ['a network firewall goes', { networkFirewall: true }, {}],
  ['another instance type', {}, { instanceType: new InstanceType('c7g.xlarge') }],
  ['another time for patches', {}, { patchSchedule: Schedule.expression('cron(0 4 ? * mon *)') }],
  ['a second certificate', {}, { ecdsaCertificate: true }],
  ['the second certificate goes', { ecdsaCertificate: true }, {}],
  ['another host name', {}, { alternativeNames: ['files.example.com'] }],
  ['logs are kept for longer', {}, { logRetention: RetentionDays.TWO_YEARS }],
  ['files move to S3', {}, { storage: StorageKind.S3 }],
  ['room to grow', {}, { maxInstances: 4 }],
  ['alarms at other numbers', {}, { alarmThresholds: { failedLogins: 200 } }],
  ['protection comes', { protect: false }, {}],
])('%s: nothing is stuck, and nothing is lost', (_, before, after) => {
  expect(change(environment(before), environment(after)).problems).toEqual([]);
});
