/** Production: two instances over two zones, a year of logs, an archive that nobody can change. */
import { Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { FtpsEnvironment } from '../../lib';
import { base } from './base';

export const prod = FtpsEnvironment.production(base, {
  name: 'prod',
  domainName: 'ftps.example.com',
  hostedZoneId: 'Z0000000000000PROD',
  zoneName: 'example.com',
  clientCidrs: ['203.0.113.0/24', '198.51.100.0/24'],
  instances: 2,
  instanceType: new InstanceType('c7g.large'),
  archiveRetention: Duration.days(365),
  server: { maxSessions: 2_000 },
});
