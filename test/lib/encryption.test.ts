/** One key of the company for everything: what it encrypts, what its policy says, and what another team is told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Alias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { prod } from '../../bin/environments/prod';
import { ftpsProgram } from '../../bin/program';
import { AlarmTopic, AuditLog, FtpsService, FtpsStage, FtpsStageParts, S3Storage, SecretAccounts, ServerCertificate, SharedLockouts } from '../../lib';
import { env, flat, type Resources, testStack } from './support';

const ARN = 'arn:aws:kms:eu-central-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const props = { domainName: 'ftps.example.com', clientCidrs: ['203.0.113.0/24'] };

function serviceWith(keyOf: (app: App, stack: Stack) => IKey): { app: App; stack: Stack } {
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'ftps-key-')) });
  const stack = new Stack(app, 'Service', { env });
  const encryptionKey = keyOf(app, stack);
  const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
  const auditLog = new AuditLog(stack, 'Logs', { dataEvents: true, encryptionKey });
  new FtpsService(stack, 'Ftps', { ...props, hostedZone, auditLog, encryptionKey, flowLogs: true, image: { shareWithAccounts: ['444455556666'] } });
  new S3Storage(stack, 'More', { encryptionKey });
  return { app, stack };
}

/** What of a template is encrypted, each with what by. */
function encrypted(template: Resources): [string, string][] {
  const by = (value: unknown) => JSON.stringify(value ?? 'nothing');
  return Object.entries(template['Resources'] as Resources).flatMap(([id, { Type, Properties = {} }]): [string, string][] => {
    const one = (key: unknown): [string, string][] => [[`${Type} ${id}`, by(key)]];
    switch (Type) {
      case 'AWS::Logs::LogGroup':
      case 'AWS::EFS::FileSystem':
      case 'AWS::SecretsManager::Secret':
        return one(Properties.KmsKeyId);
      case 'AWS::CloudTrail::Trail':
        return one(Properties.KMSKeyId);
      case 'AWS::SNS::Topic':
      case 'AWS::SQS::Queue':
        return one(Properties.KmsMasterKeyId);
      case 'AWS::DynamoDB::Table':
        return one(Properties.SSESpecification.KMSMasterKeyId);
      case 'AWS::S3::Bucket': // S3 delivers access logs to no bucket with a KMS key
        return /AccessLogs/.test(id) ? [] : one(Properties.BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.KMSMasterKeyID);
      case 'AWS::KinesisFirehose::DeliveryStream':
        return one(Properties.DeliveryStreamEncryptionConfigurationInput.KeyARN);
      case 'AWS::EC2::LaunchTemplate':
        return one(Properties.LaunchTemplateData.BlockDeviceMappings[0].Ebs.KmsKeyId);
      case 'AWS::ImageBuilder::ImageRecipe':
        return one(Properties.BlockDeviceMappings[0].Ebs.KmsKeyId);
      case 'AWS::ImageBuilder::DistributionConfiguration':
        return one(Properties.Distributions[0].AmiDistributionConfiguration.KmsKeyId);
      case 'AWS::Athena::WorkGroup':
        return one(Properties.WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey);
      default:
        return [];
    }
  });
}

const others = serviceWith((_, stack) => Key.fromKeyArn(stack, 'CompanyKey', ARN));
const elsewhere = serviceWith((app) => new Key(new Stack(app, 'Keys', { env }), 'CompanyKey'));
const template = Template.fromStack(others.stack).toJSON();
others.app.synth();
afterAll(() => {
  for (const { app } of [others, elsewhere]) rmSync(app.outdir, { recursive: true });
});

describe('a key that others look after', () => {
  it('encrypts everything that can be encrypted, and no key is made beside it', () => {
    const found = encrypted(template);
    expect(found.filter(([, by]) => by !== JSON.stringify(ARN))).toEqual([]);
    const kinds = new Set(found.map(([what]) => what.split(' ')[0]));
    expect(kinds.size).toBe(13);
    expect(Object.values(template.Resources as Resources).filter(({ Type }) => Type === 'AWS::KMS::Key')).toEqual([]);
  });

  it('gets a list of statements to be pasted, with every principal that the account has not given a policy', async () => {
    const said: string[] = [];
    const told: string[] = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
    await ftpsProgram().parseAsync(['key-policy', '--assembly', others.app.outdir], { from: 'user' });
    jest.restoreAllMocks();
    const policy = JSON.parse(said.join(''));
    expect(policy.Version).toBe('2012-10-17');
    expect(policy.Statement.map(({ Sid }: Resources) => Sid)).toEqual([
      'FtpsRolesThroughServices',
      'FtpsGrantsOfServices',
      'FtpsLogGroups',
      'FtpsDataEvents',
      'FtpsFailures',
      'FtpsVolumes',
      'FtpsVolumesOfInstances',
      'FtpsImagesOf444455556666',
      'FtpsInstancesOf444455556666',
      'FtpsAlarms',
    ]);
    expect(JSON.stringify(policy)).not.toMatch(/AWS::|Ref|Fn::/);
    expect(policy.Statement[0]).toEqual({
      Sid: 'FtpsRolesThroughServices',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111122223333:root' },
      Action: ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'DescribeKey'].map(
        (one) => `kms:${one}`,
      ),
      Resource: '*',
      Condition: {
        StringEquals: {
          'kms:ViaService': ['dynamodb', 'ec2', 'elasticfilesystem', 'firehose', 's3', 'secretsmanager', 'sqs'].map(
            (one) => `${one}.eu-central-1.amazonaws.com`,
          ),
        },
      },
    });
    // The key lies in another account, where no policy alone lets Auto Scaling in.
    expect(told.join('')).toContain(`--key-id ${ARN} --grantee-principal arn:aws:iam::111122223333:role/aws-service-role/autoscaling`);
  });
});

