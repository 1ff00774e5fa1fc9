import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { prod } from '../../bin/environments/prod';
import { staging } from '../../bin/environments/staging';
import { FileStorage, type FtpsEnvironmentSettings, FtpsStage, PassivePorts, Processor, TlsPolicy } from '../../lib';
import { checkServerConfig } from '../../server/config';
import { inboundRules, type Resources, serviceTemplate, shippedSettings, testStack } from './support';

describe('ports', () => {
  it('are open exactly as configured, to the networks given, and nowhere else', () => {
    const rules = inboundRules(serviceTemplate({ clientCidrs: ['203.0.113.0/24', '2001:db8::/32'] }));
    expect(rules.filter((rule) => !rule.endsWith('a security group')).sort()).toEqual(
      ['203.0.113.0/24', '2001:db8::/32'].flatMap((from) => [`21-21 ${from}`, `990-990 ${from}`, `50000-50015 ${from}`]).sort(),
    );
    // The only other rule lets the instances reach their file system.
    expect(rules.filter((rule) => rule.endsWith('a security group'))).toEqual(['2049-2049 a security group']);
  });

  it('change together in the security group and in the shipped settings, and nothing else changes', () => {
    const before = serviceTemplate();
    const after = serviceTemplate({ server: { passivePorts: PassivePorts.AWS_TRANSFER_FAMILY } });
    expect(shippedSettings(before).passive.ports).toBe('50000-50015');
    expect(shippedSettings(after).passive.ports).toBe('8192-8200');
    expect(inboundRules(after)).toContain('8192-8200 203.0.113.0/24');
    const swapped = JSON.stringify(before.toJSON())
      .replaceAll('50000-50015', '8192-8200')
      .replaceAll('"FromPort":50000', '"FromPort":8192')
      .replaceAll('"ToPort":50015', '"ToPort":8200');
    // The digest of the settings, by which the image is looked up anew.
    const settled = (text: string) => JSON.parse(text.replaceAll(/"Settings":"[0-9a-f]{10}"/g, '"Settings":""'));
    expect(settled(swapped)).toEqual(settled(JSON.stringify(after.toJSON())));
  });

  it('leave out a mode that is switched off', () => {
    const template = serviceTemplate({ server: { explicitPort: 0 } });
    expect(inboundRules(template).some((rule) => rule.startsWith('21-'))).toBe(false);
    expect(shippedSettings(template).listeners.map(({ mode }) => mode)).toEqual(['implicit']);
  });
});

it('ships settings that the server takes, with the certificate and the accounts by reference only', () => {
  const settings = shippedSettings(serviceTemplate({ server: { tlsPolicy: TlsPolicy.FIPS, banner: 'Welcome' } }));
  expect(checkServerConfig(settings)).toMatchObject({ tls: { policy: 'fips' }, banner: 'Welcome', passive: { ports: '50000-50015' } });
  expect(JSON.stringify(settings)).not.toMatch(/PRIVATE KEY|passwordHash/);
});

describe('a wrong setting stops synthesis and is named', () => {
  it.each([
    [{ server: { passivePorts: '50015-50000' } }, /passivePorts: .*ends before it starts/],
    [
      { server: { passivePorts: PassivePorts.of(50_000, 50_001), maxSessions: 5_000 } },
      / {2}server\.maxSessions: 5000 sessions are too many for the 2 passive ports/,
    ],
    [{ server: { passivePorts: PassivePorts.of(900, 1_000) } }, /explicitPort|implicitPort|passivePorts: .*/],
    [{ server: { explicitPort: 50_005 } }, / {2}server\.explicitPort: 50005 lies in server\.passivePorts/],
    [{ server: { explicitPort: 990 } }, / {2}server\.implicitPort: 990 is already taken by server\.explicitPort/],
    [{ instanceType: new InstanceType('m7i.large'), processor: Processor.ARM64 }, /processor: arm64 is not that of m7i\.large, which is x86_64/],
    [{ clientCidrs: [] }, /clientCidrs: is empty/],
    [{ clientCidrs: ['0.0.0.0/0'] }, /clientCidrs: 0\.0\.0\.0\/0 is the whole internet/],
    [{ clientCidrs: ['::/0'] }, /clientCidrs: ::\/0 is the whole internet/],
    [{ domainName: 'not a name' }, /domainName: "not a name"/],
    [{ hostedZone: undefined }, /hostedZone: is missing/],
    [{ instances: 0 }, /instances: 0/],
    [{ patchSchedule: Schedule.rate(Duration.days(7)) }, /schedule: "rate\(7 days\)" is no time of a calendar/],
  ] as const)('%j', (props, message) => {
    expect(() => serviceTemplate(props as never)).toThrow(message);
  });

  it('such as several instances with files of their own', () => {
    const { stack, hostedZone } = testStack();
    const storage = FileStorage.localDisk(stack, 'Disk');
    expect(() => serviceTemplate.call(undefined, { storage, hostedZone, instances: 2 })).toThrow(/instances: 2 instances would each have files of their own/);
  });

  it('and the environment is named with it', () => {
    const settings: FtpsEnvironmentSettings = { ...prod, clientCidrs: ['0.0.0.0/0'] };
    expect(() => new FtpsStage(new App(), 'prod', { settings })).toThrow(/Environment "prod": clientCidrs/);
  });

  it('unless the whole internet is said to be meant', () => {
    expect(inboundRules(serviceTemplate({ clientCidrs: ['0.0.0.0/0'], allowPublicAccess: true }))).toContain('990-990 0.0.0.0/0');
  });
});

