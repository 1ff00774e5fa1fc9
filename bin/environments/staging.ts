/** Staging: one small instance, short retention, deletable. */
import { FtpsEnvironment } from '../../lib';
import { base } from './base';

export const staging = FtpsEnvironment.staging(base, {
  name: 'staging',
  domainName: 'ftps.staging.example.com',
  hostedZoneId: 'Z0000000000STAGING',
  zoneName: 'staging.example.com',
  clientCidrs: ['198.51.100.0/24'],
  server: { maxSessions: 200 },
});
