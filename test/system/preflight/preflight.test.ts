/** `ftps preflight` against moto: an account in which everything is well, then one thing wrong after the other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoScalingClient, CreateAutoScalingGroupCommand, DeleteAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient, CreateStackCommand, DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DeleteResourcePolicyCommand,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  AllocateAddressCommand,
  CreateLaunchTemplateCommand,
  CreateManagedPrefixListCommand,
  DeleteSubnetCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2Client,
  ReleaseAddressCommand,
} from '@aws-sdk/client-ec2';
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteRoleCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { DisableCommand, EnableCommand, Inspector2Client } from '@aws-sdk/client-inspector2';
import { CreateKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DeleteParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { App, Stack, Stage } from 'aws-cdk-lib';
import { PrefixList } from 'aws-cdk-lib/aws-ec2';
import { CfnImagePipeline } from 'aws-cdk-lib/aws-imagebuilder';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { prod } from '../../../bin/environments/prod';
import { staging } from '../../../bin/environments/staging';
import type { Finding } from '../../../bin/preflight';
import { EndpointKind, FtpsService, FtpsStage } from '../../../lib';
import { type Moto, startMoto } from '../support/moto';
import { BUNDLE, run } from '../support/served';
import { type NameServer, nameServer } from './name-server';

let moto: Moto;
let dns: NameServer;
let folder: string;
let zoneId: string;
let privateZoneId: string;
let servers: string[];
const accountSettings = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL'];
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-preflight-'));
  quotas({});
  process.env['MOTO_QUOTAS'] = at('quotas.json');
  dns = await nameServer();
  moto = await startMoto({ region: 'us-east-1', script: join(__dirname, 'moto_with_quotas.py') });
  const route53 = new Route53Client({});
  const zone = await route53.send(new CreateHostedZoneCommand({ Name: 'staging.example.com', CallerReference: 'public' }));
  zoneId = zone.HostedZone!.Id!.split('/').at(-1)!;
  servers = zone.DelegationSet!.NameServers!;
  const { Vpcs } = await new EC2Client({}).send(new DescribeVpcsCommand({}));
  const hidden = await route53.send(
    new CreateHostedZoneCommand({
      Name: 'staging.example.com',
      CallerReference: 'private',
      HostedZoneConfig: { Comment: 'private', PrivateZone: true },
      VPC: { VPCRegion: 'us-east-1', VPCId: Vpcs![0]!.VpcId },
    }),
  );
  privateZoneId = hidden.HostedZone!.Id!.split('/').at(-1)!;
  await new SSMClient({}).send(new PutParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version', Value: '28', Type: 'String' }));
  await new Inspector2Client({}).send(new EnableCommand({ accountIds: ['123456789012'], resourceTypes: ['EC2'] }));
  for (const name of ['AutoScaling', 'ImageBuilder', 'AmazonElasticFileSystem', 'ElasticLoadBalancing']) await linkedRole(name);
  const app = new App({ outdir: at('cdk.out') });
  const place = { hostedZoneId: zoneId, zoneName: 'staging.example.com' };
  new FtpsStage(app, 'staging', { settings: { ...staging, ...place } });
  new FtpsStage(app, 'balanced', {
    settings: { ...prod, ...place, name: 'balanced', domainName: 'ftps.staging.example.com', endpoint: EndpointKind.LOAD_BALANCER },
  });
  new FtpsStage(app, 'nowhere', { settings: { ...staging, name: 'nowhere', hostedZoneId: 'Z0NOWHERE', zoneName: 'staging.example.com' } });
  const scanned = new FtpsStage(app, 'scanned', { settings: { ...staging, ...place, name: 'scanned' } });
  for (const one of scanned.node.findAll()) if (one instanceof CfnImagePipeline) one.imageScanningConfiguration = { imageScanningEnabled: true };
  new FtpsStage(app, 'hidden', { settings: { ...staging, name: 'hidden', hostedZoneId: privateZoneId, zoneName: 'staging.example.com' } });
  listed(app, 'listed', await prefixList(8));
  listed(app, 'unlisted', 'pl-0123456789abcdef0');
  new FtpsStage(app, 'elsewhere', { settings: { ...staging, ...place, name: 'elsewhere', env: { account: '210987654321', region: 'eu-west-1' } } });
  app.synth();
}, 300_000);
beforeEach(() => {
  dns.records.clear();
  dns.records.set('NS staging.example.com', servers);
});
afterAll(async () => {
  await moto?.stop();
  dns?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A role as its service makes it; moto knows the real names of a few services alone. */
