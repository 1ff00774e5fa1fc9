/** Further changes of a deployed environment, beside those of test/lib/changes. */
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { FtpsEnvironmentOptions } from '../../../lib';
import { change, environment } from '../../lib/changes/environment';

it.each<[string, FtpsEnvironmentOptions, FtpsEnvironmentOptions]>([
  ['an archive comes', { archiveDays: 0 }, {}],
  ['the archive is kept for longer', {}, { archiveDays: 730 }],
  ['IPv6 goes', { ipv6: true }, {}],
  ['a network firewall comes', {}, { networkFirewall: true }],
  ['a network firewall goes', { networkFirewall: true }, {}],
  ['another instance type', {}, { instanceType: 'c7g.xlarge' }],
  ['another time for patches', {}, { patchSchedule: 'cron(0 4 ? * mon *)' }],
  ['a second certificate', {}, { ecdsaCertificate: true }],
  ['the second certificate goes', { ecdsaCertificate: true }, {}],
  ['another host name', {}, { alternativeNames: ['files.example.com'] }],
  ['logs are kept for longer', {}, { logRetention: RetentionDays.TWO_YEARS }],
  ['protection comes', { protect: false }, {}],
])('%s: nothing is stuck, and nothing is lost', (_, before, after) => {
  expect(change(environment(before), environment(after)).problems).toEqual([]);
});
