import { App, Stack, Tags } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService } from 'cdk-ftps';

const app = new App();
// What is made is named for its stack.
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' }, stackName: 'corp-eu1-ftps-prod' });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
for (const [key, value] of Object.entries({ 'cost-centre': '4711', owner: 'file-transfer', 'data-class': 'confidential' })) Tags.of(app).add(key, value);

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
});
