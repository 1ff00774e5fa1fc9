/** The staging environment, deployed by the CDK's command line to moto; then the account is asked what is there. */
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeAddressesCommand, DescribeLaunchTemplateVersionsCommand, DescribeSecurityGroupsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { CreateHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { ListSecretsCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { checkServerConfig } from '../../../server/config';
import { TestAuthority } from '../../server/support/authority';
import { type Moto, startMoto } from '../support/moto';
import { BUNDLE, run } from '../support/served';
import { type StoodInFor, writeOrCompare } from './table';

const root = join(__dirname, '../../..');
let moto: Moto;
let folder: string;
let zoneId: string;
let said: string;
let outputs: Record<string, string>;
const at = (name: string) => join(folder, name);

/** The account, as programs are told of it. */
const account = () => ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL'].map((name) => `${name}=${process.env[name]}`);

/** The CDK's command line, run in a folder. */
async function cdk(cwd: string, ...args: string[]): Promise<string> {
  const environment = [
    ...account(),
    `ZONE_ID=${zoneId}`,
    `CDK_HOME=${at('home')}`,
    // moto reads templates from an address of this kind only.
    `AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=${moto.url.replace('127.0.0.1', 'localhost')}`,
    'AWS_EC2_METADATA_DISABLED=true',
    'CDK_DISABLE_CLI_TELEMETRY=true',
  ];
  const { code, output } = await run('env', [
    '-C',
    cwd,
    ...environment,
    process.execPath,
    join(root, 'node_modules/aws-cdk/bin/cdk'),
    '--ci',
    '--no-notices',
    ...args,
  ]);
  expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
  return output;
}

const deploy = () => cdk(root, 'deploy', '--app', at('out'), '--outputs-file', at('outputs.json'), '--require-approval', 'never', '**');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-deploy-'));
  Object.assign(process.env, { MOTO_STANDS_IN_FOR: at('stands-in-for'), NODE: process.execPath });
  moto = await startMoto({ region: 'us-east-1', script: join(__dirname, 'moto_deploys.py') });
  const zone = await new Route53Client({}).send(new CreateHostedZoneCommand({ Name: 'staging.example.com', CallerReference: 'test' }));
  zoneId = zone.HostedZone!.Id!.split('/').at(-1)!;
  await cdk(folder, 'bootstrap', 'aws://123456789012/us-east-1');
  rmSync(at('stands-in-for'), { force: true }); // that was the stack of the bootstrap
  const app = `${process.execPath} node_modules/tsx/dist/cli.mjs test/system/deploy/app.ts`;
  await cdk(root, 'synth', '--quiet', '--app', app, '--output', at('out'));
  said = await deploy();
  outputs = Object.assign({}, ...Object.values(JSON.parse(readFileSync(at('outputs.json'), 'utf8'))));
}, 600_000);
afterAll(async () => {
  await moto?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const output = (name: string) => Object.entries(outputs).find(([key]) => key.includes(name))?.[1];

it('both stacks are deployed, with the outputs that people need', () => {
  expect(said).toContain('✅  staging/Data (ftps-staging-data)');
  expect(said).toContain('✅  staging/Ftps (ftps-staging)');
  expect(output('HostName')).toBe('ftps.staging.example.com');
  expect(output('ControlPorts')).toBe('21,990');
  expect(output('PassivePorts')).toBe('50000-50015');
  expect(output('AllowList')).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  expect(output('ImageId')).toMatch(/^ami-/);
});

it('the security group of the instances lets in the configured ports from the configured networks, and nothing else', async () => {
  const { SecurityGroups } = await new EC2Client({}).send(new DescribeSecurityGroupsCommand({}));
  const door = SecurityGroups!.find(({ Description }) => Description?.startsWith('FTPS: control ports'))!;
  const rules = door.IpPermissions!.flatMap(({ FromPort, ToPort, IpRanges }) => IpRanges!.map(({ CidrIp }) => `${FromPort}-${ToPort} ${CidrIp}`));
  expect(rules.sort()).toEqual(['21-21 198.51.100.0/24', '50000-50015 198.51.100.0/24', '990-990 198.51.100.0/24']);
});

it('the instance has the address of the output, and the host name leads there', async () => {
  const group = await theGroup();
  const [instance] = group.Instances!;
  const lambda = new LambdaClient({});
  const { Functions } = await lambda.send(new ListFunctionsCommand({}));
  const addresses = Functions!.find(({ Description }) => Description === 'Keeps FTPS addresses and DNS in step with the instances')!;
  // With AWS the event of the launch starts it.
  const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: addresses.FunctionName, Payload: '{}' }));
  expect(FunctionError).toBeUndefined();
  const { Addresses } = await new EC2Client({}).send(new DescribeAddressesCommand({}));
  expect(Addresses).toEqual([expect.objectContaining({ PublicIp: output('AllowList'), InstanceId: instance!.InstanceId })]);
  const { ResourceRecordSets } = await new Route53Client({}).send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  const records = ResourceRecordSets!.filter(({ Name, Type }) => Name === 'ftps.staging.example.com.' && Type === 'A');
  expect(records.flatMap(({ ResourceRecords }) => ResourceRecords!.map(({ Value }) => Value))).toEqual([output('AllowList')]);
});

