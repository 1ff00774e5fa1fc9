import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { pipeline } from '../../bin/environments/pipeline';
import { FtpsPipeline, type FtpsPipelineProps, FtpsStage } from '../../lib';
import type { Resources } from './support';

const stackOf = (props: FtpsPipelineProps) => new FtpsPipeline(new App(), 'ftps-pipeline', props);

describe('the pipeline', () => {
  const stack = stackOf({ ...pipeline, probe: { ...pipeline.probe, accounts: { staging: 'probe/staging' } } });
  const template = Template.fromStack(stack);
  const [made] = Object.values(template.findResources('AWS::CodePipeline::Pipeline') as Resources);
  const stages = Object.fromEntries(made.Properties.Stages.map(({ Name, Actions }: Resources) => [Name, Actions]));
  /** Actions of a stage in the order in which they run. */
  const order = (stage: string) =>
    [...stages[stage]].sort((one: Resources, other: Resources) => one['RunOrder'] - other['RunOrder']).map(({ Name }: Resources) => Name);

  it('builds and tests, deploys staging and probes it, asks a person, deploys prod and probes it', () => {
    expect(Object.keys(stages)).toEqual(['Source', 'Build', 'UpdatePipeline', 'Assets', 'staging', 'prod']);
    expect(order('staging')).toEqual(['ftps-staging-data.Prepare', 'ftps-staging-data.Deploy', 'ftps-staging.Prepare', 'ftps-staging.Deploy', 'Probe_staging']);
    expect(order('prod')).toEqual([
      'Promote_to_prod',
      'ftps-prod-data.Prepare',
      'ftps-prod-data.Deploy',
      'ftps-prod.Prepare',
      'ftps-prod.Deploy',
      'Probe_prod',
    ]);
    const approval = stages['prod'].find(({ Name }: Resources) => Name === 'Promote_to_prod');
    expect(approval.ActionTypeId).toMatchObject({ Category: 'Approval', Provider: 'Manual' });
  });

  it('deploys each environment into its own account and region', () => {
    const target = (stage: string) => {
      const deploy = stages[stage].find(({ Name }: Resources) => Name === `ftps-${stage}.Deploy`);
      return [
        deploy.Region,
        JSON.stringify(deploy)
          .match(/deploy-role-(\d+)-([\w-]+\d)/)
          ?.slice(1),
      ];
    };
    expect(target('staging')).toEqual([undefined, ['222222222222', 'us-east-1']]);
    expect(target('prod')).toEqual(['eu-central-1', ['333333333333', 'eu-central-1']]);
  });

  it('builds with the tests and the evidence, and probes with the doctor of the very build', () => {
    const commands = Object.values(template.findResources('AWS::CodeBuild::Project') as Resources).map(({ Properties }) =>
      JSON.stringify(Properties.Source.BuildSpec),
    );
    const build = commands.find((text) => text.includes('npm ci'))!;
    for (const part of ['npm test', 'cdk synth', 'evidence --environment prod']) expect(build).toContain(part);
    const probes = commands.filter((text) => text.includes('doctor'));
    expect(probes.map((text) => /doctor (\S+) .*--passive-ports ([\d-]+)/.exec(text)!.slice(1, 3)).sort()).toEqual([
      ['ftps.example.com', '50000-50015'],
      ['ftps.staging.example.com', '50000-50015'],
    ]);
  });

  it('takes the password of the probe from Secrets Manager into a file, and into no command line', () => {
    const spec = Object.values(template.findResources('AWS::CodeBuild::Project') as Resources)
      .map(({ Properties }) => JSON.stringify(Properties.Source.BuildSpec))
      .find((text) => text.includes('PROBE_USER'))!;
    expect(spec).toContain('probe/staging:password');
    expect(spec).toContain('--password-file /tmp/password');
  });

  it('probes from one fixed address, by a network that lets nothing in', () => {
    template.hasResourceProperties('AWS::EC2::NatGateway', { AllocationId: pipeline.probe.allocationId });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'FTPS probe: out only',
      SecurityGroupIngress: Match.absent(),
      SecurityGroupEgress: Match.arrayWith([Match.objectLike({ FromPort: 21, ToPort: 21 }), Match.objectLike({ FromPort: 49998, ToPort: 50017 })]),
    });
  });

  it('asks nothing of SFTP where that is off', () => {
    expect(JSON.stringify(template)).not.toMatch(/--sftp|--https/);
  });

  it('stamps environments with the same names and identities as without it', () => {
    const alone = new FtpsStage(new App(), 'prod', { settings: pipeline.production });
    const compared = (one: Stack) => Template.fromStack(one).toJSON()['Resources'];
    expect(compared(stack.production.dataStack)).toEqual(compared(alone.dataStack));
    expect(compared(stack.production.serviceStack)).toEqual(compared(alone.serviceStack));
  });
});

