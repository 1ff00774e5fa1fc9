import { App, Stack } from 'aws-cdk-lib';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { FtpsLoadBalancer, FtpsService, ServerCertificate } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = PrivateHostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'bank.example' });
const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-central-1a', 'eu-central-1b'],
  privateSubnetIds: ['subnet-0123456789abcdef2', 'subnet-0123456789abcdef3'],
});

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.bank.example',
  hostedZone,
  clientCidrs: ['10.0.0.0/8'],
  vpc,
  vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
  // Free addresses of the subnets, which the company's firewalls know.
  endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, internetFacing: false, privateAddresses: ['10.1.0.10', '10.1.1.10'] }),
  certificate: ServerCertificate.fromSecret(stack, 'Certificate', Secret.fromSecretNameV2(stack, 'Tls', 'bank/ftps-tls')),
});