const linkedRole = (name: string) =>
  new IAMClient({}).send(
    new CreateRoleCommand({
      RoleName: `AWSServiceRoleFor${name}`,
      Path: `/aws-service-role/${name.toLowerCase()}.amazonaws.com/`,
      AssumeRolePolicyDocument: '{}',
    }),
  );

/** A service whose clients come from a prefix list. */
function listed(app: App, name: string, id: string): void {
  const stack = new Stack(new Stage(app, name), 'Partners');
  new FtpsService(stack, 'Ftps', {
    domainName: 'ftps.staging.example.com',
    hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: zoneId, zoneName: 'staging.example.com' }),
    clientCidrs: ['203.0.113.0/24'],
    clientPrefixLists: [PrefixList.fromPrefixListId(stack, 'Lists', id)],
  });
}

/** A list with one entry, and room for more. */
async function prefixList(MaxEntries: number): Promise<string> {
  const made = await new EC2Client({}).send(
    new CreateManagedPrefixListCommand({ PrefixListName: 'partners', MaxEntries, AddressFamily: 'IPv4', Entries: [{ Cidr: '203.0.113.0/24' }] }),
  );
  return made.PrefixList!.PrefixListId!;
}

const quotas = (values: Record<string, number>) => writeFileSync(at('quotas.json'), JSON.stringify(values));

interface Looked {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** Everything that does not pass. */
  readonly wrong: readonly string[];
}

async function preflight(environment = 'staging', more: Readonly<Record<string, string>> = {}): Promise<Looked> {
  const env = { ...Object.fromEntries(accountSettings.map((name) => [name, process.env[name]])), ...more };
  const { code, output } = await run('env', [
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    process.execPath,
    '--no-warnings',
    BUNDLE,
    'preflight',
    '--json',
    ...['--environment', environment, '--assembly', at('cdk.out'), '--resolver', dns.address],
  ]);
  if (!output.startsWith('{')) throw new Error(output);
  const { findings } = JSON.parse(output) as { findings: Finding[] };
  return { code, findings, wrong: findings.filter(({ level }) => level !== 'ok').map(({ level, check, text }) => `${level} ${check}: ${text}`) };
}

it('an account in which everything is well passes, and each check says what it saw', async () => {
  const { code, findings, wrong } = await preflight();
  expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
  expect([...new Set(findings.map(({ check }) => check))]).toEqual([
    'account',
    'stacks',
    'bootstrap',
    'lambda',
    'addresses',
    'networks',
    'default-subnets',
    'security-group',
    'instances',
    'zones',
    'zone',
    'record',
    'caa',
    'roles',
    'left-overs',
  ]);
});

it('behind a load balancer its listeners and its role are looked at, too', async () => {
  const { code, findings, wrong } = await preflight('balanced');
  expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
  expect(findings.find(({ check }) => check === 'listeners')!.text).toMatch(/^18 listeners of a load balancer; 50 are allowed/);
});

it('a person reads what is wrong and what to do next', async () => {
  quotas({ 'lambda L-B99A9384': 10 });
  const env = accountSettings.map((name) => `${name}=${process.env[name]}`);
  const { code, output } = await run('env', [
    ...env,
    process.execPath,
    '--no-warnings',
    BUNDLE,
    'preflight',
    ...['--environment', 'balanced', '--assembly', at('cdk.out'), '--resolver', dns.address],
  ]);
  quotas({});
  expect(output).toContain('ok       bootstrap: version 28');
  expect(output).toMatch(/\n\d+ problems, 0 not looked at, 0 warnings\n$/);
  expect(code).toBe(output.includes('\n0 problems') ? 0 : 3);
});

