import { App, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService, ServerCertificate } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const certificate = Certificate.fromCertificateArn(stack, 'Acm', 'arn:aws:acm:eu-central-1:111122223333:certificate/11111111-2222-3333-4444-555555555555');

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  certificate: ServerCertificate.fromAcm(stack, 'Certificate', { certificate, names: ['ftps.example.com'] }),
});