it('the probe looks at SFTP and HTTPS as well where they are on, by their ports, with the same account, and its network lets it there', () => {
  const { staging, production, probe } = pipeline;
  const template = Template.fromStack(
    stackOf({
      ...pipeline,
      staging: { ...staging, server: { ...staging.server, sftp: { port: 2022 }, https: { port: 8443 } } },
      production: { ...production, server: { ...production.server, sftp: {}, https: {} } },
      probe: { ...probe, accounts: { staging: 'probe/staging' } },
    }),
  );
  const probes = Object.values(template.findResources('AWS::CodeBuild::Project') as Resources)
    .map(({ Properties }) => /doctor (\S+) .*?--sftp (\d+) --https (\d+)( --user)?/.exec(JSON.stringify(Properties.Source.BuildSpec))?.slice(1))
    .filter(Boolean);
  expect(probes.sort()).toEqual([
    ['ftps.example.com', '22', '443', undefined],
    ['ftps.staging.example.com', '2022', '8443', ' --user'],
  ]);
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    GroupDescription: 'FTPS probe: out only',
    SecurityGroupEgress: Match.arrayWith([2022, 8443, 22].map((port) => Match.objectLike({ FromPort: port, ToPort: port }))),
  });
});

describe('a wrong setting of the pipeline is named', () => {
  const { staging, production } = pipeline;
  it.each([
    [{ repository: 'ftps' }, /repository: "ftps" is wrong; write owner\/name/],
    [{ connectionArn: 'x' }, /connectionArn: "x" is no ARN/],
    [{ production: { ...production, env: { region: 'eu-central-1' } } }, /production\.env\.account: is missing/],
    [
      { staging: { ...staging, clientCidrs: ['198.51.100.0/24'] } },
      /staging\.clientCidrs: lets the probe's address 192\.0\.2\.10 not in; add "192\.0\.2\.10\/32"/,
    ],
    [{ production: { ...production, name: 'staging' } }, /production\.name: "staging" is also the name of staging/],
  ])('%#', (wrong, message) => {
    expect(() => stackOf({ ...pipeline, ...(wrong as Partial<FtpsPipelineProps>) })).toThrow(message);
  });
});

it('a pipeline takes one key for what it keeps, and says what the policy of another team’s has to let in; a boundary of the app is on all roles', () => {
  const app = new App({ context: { '@aws-cdk/core:permissionsBoundary': { name: 'company-boundary' } } });
  const arn = 'arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const template = Template.fromStack(
    new FtpsPipeline(app, 'ftps-pipeline', { ...pipeline, encryptionKey: Key.fromKeyArn(new Stack(app, 'Keys'), 'Key', arn) }),
  );
  template.resourceCountIs('AWS::KMS::Key', 0);
  template.hasResourceProperties('AWS::Logs::LogGroup', { KmsKeyId: arn });
  template.hasResourceProperties('AWS::S3::Bucket', {
    BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { KMSMasterKeyID: arn } }] },
  });
  const statements: Resources[] = template.toJSON()['Metadata']['cdk-ftps:key-policy'][arn];
  expect(statements.map(({ Sid }) => Sid)).toEqual(['FtpsArtifacts', 'FtpsLogGroups']);
  const stacks = (assembly: CloudAssembly): Resources[] => [
    ...assembly.stacks.map(({ template: one }) => one),
    ...assembly.nestedAssemblies.flatMap(({ nestedAssembly }) => stacks(nestedAssembly)),
  ];
  const roles = stacks(app.synth()).flatMap((one) => Object.entries((one['Resources'] ?? {}) as Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role'));
  expect(roles.length).toBeGreaterThan(25);
  expect(roles.filter(([, { Properties }]) => !Properties.PermissionsBoundary).map(([id]) => id)).toEqual([]);
  expect(JSON.stringify(statements[0]!['Principal'])).toMatch(/111111111111:root.*222222222222:root.*333333333333:root/);
});