it('instances start with settings that the server takes, with every reference filled in', async () => {
  const { LaunchTemplate } = await theGroup();
  const { LaunchTemplateVersions } = await new EC2Client({}).send(
    new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: LaunchTemplate!.LaunchTemplateId!, Versions: [LaunchTemplate!.Version!] }),
  );
  const data = LaunchTemplateVersions![0]!.LaunchTemplateData!;
  const script = Buffer.from(data.UserData!, 'base64').toString();
  const [, json] = /cat > \/etc\/ftps\/server\.json <<'END_OF_FILE'\n(.*)\nEND_OF_FILE/.exec(script)!;
  const config = checkServerConfig(JSON.parse(json!));
  expect(config.passive.ports).toBe('50000-50015');
  expect(config.lifecycle).toMatchObject({ group: (await theGroup()).AutoScalingGroupName });
  expect(script).not.toMatch(/\$\{|AWS::|Token\[/);
});

it('an instance boots by its user data: settings, certificate and account by reference, address awaited, group told, partners served', async () => {
  const { LaunchTemplate, Instances } = await theGroup();
  const { LaunchTemplateVersions } = await new EC2Client({}).send(
    new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: LaunchTemplate!.LaunchTemplateId!, Versions: [LaunchTemplate!.Version!] }),
  );
  const secrets = new SecretsManagerClient({});
  const authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue({ names: ['ftps.staging.example.com'], rsa: true });
  const { SecretList } = await secrets.send(new ListSecretsCommand({}));
  const SecretId = SecretList!.find(({ Name }) => Name?.includes('Certificate'))!.ARN!;
  // As the rotation writes it: ACM can't be asked for an export here.
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ certificate, chain: '', privateKey: key }) }));
  const password = 'from the 1st boot on';
  const added = await run(
    'env',
    [...account(), process.execPath, BUNDLE, 'user', 'add', 'partner', '--prefix', output('AccountsPrefix')!, '--kms-key', output('AccountsKey')!],
    `${password}\n`,
  );
  expect(`${added.code} ${added.code === 0 ? '' : added.output}`).toBe('0 ');

  const said = await boot({
    'user-data': Buffer.from(LaunchTemplateVersions![0]!.LaunchTemplateData!.UserData!, 'base64').toString(),
    'ca.pem': authority.pem,
    login: `user = "partner:${password}"\n`,
    metadata: {
      'instance-id': Instances![0]!.InstanceId!,
      'public-ipv4': output('AllowList')!,
      'placement/availability-zone': 'us-east-1a',
      'autoscaling/target-lifecycle-state': 'InService',
      'iam/security-credentials/': 'instances',
      'iam/security-credentials/instances': JSON.stringify({
        Code: 'Success',
        AccessKeyId: 'test',
        SecretAccessKey: 'test',
        Token: 'test',
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    },
  });
  expect(said).toContain(
    `auto-scaling-group-name=ftps-staging-Service-Fleet&lifecycle-hook-name=ftps-launch&instance-id=${Instances![0]!.InstanceId}&lifecycle-action-result=CONTINUE`,
  );
  expect(said).not.toContain('ABANDON');
  expect(said).toContain('users: ftps serve,ftps-firewall firewall');
  expect(said).toContain('ftp://ftps.staging.example.com: the same');
  expect(said).toContain('ftps://ftps.staging.example.com: the same');
}, 240_000);

