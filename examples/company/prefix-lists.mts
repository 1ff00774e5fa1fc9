import { App, Stack } from 'aws-cdk-lib';
import { PrefixList } from 'aws-cdk-lib/aws-ec2';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  clientPrefixLists: [PrefixList.fromPrefixListId(stack, 'Partners', 'pl-0123456789abcdef0')],
});
