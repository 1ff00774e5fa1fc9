import { App, Size, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { FilePermission, FtpsAccount, FtpsService, SecretAccounts } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const accounts = new SecretAccounts(stack, 'Accounts');

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  accounts,
});
new FtpsAccount(stack, 'acme', {
  accounts,
  password: Secret.fromSecretNameV2(stack, 'AcmePassword', 'partners/acme'),
  permissions: [FilePermission.WRITE, FilePermission.LIST],
  allowedNetworks: ['203.0.113.0/26'],
  quota: { size: Size.gibibytes(10) },
});
