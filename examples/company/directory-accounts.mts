import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DirectoryAccounts, DirectoryFlavour, FtpsService } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  accounts: new DirectoryAccounts(stack, 'Accounts', {
    flavour: DirectoryFlavour.ACTIVE_DIRECTORY,
    servers: ['ldaps://dc1.corp.example.com', 'ldaps://dc2.corp.example.com'],
    serverCidrs: ['10.0.0.0/16'],
    serviceAccount: 'CN=ftps,OU=Services,DC=corp,DC=example,DC=com',
    servicePassword: Secret.fromSecretNameV2(stack, 'Password', 'ftps/directory'),
    userBase: 'OU=Partners,DC=corp,DC=example,DC=com',
    rules: [{ group: 'CN=Ftps,OU=Groups,DC=corp,DC=example,DC=com', home: '/{department}/{user}' }],
  }),
});
