import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService, type ServerOverrides } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  server: {
    overrides: {
      active: { enabled: true, sourcePorts: '20-20' },
      limits: { bandwidth: { uploadBytesPerSecond: 50_000_000 }, lockout: { failuresPerAccount: 5, longestSeconds: 86_400 } },
      listeners: [{ mode: 'implicit', maxTlsVersion: 'TLSv1.2' }],
    } satisfies ServerOverrides,
  },
});
