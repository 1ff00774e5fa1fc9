import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import { ImageComponent, Processor, ServerImage, type ServerImageProps } from '../../../lib';
import { type Resources, testStack } from '../support';

function image(props: Partial<ServerImageProps> = {}): Template {
  const { stack } = testStack();
  const vpc = new Vpc(stack, 'Vpc');
  new ServerImage(stack, 'Image', {
    subnet: Subnet.fromSubnetId(stack, 'Subnet', 'subnet-0123456789abcdef0'),
    securityGroup: new SecurityGroup(stack, 'Group', { vpc }),
    ...props,
  });
  return Template.fromStack(Stack.of(vpc));
}

/** The commands of a component, by phase. */
function commands(template: Template, name: string): Record<string, string> {
  const component = Object.values(template.findResources('AWS::ImageBuilder::Component') as Resources).find(({ Properties }) =>
    Properties.Name.includes(`-${name}-`),
  );
  const data = component?.Properties.Data;
  const phases = JSON.parse(
    typeof data === 'string' ? data : data['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : '')).join(''),
  ).phases;
  return Object.fromEntries(
    phases.map((phase: Resources) => [phase['name'], phase['steps'].flatMap((step: Resources) => step['inputs']?.commands ?? step['action']).join('\n')]),
  );
}

it('is patched, hardened and checked while it is built, and booted and spoken to before it counts as good', () => {
  const template = image();
  expect(commands(template, 'Packages')['build']).toContain('dnf -y upgrade');
  expect(commands(template, 'ServerFiles')['test']).toContain('self-test.sh');
  const hardening = commands(template, 'Hardening');
  expect(hardening['build']).toContain('remove openssh-server');
  expect(hardening['validate']).toContain('check.sh --built | tee -a /opt/ftps/checks.txt');
  expect(hardening['test']).toContain('check.sh');
  const pipeline = template.findResources('AWS::ImageBuilder::ImagePipeline') as Resources;
  expect(Object.values(pipeline)[0].Properties).toMatchObject({
    ImageTestsConfiguration: { ImageTestsEnabled: true },
    // Inspector, which has to be switched on in the account, is asked for by a setting.
    ImageScanningConfiguration: { ImageScanningEnabled: false },
    Schedule: { ScheduleExpression: 'cron(0 3 ? * sun *)' },
    Status: 'ENABLED',
  });
  template.hasResourceProperties('AWS::ImageBuilder::InfrastructureConfiguration', { InstanceMetadataOptions: { HttpTokens: 'required' } });
});

it('is hardened by the STIG component that knows Amazon Linux 2023, before anything of ours is installed', () => {
  const [{ Properties }] = Object.values(image().findResources('AWS::ImageBuilder::ImageRecipe') as Resources);
  const [stig, packages] = Properties.Components;
  expect(JSON.stringify(stig.ComponentArn)).toContain(':aws:component/stig-build-linux/x.x.x');
  expect(stig.Parameters).toEqual([{ Name: 'Level', Value: ['Medium'] }]);
  expect(JSON.stringify(packages)).toContain('Packages');
  expect(JSON.stringify(Object.values(image({ stig: false }).findResources('AWS::ImageBuilder::ImageRecipe')))).not.toContain('stig');
});

it('is built and tested in a folder from which programs may be run, since /tmp of the finished image is none', () => {
  const template = image();
  template.hasResourceProperties('AWS::ImageBuilder::ImageRecipe', { WorkingDirectory: '/var/tmp' });
  const { build, validate, test } = commands(template, 'Hardening');
  expect(build).toContain('noexec');
  for (const phase of [build, validate]) expect(phase).not.toMatch(/start tmp\.mount|mount .*\/tmp/);
  expect(validate).toContain('--built');
  expect(test).not.toContain('--built');
});

it('asks packages for their version by rpm, and brings the newest release and signatures', () => {
  const template = image();
  const { build, validate } = commands(template, 'Packages');
  expect(validate).toMatch(/rpm -q .*\bclamd\b/);
  expect(validate).not.toContain('clamd --version');
  expect(build).toContain('dnf -y upgrade --refresh --releasever=latest');
  expect(commands(template, 'Hardening')['validate']).toContain('system-release'); // which it was stays in the image
  expect(commands(template, 'ServerFiles')['build']).toContain('systemctl start ftps-signatures.service');
});

it('leaves the cryptography of FIPS alone where that is in place', () => {
  const { build } = commands(image(), 'Hardening');
  expect(build).toContain('case $(update-crypto-policies --show) in FIPS*)');
  expect(build).not.toContain('--is-applied');
});

it('boots in FIPS mode when asked, and tries how the cryptography behaves', () => {
  expect(commands(image({ fips: true }), 'Fips')).toMatchObject({
    build: expect.stringContaining('fips-mode-setup --enable'),
    test: expect.stringContaining('md5'),
  });
  expect(() => commands(image(), 'Fips')).toThrow();
});

it('has another recipe name whenever anything in it changes, because a recipe is never changed under its name', () => {
  const name = (props: Partial<ServerImageProps>) =>
    Object.values(image(props).findResources('AWS::ImageBuilder::ImageRecipe') as Resources)[0].Properties.Name;
  const names = [{}, { fips: true }, { stig: false }, { processor: Processor.X86_64 }].map(name);
  expect(new Set(names).size).toBe(4);
  expect(name({})).toBe(names[0]);
});

it('keeps as many old images as asked, of this service alone', () => {
  const template = image({ keep: 3 });
  const tagged = Object.values(template.findResources('AWS::ImageBuilder::ImagePipeline') as Resources)[0].Properties.ImageTags;
  template.hasResourceProperties('AWS::ImageBuilder::LifecyclePolicy', {
    PolicyDetails: [{ Action: { Type: 'DELETE', IncludeResources: { Amis: true, Snapshots: true } }, Filter: { Type: 'COUNT', Value: 3 } }],
    ResourceSelection: { TagMap: tagged },
  });
  template.hasResourceProperties('AWS::ImageBuilder::Image', { Tags: tagged });
  expect(() => image({ keep: 1 })).toThrow(/keep: 1 leaves no image to go back to/);
});

it('names its newest AMI in a parameter of the type that launch templates take, in every region it is copied to', () => {
  const template = image({ copyToRegions: ['eu-west-1'], shareWithAccounts: ['444455556666'] });
  const [{ Properties }] = Object.values(template.findResources('AWS::ImageBuilder::DistributionConfiguration') as Resources) as [Resources];
  expect(Properties.Distributions).toHaveLength(2);
  for (const distribution of Properties.Distributions) {
    expect(distribution.SsmParameterConfigurations[0].DataType).toBe('aws:ec2:image');
    expect(distribution.AmiDistributionConfiguration.LaunchPermissionConfiguration).toEqual({ UserIds: ['444455556666'] });
  }
});

it('goes off when a build fails and when Inspector finds something serious', () => {
  const template = image();
  template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { 'detail-type': ['EC2 Image Builder CVE Detected'] } });
  template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { detail: { state: { status: ['FAILED'] } } } });
  template.resourceCountIs('AWS::CloudWatch::Alarm', 2);
});