describe.each<[string, { quotas: Record<string, number>; environment?: string; says: RegExp }]>([
  ['Elastic IP addresses', { quotas: { 'ec2 L-0263D0A3': 0 }, says: /^problem addresses: 1 Elastic IP addresses: more than the 0/ }],
  ['VPCs', { quotas: { 'vpc L-F678F1CE': 1 }, says: /^problem networks: 1 VPCs, beside 1 that are there: more than the 1/ }],
  ['rules of a security group', { quotas: { 'vpc L-0EA8095F': 2 }, says: /^problem security-group: \d+ rules of a security group/ }],
  ['listeners', { quotas: { 'elasticloadbalancing L-57A373D6': 10 }, environment: 'balanced', says: /^problem listeners: 18 listeners/ }],
  ['vCPUs', { quotas: { 'ec2 L-1216C47A': 1 }, says: /^problem instances: \d+ vCPUs/ }],
])('too small a quota: %s', (_, { quotas: values, environment, says }) => {
  it('does not pass, and the next step is said', async () => {
    quotas(values);
    const { code, findings, wrong } = await preflight(environment);
    quotas({});
    expect(code).toBe(3);
    expect(wrong).toEqual([expect.stringMatching(says)]);
    const [code_] = Object.keys(values)[0]!.split(' ').slice(1);
    // The one of listeners can't be raised.
    expect(findings.find(({ level }) => level === 'problem')!.advice).toContain(environment === 'balanced' ? 'cannot be raised' : `--quota-code ${code_}`);
  });
});

it('what Lambdas reserve has to leave what AWS wants to stay free', async () => {
  const { findings } = await preflight();
  const reserved = Number(/(\d+) are to be reserved/.exec(findings.find(({ check }) => check === 'lambda')!.text)![1]);
  quotas({ 'lambda L-B99A9384': 10 });
  const { code, wrong } = await preflight();
  quotas({});
  expect({ code, wrong: wrong.length }).toEqual(reserved > 0 ? { code: 3, wrong: 1 } : { code: 0, wrong: 0 });
});

describe('the name', () => {
  it.each([
    ['nowhere', /^problem zone: there is no hosted zone Z0NOWHERE/],
    ['hidden', /^problem zone: staging.example.com is a private zone/],
  ])('%s: the zone does not do', async (environment, says) => {
    const { code, wrong } = await preflight(environment);
    expect(code).toBe(3);
    expect(wrong).toEqual([expect.stringMatching(says)]);
  });

  it('a zone that nobody, or somebody else, delegates to is found before ACM waits for it', async () => {
    dns.records.delete('NS staging.example.com');
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/^problem zone: nobody delegates staging.example.com/)] });
    dns.records.set('NS staging.example.com', ['ns1.registrar.example']);
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/delegated to ns1.registrar.example, not to this zone/)] });
  });

  it('a CAA record above the name that leaves Amazon out is found, and one that lets it in is not', async () => {
    dns.records.set('CAA example.com', ['issue letsencrypt.org']);
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/^problem caa: the CAA record of example.com lets letsencrypt.org/)] });
    dns.records.set('CAA staging.example.com', ['issue letsencrypt.org', 'issue amazontrust.com']);
    expect(await preflight()).toMatchObject({ code: 0, wrong: [] });
    dns.records.set('CAA ftps.staging.example.com', ['issue ;']);
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/lets nobody issue/)] });
  });

  it('a record of the host name that is there already is found', async () => {
    const change = (Action: 'CREATE' | 'DELETE') =>
      new Route53Client({}).send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: zoneId,
          ChangeBatch: {
            Changes: [{ Action, ResourceRecordSet: { Name: 'ftps.staging.example.com', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] } }],
          },
        }),
      );
    await change('CREATE');
    expect(await preflight()).toMatchObject({ code: 3, wrong: ['problem record: ftps.staging.example.com leads somewhere already: A 192.0.2.1'] });
    await change('DELETE');
  });
});

