import { App, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsLoadBalancer, FtpsService, S3Storage, ServerCertificate } from 'cdk-ftps';

const app = new App();
const env = { region: 'eu-central-1', account: '111122223333' };
// What other teams keep, deployed first and without the service: network and addresses, certificate, files.
const [network, security, files] = [new Stack(app, 'Network', { env }), new Stack(app, 'Security', { env }), new Stack(app, 'Files', { env })];
const stack = new Stack(app, 'Partners', { env });
const domainName = 'ftps.example.com';
const hostedZone = HostedZone.fromHostedZoneAttributes(security, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const vpc = Vpc.fromVpcAttributes(network, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-central-1a', 'eu-central-1b'],
  publicSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  publicSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
});

new FtpsService(stack, 'Ftps', {
  domainName,
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  vpc,
  imageBuildCidr: '10.0.255.0/28',
  endpoint: new FtpsLoadBalancer(network, 'Balancer', { vpc, slots: 3 }),
  certificate: ServerCertificate.publicAcm(security, 'Certificate', { domainName, hostedZone }),
  storage: new S3Storage(files, 'Files'),
});
