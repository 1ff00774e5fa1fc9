/** Accounts that the CDK may not bootstrap: templates that are deployed by hand or by Terraform. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, BootstraplessSynthesizer, CliCredentialsStackSynthesizer, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService } from '../../lib';
import { env, type Resources } from './support';

function service(app: App): Stack {
  const stack = new Stack(app, 'Partners', { env });
  const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'] });
  return stack;
}

const app = new App({
  defaultStackSynthesizer: new CliCredentialsStackSynthesizer({ fileAssetsBucketName: 'company-artifacts', bucketPrefix: 'ftps/' }),
});
service(app);
const assembly = app.synth();
const artifact = assembly.getStackByName('Partners');
const template = artifact.template as Resources;

it('what the template refers to lies in the bucket given, and nothing of the CDK’s bootstrap is asked for', () => {
  const text = JSON.stringify(template);
  expect(text).not.toMatch(/cdk-hnb659fds|BootstrapVersion/);
  const code = Object.values(template['Resources'] as Resources).flatMap(({ Type, Properties }) => (Type === 'AWS::Lambda::Function' ? [Properties.Code] : []));
  expect(code.length).toBeGreaterThan(4);
  for (const { S3Bucket, S3Key } of code) expect(`${S3Bucket}/${S3Key}`).toMatch(/^company-artifacts\/ftps\/[0-9a-f]{64}\.zip$/);
  expect(artifact.assumeRoleArn).toBeUndefined();
});

it('the manifest of assets says where each goes, in the name of whoever publishes them', () => {
  const { files } = JSON.parse(readFileSync(join(assembly.directory, 'Partners.assets.json'), 'utf8')) as Resources;
  const destinations = Object.values(files as Resources).flatMap((one) => Object.values(one['destinations'] as Resources));
  expect(destinations.length).toBeGreaterThan(6);
  for (const one of destinations) {
    expect(one).toMatchObject({ bucketName: 'company-artifacts', objectKey: expect.stringMatching(/^ftps\/[0-9a-f]{64}\.(zip|json|template\.json)$/) });
    expect(one['assumeRoleArn']).toBeUndefined();
  }
});

it('whoever deploys may change the secret of the certificate by CloudFormation, and in no other way', () => {
  const [policy] = Object.values(template['Resources'] as Resources).filter(({ Type }) => Type === 'AWS::SecretsManager::ResourcePolicy');
  const [update] = policy.Properties.ResourcePolicy.Statement.filter(({ Action }: Resources) => Action === 'secretsmanager:UpdateSecret');
  expect(update.Effect).toBe('Deny');
  expect(update.Condition['ForAllValues:StringNotEquals']).toEqual({ 'aws:CalledVia': ['cloudformation.amazonaws.com'] });
});

it('BootstraplessSynthesizer is none for it: it takes no assets, and the server and the Lambdas are some', () => {
  expect(() => service(new App({ defaultStackSynthesizer: new BootstraplessSynthesizer() }))).toThrow(
    /Cannot add assets to a Stack that uses the BootstraplessSynthesizer/,
  );
});

it('the example for Terraform takes the stack, its assets and its outputs by the names that they have', () => {
  const source = readFileSync(join(__dirname, '../../examples/terraform/main.tf'), 'utf8');
  const { stackTemplateAssetObjectUrl } = JSON.parse(readFileSync(join(assembly.directory, 'manifest.json'), 'utf8')).artifacts.Partners.properties;
  expect(stackTemplateAssetObjectUrl).toMatch(/^s3:\/\/company-artifacts\/ftps\/[0-9a-f]{64}\.json$/);
  expect(source).toContain('artifacts["Partners"].properties');
  expect(source).toContain('local.stack.stackTemplateAssetObjectUrl');
  expect(source).toMatch(/cdk-assets publish --path \$\{var\.assembly\}\/Partners\.assets\.json/);
  expect(Object.keys(template['Outputs'] as Resources).filter((name) => name.includes('AllowList'))).toHaveLength(1);
  // A template of this size is taken from S3 alone (CloudFormation user guide, "Quotas").
  expect(JSON.stringify(template).length).toBeGreaterThan(51_200);
  expect(JSON.stringify(template).length).toBeLessThan(1_000_000);
});
