/** Environments as `cdk deploy` gets them, and what becomes of one when another is deployed over it. */
import { App, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { FtpsEnvironment, type FtpsEnvironmentOptions, FtpsService, FtpsStage } from '../../../../lib';
import { Account, type Deployed, type Outcome } from './account';

// The rules that the CDK brings along are asked of each environment in templates.test.ts.
process.env['CDK_VALIDATION'] = 'false';

const own = { name: 'test', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] };

const made = new Map<string, Deployed[]>();

/** The stacks of an environment in the order in which they are deployed. */
export function environment(options: FtpsEnvironmentOptions = {}): Deployed[] {
  const key = JSON.stringify([options, process.env['TEST_SERVER_FOLDER']]);
  if (!made.has(key)) made.set(key, synthesized(options));
  return made.get(key)!;
}

/** `add` puts more into the environment. */
export function synthesized(options: FtpsEnvironmentOptions, add: (stage: FtpsStage) => void = () => {}): Deployed[] {
  const app = new App({ context: { [DISABLE_ASSET_STAGING_CONTEXT]: true } });
  const stage = new FtpsStage(app, 'Test', { settings: FtpsEnvironment.of(options, own) });
  add(stage);
  const { dataStack, serviceStack } = stage;
  const assembly = app.synth().getNestedAssembly('assembly-Test');
  return [dataStack, serviceStack].map(({ stackName, artifactId }) => ({ name: stackName, template: assembly.getStackArtifact(artifactId).template }));
}

/** Types of the resources with this fate. */
export const having = ({ fates }: Outcome, fate: string) =>
  [...new Set([...fates.values()].filter((one) => one.fate === fate).map(({ type }) => type.replace('AWS::', '')))].sort();

export function change(before: readonly Deployed[], after: readonly Deployed[]): Outcome {
  const account = new Account();
  account.deploy(before);
  return account.deploy(after);
}

/** A service in a stack of its own, with a key for everything or without one. */
export function service(key?: string): Deployed[] {
  const app = new App({ context: { [DISABLE_ASSET_STAGING_CONTEXT]: true } });
  const stack = new Stack(app, 'Service');
  const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: own.hostedZoneId, zoneName: own.zoneName });
  const encryptionKey = key === undefined ? undefined : Key.fromKeyArn(stack, 'Key', key);
  new FtpsService(stack, 'Ftps', { domainName: own.domainName, clientCidrs: own.clientCidrs, hostedZone, encryptionKey });
  return [{ name: 'Service', template: app.synth().getStackByName('Service').template }];
}