describe('the account', () => {
  it('another account than the one of the environment ends it', async () => {
    const { code, findings } = await preflight('elsewhere');
    expect(code).toBe(3);
    expect(findings).toEqual([expect.objectContaining({ level: 'problem', check: 'account', text: expect.stringContaining('for account 210987654321') })]);
  });

  it('without the bootstrap of the CDK, or with an old one', async () => {
    const ssm = new SSMClient({});
    const put = (Value: string) => ssm.send(new PutParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version', Value, Type: 'String', Overwrite: true }));
    await put('3');
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/^problem bootstrap: the CDK's bootstrap has version 3/)] });
    await ssm.send(new DeleteParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version' }));
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/^problem bootstrap: the CDK was never bootstrapped/)] });
    await put('28');
  });

  it('a missing service-linked role is a warning that passes, with the command that makes it', async () => {
    await new IAMClient({}).send(new DeleteRoleCommand({ RoleName: 'AWSServiceRoleForImageBuilder' }));
    const { code, findings, wrong } = await preflight();
    await linkedRole('ImageBuilder');
    expect({ code, wrong }).toEqual({ code: 0, wrong: [expect.stringMatching(/^warning roles: AWSServiceRoleForImageBuilder is not there yet/)] });
    expect(findings.find(({ level }) => level === 'warning')!.advice).toBe('aws iam create-service-linked-role --aws-service-name imagebuilder.amazonaws.com');
  });

  it('Inspector has to be switched on where images are scanned', async () => {
    const inspector = new Inspector2Client({});
    expect((await preflight('scanned')).findings).toContainEqual(expect.objectContaining({ check: 'inspector', level: 'ok' }));
    await inspector.send(new DisableCommand({ accountIds: ['123456789012'], resourceTypes: ['EC2'] }));
    const { code, wrong } = await preflight('scanned');
    await inspector.send(new EnableCommand({ accountIds: ['123456789012'], resourceTypes: ['EC2'] }));
    expect({ code, wrong: wrong.map((one) => one.slice(0, 18)) }).toEqual({ code: 3, wrong: ['problem inspector:'] });
  });

  it('ten resource policies of CloudWatch Logs are as many as there can be', async () => {
    const logs = new CloudWatchLogsClient({});
    const names = Array.from({ length: 10 }, (_, index) => `policy-${index}`);
    for (const policyName of names) await logs.send(new PutResourcePolicyCommand({ policyName, policyDocument: '{}' }));
    const { code, wrong } = await preflight();
    for (const policyName of names) await logs.send(new DeleteResourcePolicyCommand({ policyName }));
    expect({ code, wrong }).toEqual({ code: 3, wrong: [expect.stringMatching(/^problem log-policies: 10 of the 10/)] });
  });

  it('addresses of others count, and those of the environment itself do not', async () => {
    const ec2 = new EC2Client({});
    const tags = [{ Key: 'aws:cloudformation:stack-name', Value: 'ftps-staging-data' }];
    const own = await ec2.send(new AllocateAddressCommand({ TagSpecifications: [{ ResourceType: 'elastic-ip', Tags: tags }] }));
    quotas({ 'ec2 L-0263D0A3': 1 });
    expect(await preflight()).toMatchObject({ code: 0, wrong: [] });
    const other = await ec2.send(new AllocateAddressCommand({}));
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/^problem addresses: 1 Elastic IP addresses, beside 1/)] });
    quotas({});
    for (const { AllocationId } of [own, other]) await ec2.send(new ReleaseAddressCommand({ AllocationId }));
  });
});

describe('prefix lists', () => {
  it('count with the most entries that they may have, for each rule', async () => {
    const { code, findings, wrong } = await preflight('listed');
    expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
    const { text } = findings.find(({ check }) => check === 'security-group')!;
    // Two control ports and the passive range, each for one network and for eight entries.
    expect(text).toMatch(/^27 rules of a security group in one direction, .*\(pl-\w+ as 8\); 60 are allowed$/);
    quotas({ 'vpc L-0EA8095F': 26 });
    expect(await preflight('listed')).toMatchObject({ code: 3, wrong: [expect.stringMatching(/^problem security-group: 27 rules/)] });
    quotas({});
  });

  it('that are not there are named', async () => {
    const { code, wrong } = await preflight('unlisted');
    expect({ code, wrong }).toEqual({ code: 3, wrong: [expect.stringMatching(/^problem security-group: there is no prefix list pl-0123456789abcdef0/)] });
  });
});

