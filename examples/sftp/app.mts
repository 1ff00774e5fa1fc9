import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { FtpsAccount, FtpsService, HostKeys, SecretAccounts, SshLogin } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const accounts = new SecretAccounts(stack, 'Accounts');

new FtpsService(stack, 'Ftps', {
  domainName: 'files.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  accounts,
  server: { sftp: { port: 22 } },
  // Those of the server that had the name before: {"privateKeys": ["-----BEGIN OPENSSH PRIVATE KEY-----…"]}. Left out, new ones are made.
  hostKeys: HostKeys.fromSecret(stack, 'HostKeys', Secret.fromSecretNameV2(stack, 'OldHostKeys', 'sftp/host-keys')),
});

new FtpsAccount(stack, 'acme', {
  accounts,
  publicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH acme'],
  sshLogin: SshLogin.KEY,
});