describe('components of one’s own', () => {
  const agents = [
    ImageComponent.managedByAws('amazon-cloudwatch-agent-linux'),
    ImageComponent.fromArn('arn:aws:imagebuilder:eu-central-1:111122223333:component/edr/1.x.x', { Tenant: 'bank' }),
    ImageComponent.commands('Inventory', { install: ['dnf -y install osquery'], validate: ['osqueryi --version'] }),
  ];
  const recipeOf = (components: ImageComponent[]) =>
    Object.values(image({ components }).findResources('AWS::ImageBuilder::ImageRecipe') as Resources)[0].Properties;

  it('come behind those of the kit, in their order', () => {
    const { Components } = recipeOf(agents);
    expect(Components.slice(4).map((one: Resources) => [JSON.stringify(one['ComponentArn']), one['Parameters']])).toEqual([
      [expect.stringContaining(':aws:component/amazon-cloudwatch-agent-linux/x.x.x'), undefined],
      ['"arn:aws:imagebuilder:eu-central-1:111122223333:component/edr/1.x.x"', [{ Name: 'Tenant', Value: ['bank'] }]],
      [expect.stringContaining('OwnInventory'), undefined],
    ]);
    expect(commands(image({ components: agents }), 'Inventory')).toEqual({
      build: 'set -euo pipefail\ndnf -y install osquery',
      validate: 'set -euo pipefail\nosqueryi --version',
    });
  });

  it('make another recipe when they change, and the very same when they do not', () => {
    const other = ImageComponent.commands('Inventory', { install: ['dnf -y install osquery-5'] });
    expect(recipeOf(agents).Name).toBe(recipeOf([...agents]).Name);
    expect(new Set([[], agents, agents.slice(1), [...agents.slice(0, 2), other]].map((components) => recipeOf(components).Name)).size).toBe(4);
  });

  it('are refused by a name that can name none', () => expect(() => ImageComponent.document('my agent', '{}')).toThrow(/"my agent" can't name a component/));
});

it.each([
  [{ shareWithAccounts: ['4444-5555-6666'] }, /shareWithAccounts: "4444-5555-6666" is no account; write the twelve digits/],
  [{ copyToRegions: ['Frankfurt'] }, /copyToRegions: "Frankfurt" is no region; write it as eu-west-1/],
  [{ copyToRegions: ['eu-west-1', 'eu-west-1'] }, /copyToRegions: eu-west-1 is named twice/],
  [{ copyToRegions: ['eu-central-1'] }, /copyToRegions: eu-central-1 is where images are made/],
])('%j stops synthesis, and not the deployment', (props, words) => {
  expect(() => image(props)).toThrow(words);
});
