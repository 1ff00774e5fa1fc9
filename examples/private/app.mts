import { App, Stack } from 'aws-cdk-lib';
import { CertificateAuthority } from 'aws-cdk-lib/aws-acmpca';
import { IpAddresses, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService, PrivateAddresses, S3Storage, ServerCertificate, ServiceEndpoints } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Inside', { env: { region: 'eu-central-1', account: '111122223333' } });
// No way to the internet: clients come by VPN or Direct Connect, and the AWS APIs are within.
const vpc = new Vpc(stack, 'Vpc', {
  ipAddresses: IpAddresses.cidr('10.42.0.0/20'),
  natGateways: 0,
  subnetConfiguration: [{ name: 'Inside', subnetType: SubnetType.PRIVATE_ISOLATED }],
});
const apis = new ServiceEndpoints(stack, 'Apis', { vpc });
apis.allowFromCidr('10.42.0.0/20'); // instances, and the machines that build their image
const hostedZone = new PrivateHostedZone(stack, 'Zone', { zoneName: 'example.com', vpc });
const domainName = 'ftps.example.com';

new FtpsService(stack, 'Ftps', {
  domainName,
  hostedZone,
  vpc,
  vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
  clientCidrs: ['10.0.0.0/8'],
  storage: new S3Storage(stack, 'Files'), // scanned by GuardDuty; a scanner on the instances would get its signatures from the internet
  endpoint: new PrivateAddresses(stack, 'Addresses'),
  certificate: ServerCertificate.privateCa(stack, 'Certificate', {
    domainName,
    authority: CertificateAuthority.fromCertificateAuthorityArn(
      stack,
      'Authority',
      'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555',
    ),
  }),
});
