/** What a company demands of every role and resource, laid on from outside: it reaches what the kit makes, and what AWS CDK makes for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Aspects, CfnResource, type IAspect, Names, PermissionsBoundary, Stack, TagManager, Tags } from 'aws-cdk-lib';
import { PermissionsBoundary as BoundaryOf, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import type { IConstruct } from 'constructs';
import { prod } from '../../bin/environments/prod';
import { staging } from '../../bin/environments/staging';
import { FtpsService, FtpsStage, S3Storage } from '../../lib';
import { env, type Resources, testStack } from './support';

/** Names by which the company knows whose a role is; also of roles that AWS CDK makes of raw resources. */
class RoleNames implements IAspect {
  public visit(node: IConstruct): void {
    if (!CfnResource.isCfnResource(node) || node.cfnResourceType !== 'AWS::IAM::Role') return;
    node.addPropertyOverride('Path', '/files/');
    node.addPropertyOverride('RoleName', `files-${Names.uniqueResourceName(node, { maxLength: 58 })}`);
  }
}

const app = new App();
const stages = [prod, staging].map((settings) => {
  const stage = new FtpsStage(app, settings.name, { settings: { ...settings, env }, permissionsBoundary: PermissionsBoundary.fromName('company-boundary') });
  Tags.of(stage).add('cost-centre', '4711');
  Aspects.of(stage).add(new RoleNames());
  return stage;
});
const assembly = app.synth();
const artifacts = stages.flatMap((stage) => assembly.getNestedAssembly(stage.artifactId).stacks);
const resources = artifacts.flatMap(({ stackName, template }) =>
  Object.entries(template.Resources as Resources).map(([id, one]) => ({ id: `${stackName}/${id}`, ...(one as { Type: string; Properties?: Resources }) })),
);
const roles = resources.filter(({ Type }) => Type === 'AWS::IAM::Role');

it('a permissions boundary of the stage is on every role, those of AWS CDK’s custom resources too', () => {
  expect(roles.length).toBeGreaterThan(15);
  expect(roles.some(({ id }) => /CustomResourceProvider/.test(id))).toBe(true);
  const without = roles.filter(({ Properties }) => !JSON.stringify(Properties?.['PermissionsBoundary'] ?? '').includes(':policy/company-boundary'));
  expect(without.map(({ id }) => id)).toEqual([]);
});

it('so is one that is laid on a plain stack by PermissionsBoundary.of', () => {
  const { app: other, stack, hostedZone } = testStack();
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], storage: new S3Storage(stack, 'Files') });
  const boundary = ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'company-boundary');
  BoundaryOf.of(stack).apply(boundary);
  const made = Object.entries(other.synth().getStackByName('Test').template.Resources as Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
  expect(made.length).toBeGreaterThan(12);
  expect(made.filter(([, { Properties }]) => !Properties.PermissionsBoundary).map(([id]) => id)).toEqual([]);
});

it('every role takes a name and a path of the company’s, each its own and none too long', () => {
  const names = roles.map(({ Properties }) => Properties!['RoleName'] as string);
  expect(names.filter((name) => !/^files-[\w+=,.@-]{1,58}$/.test(name))).toEqual([]);
  expect(new Set(names).size).toBe(roles.length);
  expect(new Set(roles.map(({ Properties }) => Properties!['Path']))).toEqual(new Set(['/files/']));
});

it('a tag is on every resource that AWS CDK can tag, and on the stacks, by which CloudFormation tags the rest', () => {
  const untagged = stages
    .flatMap((stage) => stage.node.findAll())
    .filter((one): one is CfnResource => CfnResource.isCfnResource(one) && TagManager.of(one) !== undefined)
    .filter((one) => TagManager.of(one)!.tagValues()['cost-centre'] !== '4711')
    .map(({ cfnResourceType }) => cfnResourceType);
  // They are replaced when a tag changes, and a new one of their name can't be made beside the old one.
  expect(new Set(untagged)).toEqual(new Set(['AWS::ImageBuilder::Component', 'AWS::ImageBuilder::ImageRecipe', 'AWS::ImageBuilder::Image']));
  expect(artifacts.map(({ tags }) => tags['cost-centre'])).toEqual(artifacts.map(() => '4711'));
});

it('roles can be another team’s: each is told with its statements, and none is made', () => {
  const other = new App();
  const stack = new Stack(other, 'Test', { env });
  Role.customizeRoles(stack); // before anything is in the stack
  const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], storage: new S3Storage(stack, 'Files') });
  const { directory } = other.synth();
  const types = Object.values(JSON.parse(readFileSync(join(directory, 'Test.template.json'), 'utf8')).Resources as Resources).map(({ Type }) => Type);
  expect(types).not.toContain('AWS::IAM::Role');
  expect(types.filter((type) => type === 'AWS::IAM::Policy')).toHaveLength(1);
  const report = readFileSync(join(directory, 'iam-policy-report.txt'), 'utf8');
  for (const role of ['Ftps/Fleet/Role', 'Ftps/Rollout/Lambda/Role', 'Files/ScanRole', 'AWSCDK.TriggerCustomResourceProviderCustomResourceProvider/Role'])
    expect(report).toContain(`(Test/${role})`);
});
