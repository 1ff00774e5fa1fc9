import { App, CliCredentialsStackSynthesizer, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService } from 'cdk-ftps';

// No bootstrap and no roles of the CDK: what templates refer to lies in a bucket of yours, and whoever deploys does so as themselves.
const app = new App({
  defaultStackSynthesizer: new CliCredentialsStackSynthesizer({ fileAssetsBucketName: 'company-artifacts', bucketPrefix: 'ftps/' }),
});
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });

new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'] });
