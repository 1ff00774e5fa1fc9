import { App } from 'aws-cdk-lib';
import { FtpsEnvironment, type FtpsEnvironmentOptions, FtpsStage, PassivePorts } from 'cdk-ftps';

// What both share; what is an environment's own wins.
const shared: FtpsEnvironmentOptions = {
  tags: { team: 'file-transfer' },
  server: { passivePorts: PassivePorts.AWS_TRANSFER_FAMILY },
};

const staging = FtpsEnvironment.staging(shared, {
  name: 'staging',
  env: { region: 'eu-central-1', account: '111122223333' },
  domainName: 'ftps.staging.example.com',
  hostedZoneId: 'Z0123456789STAGING',
  zoneName: 'staging.example.com',
  clientCidrs: ['198.51.100.0/24'],
});

const prod = FtpsEnvironment.production(shared, {
  name: 'prod',
  env: { region: 'eu-central-1', account: '444455556666' },
  domainName: 'ftps.example.com',
  hostedZoneId: 'Z0123456789EXAMPLE',
  zoneName: 'example.com',
  clientCidrs: ['203.0.113.0/24'],
  alarmEmails: ['on-call@example.com'],
});

const app = new App();
for (const settings of [staging, prod]) new FtpsStage(app, settings.name, { settings });
