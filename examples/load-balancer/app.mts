import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsLoadBalancer, FtpsService, PassivePorts, ServiceNetwork } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const { vpc } = new ServiceNetwork(stack, 'Network');

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  vpc,
  clientCidrs: ['203.0.113.0/24'],
  server: { passivePorts: PassivePorts.AWS_TRANSFER_FAMILY },
  instances: 2,
  endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3 }),
});