it('a second deployment has nothing to do', async () => {
  expect((await deploy()).match(/\(no changes\)/g)).toHaveLength(2);
}, 120_000);

it('docs/verified.md lists what was stood in for', () => {
  const resources = new Map<string, string>();
  for (const name of readdirSync(at('out'), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.template.json'))) {
    const template = JSON.parse(readFileSync(join(at('out'), name), 'utf8')).Resources as Record<string, { Type: string }>;
    for (const [id, { Type }] of Object.entries(template)) resources.set(`${name} ${id}`, Type);
  }
  const stoodInFor = readFileSync(at('stands-in-for'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StoodInFor);
  writeOrCompare(resources, stoodInFor);
});

/** Installs the image's files into a fresh system, boots it within a network of its own, and returns what it said. */
async function boot({
  metadata,
  ...files
}: {
  readonly metadata: Record<string, string>;
  readonly [file: string]: string | Record<string, string>;
}): Promise<string> {
  const system = at('system');
  const within = (name: string) => join(system, name);
  mkdirSync(system, { mode: 0o755 });
  const cache = process.env['CDK_FTPS_CACHE']!;
  const archive = readdirSync(cache).find((name) => /^image-root-.*\.tar$/.test(name))!;
  expect(await run('tar', ['-C', system, '-xf', join(cache, archive)])).toMatchObject({ code: 0 });
  chmodSync(system, 0o755); // other users live in it
  for (const folder of ['instance', 'opt/ftps-install', 'opt/aws/amazon-cloudwatch-agent/bin', 'opt/aws/amazon-cloudwatch-agent/etc'])
    mkdirSync(within(folder), { recursive: true });
  copyFileSync(process.execPath, within('usr/local/bin/node'));
  cpSync(join(root, 'dist/image'), within('opt/ftps-install'), { recursive: true });
  const standIns = {
    aws: 'usr/local/bin',
    systemctl: 'usr/local/bin',
    'mount.efs': 'sbin',
    'amazon-cloudwatch-agent-ctl': 'opt/aws/amazon-cloudwatch-agent/bin',
    'boot.sh': 'instance',
    'edge.mjs': 'instance',
  };
  for (const [name, folder] of Object.entries(standIns)) copyFileSync(join(__dirname, 'instance', name), within(`${folder}/${name}`));
  for (const [name, text] of Object.entries(files)) writeFileSync(within(`instance/${name}`), text as string);
  writeFileSync(within('instance/edge.json'), JSON.stringify({ metadata, apis: '/instance/apis.sock', told: '/instance/told' }));
  // moto, from within the network of the instance.
  const apis = createServer((inward) => {
    const outward = connect(Number(new URL(moto.url).port), '127.0.0.1');
    inward
      .on('error', () => outward.destroy())
      .pipe(outward)
      .on('error', () => inward.destroy())
      .pipe(inward);
  });
  await new Promise<void>((resolve) => apis.listen(within('instance/apis.sock'), resolve));
  const enter = 'mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/run" && exec chroot "$0" "$@"';
  const environment = ['PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'NODE=/usr/local/bin/node', 'AWS_ENDPOINT_URL=http://127.0.0.1:4566'];
  const script = `echo 'Test:0:*:${Buffer.from('a signature').toString('hex')}' > /var/lib/test.ndb
    bash /opt/ftps-install/install.sh /opt/ftps-install > /dev/null && install -o ftps-scan -g ftps-scan /var/lib/test.ndb /var/lib/ftps-scanner/test.ndb && exec bash /instance/boot.sh`;
  const { output: said } = await run('unshare', [
    '--mount',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    'bash',
    '-c',
    enter,
    system,
    '/usr/bin/env',
    '-i',
    ...environment,
    'bash',
    '-c',
    script,
  ]);
  apis.close();
  return said;
}

async function theGroup() {
  const { AutoScalingGroups } = await new AutoScalingClient({}).send(new DescribeAutoScalingGroupsCommand({}));
  expect(AutoScalingGroups).toHaveLength(1);
  return AutoScalingGroups![0]!;
}