it('a key of the app has the same statements in its own policy, and nothing of the service that would tie its stack to that of the service', () => {
  const keys = Template.fromStack(Stack.of(elsewhere.app.node.findChild('Keys'))).toJSON();
  const [[, { Properties }]] = Object.entries(keys.Resources as Resources) as [[string, Resources]];
  const withoutSid = ({ Sid: _, ...statement }: Resources) => statement;
  const printed = (Object.values(template.Metadata['cdk-ftps:key-policy'])[0] as Resources[]).filter(({ Sid }) => !/Services$/.test(Sid)).map(withoutSid);
  const text = JSON.stringify(Properties.KeyPolicy.Statement);
  for (const { Action, Principal } of printed) {
    expect(Properties.KeyPolicy.Statement.map(({ Action: one }: Resources) => JSON.stringify(one))).toContain(JSON.stringify(Action));
    if (Principal.Service) expect(text).toContain(Principal.Service);
  }
  expect(
    elsewhere.app
      .synth()
      .getStackByName('Keys')
      .dependencies.filter(({ id }) => id === 'Service'),
  ).toEqual([]);
});

it('a part alone takes a key too, and a part’s own key goes before that of what it lies in', () => {
  const { stack } = testStack();
  const own = new Key(stack, 'Own');
  new SharedLockouts(stack, 'Lockouts', { encryptionKey: own });
  new AlarmTopic(stack, 'Topic', { encryptionKey: own });
  const made = Template.fromStack(stack);
  made.resourceCountIs('AWS::KMS::Key', 1);
  made.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
});

describe('a secret with a key of its own', () => {
  const { stack } = testStack();
  const secretKey = Key.fromKeyArn(stack, 'SecretKey', ARN);
  const secret = Secret.fromSecretAttributes(stack, 'Secret', {
    secretCompleteArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:certificate-a1B2c3',
    encryptionKey: secretKey,
  });
  new FtpsService(stack, 'Ftps', {
    ...props,
    certificate: ServerCertificate.fromSecret(stack, 'Certificate', secret),
    accounts: new SecretAccounts(stack, 'Accounts', {
      prefix: 'aws/transfer/s-0123456789abcdef0/',
      furtherKeys: [Key.fromKeyArn(stack, 'TransferKey', ARN.replace('1234abcd', '9999abcd'))],
    }),
  });

  it.each([ARN, ARN.replace('1234abcd', '9999abcd')])('is read by the instances: kms:Decrypt on %s', (key) => {
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy') as Resources).filter(({ Properties }) =>
      /^FtpsFleetRole/.test(Properties.Roles[0].Ref),
    );
    const [statement] = policy.Properties.PolicyDocument.Statement.filter(({ Resource }: Resources) => Resource === key);
    expect(statement.Action).toBe('kms:Decrypt');
    expect(flat(statement.Condition.StringEquals['kms:ViaService'])).toBe('secretsmanager.eu-central-1.<AWS::URLSuffix>');
  });
});

describe('a key is refused', () => {
  const { stack } = testStack();

  it('that is an alias, by which no policy knows it', () =>
    expect(() => new AlarmTopic(stack, 'One', { encryptionKey: Alias.fromAliasName(stack, 'Alias', 'alias/company') })).toThrow(/encryptionKey: is an alias/));

  it('that lies in another region', () =>
    expect(() => new AlarmTopic(stack, 'Two', { encryptionKey: Key.fromKeyArn(stack, 'Far', ARN.replace('eu-central-1', 'us-east-1')) })).toThrow(
      'encryptionKey: lies in us-east-1, and what it is to encrypt in eu-central-1',
    ));
});

it('an environment has one key too, made in the stack of its data', () => {
  class OfTheCompany extends FtpsStageParts {
    public override encryptionKey(dataStack: Stack): IKey {
      return new Key(dataStack, 'CompanyKey');
    }
  }
  const app = new App();
  const settings = { ...prod, env };
  const stage = new FtpsStage(app, 'prod', { settings, parts: new OfTheCompany() });
  const made = app.synth().getNestedAssembly(stage.artifactId).stacks;
  const keys = made.flatMap(({ template: { Resources: resources } }) =>
    Object.entries(resources as Resources).filter(([, { Type }]) => Type === 'AWS::KMS::Key'),
  );
  expect(keys.map(([id]) => id)).toEqual([expect.stringMatching(/^CompanyKey/)]);
  const found = made.flatMap(({ template: one }) => encrypted(one));
  expect(found.filter(([, by]) => !by.includes('CompanyKey'))).toEqual([]);
});