describe('left-overs', () => {
  it('a group whose name is taken; what others have is not in the way', async () => {
    const [ssm, ec2, autoScaling] = [new SSMClient({}), new EC2Client({}), new AutoScalingClient({})];
    const AutoScalingGroupName = 'ftps-staging-Service-Fleet';
    await ssm.send(new PutParameterCommand({ Name: '/cdk-ftps/another', Value: 'x', Type: 'String' }));
    expect(await preflight()).toMatchObject({ code: 0, wrong: [] });
    await ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: 'left', LaunchTemplateData: { ImageId: 'ami-1', InstanceType: 't4g.small' } }));
    await autoScaling.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName,
        MinSize: 0,
        MaxSize: 0,
        AvailabilityZones: ['us-east-1a'],
        LaunchTemplate: { LaunchTemplateName: 'left' },
      }),
    );
    const { code, wrong } = await preflight();
    await autoScaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ForceDelete: true }));
    expect(code).toBe(3);
    expect(wrong).toEqual([`problem left-overs: the Auto Scaling group ${AutoScalingGroupName} is there, and its name is taken`]);
  });

  it('accounts that outlived their stack are told, and found out where their key is on its way out', async () => {
    const [kms, secrets] = [new KMSClient({}), new SecretsManagerClient({})];
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const SecretId = 'ftps-staging-data/Accounts/partner';
    await secrets.send(new CreateSecretCommand({ Name: SecretId, SecretString: '{}', KmsKeyId: KeyMetadata!.KeyId }));
    expect(await preflight()).toMatchObject({ code: 0, wrong: [expect.stringMatching(/^warning left-overs: 1 account of an earlier deployment/)] });
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: KeyMetadata!.KeyId, PendingWindowInDays: 7 }));
    expect(await preflight()).toMatchObject({ code: 3, wrong: [expect.stringMatching(/encrypted with a key that is PendingDeletion; nobody can log in/)] });
    await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
  });

  it('are none where the stacks are there: an update finds its own things', async () => {
    const cloudFormation = new CloudFormationClient({});
    const logs = new CloudWatchLogsClient({});
    const TemplateBody = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } });
    for (const StackName of ['ftps-staging-data', 'ftps-staging']) await cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody }));
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/aws/imagebuilder/ftps-staging-Service-Image' }));
    const { code, findings, wrong } = await preflight();
    await logs.send(new DeleteLogGroupCommand({ logGroupName: '/aws/imagebuilder/ftps-staging-Service-Image' }));
    for (const StackName of ['ftps-staging-data', 'ftps-staging']) await cloudFormation.send(new DeleteStackCommand({ StackName }));
    expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
    expect(findings.find(({ check }) => check === 'stacks')!.text).toContain('this would be an update');
  });
});

it('an environment that was never synthesized is named with what there is', async () => {
  await expect(preflight('production')).rejects.toThrow(/is no synthesized environment; run npx cdk synth, or choose one of .*staging/);
});

it('default subnets in fewer zones than the network takes are found, and none at all are as good as all', async () => {
  const ec2 = new EC2Client({});
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'default-for-az', Values: ['true'] }] }));
  for (const { SubnetId } of Subnets!.slice(1)) await ec2.send(new DeleteSubnetCommand({ SubnetId }));
  const { code, findings, wrong } = await preflight();
  expect({ code, wrong }).toEqual({ code: 3, wrong: [expect.stringMatching(/^problem default-subnets: in 1 zone, .* the network takes 2$/)] });
  expect(findings.find(({ level }) => level === 'problem')!.advice).toContain('aws ec2 create-default-subnet');
  await ec2.send(new DeleteSubnetCommand({ SubnetId: Subnets![0]!.SubnetId }));
  expect(await preflight()).toMatchObject({ code: 0, wrong: [] });
});

it('what the credentials may not look at is said, and does not pass', async () => {
  // From here on moto evaluates policies.
  const iam = new IAMClient({});
  await iam.send(new CreateUserCommand({ UserName: 'auditor' }));
  const allowed = [
    'cloudformation:*',
    'ssm:*',
    'ec2:*',
    'iam:*',
    'route53:GetHostedZone',
    'logs:*',
    'secretsmanager:*',
    'autoscaling:*',
    'inspector2:*',
    'sts:*',
  ];
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: allowed, Resource: '*' }] };
  await iam.send(new PutUserPolicyCommand({ UserName: 'auditor', PolicyName: 'looks', PolicyDocument: JSON.stringify(policy) }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'auditor' }));
  await fetch(`${moto.url}/moto-api/reset-auth`, { method: 'POST', body: '0' });
  const { code, findings } = await preflight('staging', { AWS_ACCESS_KEY_ID: AccessKey!.AccessKeyId!, AWS_SECRET_ACCESS_KEY: AccessKey!.SecretAccessKey! });
  const blind = findings.filter(({ level }) => level === 'unknown');
  expect(code).toBe(3);
  expect(blind.map(({ check }) => check)).toEqual(expect.arrayContaining(['addresses', 'networks', 'security-group', 'instances', 'record']));
  for (const { text, advice } of blind) {
    expect(text).toContain('could not be looked at: these credentials may not ');
    expect(advice).toMatch(/^Allow /);
  }
  expect(findings.filter(({ level }) => level === 'problem')).toEqual([]);
});
