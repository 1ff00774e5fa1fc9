/** Staging: one small instance, short retention, deletable. */
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { FtpsEnvironmentSettings } from '../../lib';

export const staging: FtpsEnvironmentSettings = {
  name: 'staging',
  domainName: 'ftps.staging.example.com',
  hostedZoneId: 'Z0000000000STAGING',
  zoneName: 'staging.example.com',
  clientCidrs: ['198.51.100.0/24'],
  instances: 1,
  instanceType: 't4g.small',
  logRetention: RetentionDays.ONE_MONTH,
  archiveDays: 0,
  protect: false,
  server: { maxSessions: 200 },
};
