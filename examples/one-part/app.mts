import { App, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { FtpsSecurityGroup, PassivePorts } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Door', { env: { region: 'eu-central-1', account: '111122223333' } });
// One part alone: the door of a server that you run yourself.
new FtpsSecurityGroup(stack, 'Door', {
  vpc: new Vpc(stack, 'Vpc', { natGateways: 0 }),
  controlPorts: [21, 990],
  passivePorts: PassivePorts.AWS_TRANSFER_FAMILY,
  clientCidrs: ['203.0.113.0/24'],
});
