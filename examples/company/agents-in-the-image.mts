import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService, ImageComponent } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  image: {
    components: [
      ImageComponent.managedByAws('amazon-cloudwatch-agent-linux'),
      ImageComponent.fromArn('arn:aws:imagebuilder:eu-central-1:444455556666:component/edr/1.x.x', { Tenant: 'bank' }),
      ImageComponent.commands('Inventory', { install: ['dnf -y install osquery'], validate: ['osqueryi --version'] }),
    ],
  },
});
