/** Production: two instances over two zones, a year of logs, an archive that nobody can change. */
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { FtpsEnvironmentSettings } from '../../lib';

export const prod: FtpsEnvironmentSettings = {
  name: 'prod',
  domainName: 'ftps.example.com',
  hostedZoneId: 'Z0000000000000PROD',
  zoneName: 'example.com',
  clientCidrs: ['203.0.113.0/24', '198.51.100.0/24'],
  instances: 2,
  instanceType: 'c7g.large',
  logRetention: RetentionDays.ONE_YEAR,
  archiveDays: 365,
  server: { maxSessions: 2_000 },
};