describe('instances', () => {
  const template = serviceTemplate();

  it('have no key pair, IMDSv2 only, and encrypted disks', () => {
    const [launch] = Object.values(template.findResources('AWS::EC2::LaunchTemplate') as Resources);
    const data = launch.Properties.LaunchTemplateData;
    expect(data.KeyName).toBeUndefined();
    expect(data.MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
    expect(data.BlockDeviceMappings[0].Ebs).toMatchObject({ Encrypted: true, VolumeType: 'gp3' });
  });

  it('keep passive ports closed in the kernel, and begin no connection of their own there', () => {
    const userData = JSON.stringify(template.findResources('AWS::EC2::LaunchTemplate'));
    expect(userData).toContain('net.ipv4.ip_local_reserved_ports = 50000-50015');
    expect(userData.replaceAll('\\', '')).toContain('"firewall":{"mode":"nftables"');
    const off = JSON.stringify(serviceTemplate({ server: { justInTimeFirewall: false } }).findResources('AWS::EC2::LaunchTemplate'));
    expect(off.replaceAll('\\', '')).toContain('"firewall":{"mode":"off"');
  });

  it('may read their own certificate, accounts, files and logs, and nothing more', () => {
    const policies = Object.entries(template.findResources('AWS::IAM::Policy') as Resources).filter(([id]) => id.includes('FleetRole'));
    const actions = policies.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement.flatMap(({ Action }: Resources) => Action));
    expect([...new Set(actions)].sort()).toEqual([
      'autoscaling:CompleteLifecycleAction',
      'autoscaling:SetInstanceHealth',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'ec2messages:AcknowledgeMessage',
      'ec2messages:DeleteMessage',
      'ec2messages:FailMessage',
      'ec2messages:GetEndpoint',
      'ec2messages:GetMessages',
      'ec2messages:SendReply',
      'elasticfilesystem:ClientMount',
      'elasticfilesystem:ClientRootAccess',
      'elasticfilesystem:ClientWrite',
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
      'logs:CreateLogStream',
      'logs:DescribeLogGroups',
      'logs:DescribeLogStreams',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
      // Those of AmazonSSMManagedInstanceCore, but for parameters of the account.
      'ssm:DescribeAssociation',
      'ssm:DescribeDocument',
      'ssm:GetDeployablePatchSnapshotForInstance',
      'ssm:GetDocument',
      'ssm:GetManifest',
      'ssm:ListAssociations',
      'ssm:ListInstanceAssociations',
      'ssm:PutComplianceItems',
      'ssm:PutConfigurePackageResult',
      'ssm:PutInventory',
      'ssm:UpdateAssociationStatus',
      'ssm:UpdateInstanceAssociationStatus',
      'ssm:UpdateInstanceInformation',
      'ssmmessages:CreateControlChannel',
      'ssmmessages:CreateDataChannel',
      'ssmmessages:OpenControlChannel',
      'ssmmessages:OpenDataChannel',
    ]);
  });

  it('start from an image that is built with the very server of this package', () => {
    const components = Object.values(template.findResources('AWS::ImageBuilder::Component') as Resources).map(({ Properties }) =>
      JSON.stringify(Properties.Data),
    );
    const sha256 = readFileSync(join(__dirname, '../../dist/image/ftps.js.sha256'), 'utf8').split(' ')[0]!;
    expect(components.some((data) => data.includes(`${sha256}  ftps.js`))).toBe(true);
  });
});

it('is the same template whatever was made before it in the same app or process, so that a diff shows what somebody changed', () => {
  expect(serviceTemplate().toJSON()).toEqual(serviceTemplate().toJSON());
});

it('an image component never changes under its name', () => {
  const names = (template: ReturnType<typeof serviceTemplate>) =>
    Object.fromEntries(
      Object.values(template.findResources('AWS::ImageBuilder::Component') as Resources).map(({ Properties }) => [
        Properties.Name,
        JSON.stringify(Properties.Data),
      ]),
    );
  const [one, two] = [names(serviceTemplate()), names(serviceTemplate({ server: { banner: 'other' } }))];
  for (const [name, data] of Object.entries(one)) expect(two[name]).toBe(data);
});

describe('the two environments', () => {
  const app = new App();
  for (const settings of [staging, prod]) new FtpsStage(app, settings.name, { settings });
  const assembly = app.synth();

  const stacks = (name: string) => assembly.getNestedAssembly(`assembly-${name}`).stacks;

  it('are the same but for their settings', () => {
    const kinds = (name: string) => {
      const counts: Record<string, number> = {};
      for (const { template } of stacks(name)) for (const { Type } of Object.values(template.Resources as Resources)) counts[Type] = (counts[Type] ?? 0) + 1;
      return counts;
    };
    const [one, two] = [kinds('staging'), kinds('prod')];
    const differing = Object.keys(two).filter((type) => one[type] !== two[type]);
    // Prod has a second address for its second instance, and the archive.
    const settingsMakeThese = [
      'EC2::EIP',
      'IAM::Policy',
      'IAM::Role',
      'KMS::Key',
      'KinesisFirehose::DeliveryStream',
      'Logs::LogStream',
      'Logs::SubscriptionFilter',
      'Glue::Database',
      'Glue::Table',
      'Athena::WorkGroup',
      'Athena::NamedQuery',
      'Athena::PreparedStatement',
      'CloudWatch::Alarm',
      'S3::Bucket',
      'S3::BucketPolicy',
      'DynamoDB::Table',
    ].map((type) => `AWS::${type}`);
    expect(settingsMakeThese).toEqual(expect.arrayContaining(differing));
    expect(Object.keys(two)).toEqual(expect.arrayContaining(Object.keys(one)));
  });
});
