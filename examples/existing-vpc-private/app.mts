import { App, Stack } from 'aws-cdk-lib';
import { CertificateAuthority } from 'aws-cdk-lib/aws-acmpca';
import { PrefixList, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService, PrivateAddresses, S3Storage, ServerCertificate, ServiceEndpoints } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Inside', { env: { region: 'eu-central-1', account: '111122223333' } });
const domainName = 'ftps.example.com';
// Yours, by their ids, so that synthesis asks no account: a network that only VPN, Direct Connect or peering reaches, and its zone.
const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  vpcCidrBlock: '10.42.0.0/20',
  availabilityZones: ['eu-central-1a', 'eu-central-1b'],
  isolatedSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  isolatedSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
});
const hostedZone = PrivateHostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const authority = CertificateAuthority.fromCertificateAuthorityArn(
  stack,
  'Authority',
  'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555',
);
// Interface endpoints of the AWS APIs that the instances speak to. Where the network has them already, let the instances reach yours instead.
const apis = new ServiceEndpoints(stack, 'Apis', { vpc });
apis.allowFromCidr('10.42.0.0/20'); // instances, and the machines that build their image

new FtpsService(stack, 'Ftps', {
  domainName,
  hostedZone,
  vpc,
  vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
  clientCidrs: ['10.0.0.0/8'],
  clientPrefixLists: [PrefixList.fromPrefixListId(stack, 'Partners', 'pl-0123456789abcdef0')],
  storage: new S3Storage(stack, 'Files'), // scanned by GuardDuty; a scanner on the instances would get its signatures from the internet
  endpoint: new PrivateAddresses(stack, 'Addresses'),
  certificate: ServerCertificate.privateCa(stack, 'Certificate', { domainName, authority }),
});
