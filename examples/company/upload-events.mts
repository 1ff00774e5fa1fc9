import { App, Stack } from 'aws-cdk-lib';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { FtpsService } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

const service = new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
});
const workflow = StateMachine.fromStateMachineName(stack, 'Workflow', 'invoices');
service.onUploadReleased('Invoices', { accounts: ['acme'], prefix: '/invoices/', target: new SfnStateMachine(workflow) });
