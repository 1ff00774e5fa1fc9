import { App, Stack } from 'aws-cdk-lib';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { FtpsService } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

const service = new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
});
// The instances take part in grants and rules as whatever AWS CDK makes does.
Bucket.fromBucketName(stack, 'Templates', 'company-templates').grantRead(service);
service.connections.allowFrom(Peer.ipv4('10.9.0.0/16'), Port.tcp(9100), 'metrics of the company');
