import { App, Stack } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { FileSystem } from 'aws-cdk-lib/aws-efs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FileStorage, FtpsService } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const securityGroup = SecurityGroup.fromSecurityGroupId(stack, 'Nfs', 'sg-0123456789abcdef0');
const fileSystem = FileSystem.fromFileSystemAttributes(stack, 'Shared', { fileSystemId: 'fs-0123456789abcdef0', securityGroup });

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  storage: FileStorage.fromFileSystem(stack, 'Files', fileSystem, { path: '/partners' }),
});
