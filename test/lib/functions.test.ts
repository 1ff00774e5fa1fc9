/** What every Lambda of the kit has, whatever it is for. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  ClientTrust,
  ElasticAddresses,
  FtpsAccount,
  FtpsEnvironment,
  FtpsLoadBalancer,
  FtpsService,
  FtpsStage,
  S3Storage,
  type SecretAccounts,
} from '../../lib';
import { flat, type Resources, testStack } from './support';

const root = join(__dirname, '../..');
const handlers = readdirSync(join(root, 'lib'), { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('handler.ts'));

const { stack, hostedZone } = testStack({ '@aws-cdk/core:stackResourceLimit': 0 }); // two services in one stack are more than CloudFormation takes; it is never deployed
const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, restrictDefaultSecurityGroup: false });
const authorities = join(tmpdir(), `ftps-authorities-${process.pid}.pem`);
writeFileSync(authorities, '');
const common = { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], vpc };
const elastic = new FtpsService(stack, 'Elastic', {
  ...common,
  endpoint: new ElasticAddresses(stack, 'Addresses', { allocationIds: ['eipalloc-0123456789abcdef0', 'eipalloc-0fedcba9876543210'] }),
  storage: new S3Storage(stack, 'Files'),
  server: { sftp: { port: 22 }, https: {}, as2: { as2Id: 'EXAMPLE' } },
  clientTrust: new ClientTrust(stack, 'Trust', { bundleFile: authorities }),
});
new FtpsService(stack, 'Balanced', { ...common, endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3 }) });
new FtpsAccount(stack, 'acme', { accounts: elastic.accounts as SecretAccounts, password: Secret.fromSecretNameV2(stack, 'Password', 'acme/password') });
afterAll(() => rmSync(authorities));
const template = Template.fromStack(Stack.of(vpc)).toJSON() as { Resources: Resources };
const ofType = (type: string) => Object.entries(template.Resources).filter(([, { Type }]) => Type === type) as [string, Resources][];
/** The kit's own; AWS CDK brings some for its custom resources. */
const functions = ofType('AWS::Lambda::Function').filter(([, { Properties }]) => Properties.DeadLetterConfig || Properties.ReservedConcurrentExecutions);

it('there is a function in the template for each handler in the kit', () => {
  const described = new Set(functions.map(([, { Properties }]) => Properties.Description));
  expect(described.size).toBe(handlers.length);
});

describe.each(functions)('%s', (id, { Properties }) => {
  it('has a role, a log and a dead-letter queue of its own, and alarms on failures and on what is kept in the queue', () => {
    expect(Properties.Runtime).toBe('nodejs24.x');
    const own = (pick: (properties: Resources) => unknown) => functions.filter(([, other]) => flat(pick(other['Properties'])) === flat(pick(Properties)));
    expect(own(({ Role }) => Role)).toHaveLength(1);
    expect(own(({ LoggingConfig }) => LoggingConfig['LogGroup'])).toHaveLength(1);
    expect(own(({ DeadLetterConfig }) => DeadLetterConfig['TargetArn'])).toHaveLength(1);
    const [queueId] = Properties.DeadLetterConfig.TargetArn['Fn::GetAtt'];
    const queue = template.Resources[queueId];
    expect(queue).toMatchObject({ Type: 'AWS::SQS::Queue', Properties: { SqsManagedSseEnabled: true } });
    const kept = ofType('AWS::CloudWatch::Alarm').filter(([, alarm]) => JSON.stringify(alarm['Properties'].Dimensions ?? []).includes(queueId));
    expect(kept.map(([, alarm]) => [alarm['Properties'].MetricName, alarm['Properties'].AlarmActions?.length])).toEqual([
      ['ApproximateNumberOfMessagesVisible', 1],
    ]);
    const alarms = ofType('AWS::CloudWatch::Alarm').filter(([, alarm]) =>
      JSON.stringify(alarm['Properties'].Dimensions ?? []).includes(JSON.stringify({ Name: 'FunctionName', Value: { Ref: id } })),
    );
    expect(alarms.map(([, alarm]) => alarm['Properties'].MetricName)).toContain('Errors');
    expect(alarms.every(([, alarm]) => alarm['Properties'].AlarmActions?.length > 0)).toBe(true);
  });

  it('takes a run out of the account’s for itself where two at once would undo each other’s work, and nowhere else', () => {
    expect(Properties.ReservedConcurrentExecutions).toBe(
      /release|client certificates|GuardDuty|were there already|accounts|host keys|keys of AS2/i.test(Properties.Description) ? undefined : 1,
    );
  });

  it('its role is assumed by Lambda alone', () => {
    const role = template.Resources[Properties.Role['Fn::GetAtt'][0]];
    expect(role.Properties.AssumeRolePolicyDocument.Statement).toEqual([expect.objectContaining({ Principal: { Service: 'lambda.amazonaws.com' } })]);
    expect(role.Properties.ManagedPolicyArns).toBeUndefined();
  });
});

it.each(handlers)('lib/%s logs by powertools', (file) => {
  expect(readFileSync(join(root, 'lib', file), 'utf8')).toContain("from '@aws-lambda-powertools/logger'");
});

it('reserves nothing where the account has nothing to reserve', () => {
  const app = new App();
  const { name, ...staging } = FtpsEnvironment.staging(
    {},
    { name: 'small', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] },
  );
  const stage = new FtpsStage(app, 'small', { settings: { name, ...staging } });
  for (const one of [stage.dataStack, stage.serviceStack])
    expect(JSON.stringify(Template.fromStack(one).toJSON())).not.toContain('ReservedConcurrentExecutions');
});
