import { App, Duration, type Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { pipeline } from '../../bin/environments/pipeline';
import { prod } from '../../bin/environments/prod';
import { staging } from '../../bin/environments/staging';
import {
  AuditLog,
  FtpsEnvironment,
  type FtpsEnvironmentSettings,
  FtpsPipeline,
  FtpsStage,
  FtpsStageParts,
  PrivateAddresses,
  SecretAccounts,
  ServerCertificate,
  StorageKind,
  TlsPolicy,
} from '../../lib';
import type { Resources } from './support';

const own: FtpsEnvironmentSettings = {
  name: 'test',
  domainName: 'ftps.example.com',
  hostedZoneId: 'Z0',
  zoneName: 'example.com',
  clientCidrs: ['203.0.113.0/24'],
};

describe('settings', () => {
  it('inherit: what is the environment’s own wins, server settings and tags key by key', () => {
    const base = { instances: 3, server: { tlsPolicy: TlsPolicy.FIPS, maxSessions: 500 }, tags: { team: 'files', cost: '1' } };
    expect(FtpsEnvironment.production(base, { ...own, server: { maxSessions: 900 }, tags: { cost: '2' } })).toEqual({
      ...own,
      instances: 3,
      server: { tlsPolicy: 'fips', maxSessions: 900 },
      tags: { team: 'files', cost: '2' },
    });
    expect(FtpsEnvironment.staging(base, { ...own, protect: true })).toMatchObject({ instances: 3, archiveRetention: Duration.days(0), protect: true });
  });

  it.each<[unknown, unknown, RegExp]>([
    [true, own, /Environment "test": shared: true is wrong; expected a block/],
    [{ server: true }, { ...own, server: { sftp: {} } }, /server: true is wrong; expected a block/],
    [{ server: { sftp: {} } }, { ...own, server: true }, /server: true is wrong; expected a block/],
    [{ tags: { team: 'a' } }, { ...own, tags: [] }, /tags: \[\] is wrong; expected a block/],
    [{}, true, /Environment "\(without a name\)": own: true is wrong; expected a block/],
  ])('that share something that is none are refused, %#', (shared, one, message) => {
    expect(() => FtpsEnvironment.of(shared as never, one as never)).toThrow(message);
  });

  it.each([
    [{ instances: 1 }, /instances: 1 leaves nobody/],
    [{ protect: false }, /protect: is false/],
    [{ archiveRetention: Duration.days(30) }, /archiveRetention: 30 days are fewer/],
    [{ logRetention: RetentionDays.ONE_MONTH }, /logRetention: 30 days are fewer/],
  ])('of production may not fall short: %j', (short, message) => {
    expect(() => FtpsEnvironment.production(short, own)).toThrow(message);
  });

  it.each([
    [{ domainName: undefined }, /Environment "test": domainName: is missing/],
    [{ webhooks: [] }, /webhooks: is not a setting; webhooks\(\) of a class that extends FtpsStageParts gives it/],
    [{ domainNames: ['a'] }, /domainNames: is not a setting; there are name, /],
    [{ clientCidrs: '203.0.113.0/24' }, /clientCidrs: "203\.0\.113\.0\/24" is wrong; expected list of texts/],
    [{ instances: '2' }, /instances: "2" is wrong; expected number/],
    [{ server: { passivePort: '1-2' } }, /server\.passivePort: is not a setting/],
    [{ server: true }, /Environment "test": server: true is wrong; expected a block, \{ … \}/],
    [{ server: { https: true } }, /server\.https: true is wrong; expected a block, \{ … \}$/],
    [{ server: { https: 'on' } }, /server\.https: "on" is wrong; expected a block, \{ … \}$/],
    [{ server: { https: { links: [] } } }, /server\.https\.links: \[\] is wrong; expected a block, \{ … \}$/],
    [{ tags: 'team' }, /tags: "team" is wrong; expected a block/],
    [{ env: { acount: '1' } }, /env\.acount: is not a setting/],
    [{ endpoint: 'balancer' }, /endpoint: "balancer" is no kind of endpoint; there are elastic-addresses, load-balancer/],
    [{ name: 'Prod One' }, /name: "Prod One" can't name stacks/],
  ])('that are wrong are named: %j', (wrong, message) => {
    expect(() => FtpsEnvironment.of({}, { ...own, ...wrong } as never)).toThrow(message);
    expect(() => new FtpsStage(new App(), 'Test', { settings: { ...own, ...wrong } as never })).toThrow(message);
  });
});

/** Resources of a stage by their stack. */
function stamped(settings: FtpsEnvironmentSettings, scope = new App(), parts?: FtpsStageParts): { data: Resources; service: Resources; stage: FtpsStage } {
  const stage = new FtpsStage(scope, settings.name, { settings, parts });
  const resources = (stack: FtpsStage['dataStack']) => Template.fromStack(stack).toJSON()['Resources'] as Resources;
  return { data: resources(stage.dataStack), service: resources(stage.serviceStack), stage };
}

describe('an environment', () => {
  const production = stamped(prod);
  const place = stamped(staging);

  it('keeps what must outlive a mistake in a stack of its own', () => {
    const types = (resources: Resources) => new Set(Object.values(resources).map(({ Type }) => Type));
    for (const type of ['AWS::EFS::FileSystem', 'AWS::S3::Bucket', 'AWS::EC2::EIP', 'AWS::EC2::VPC', 'AWS::Logs::LogGroup']) {
      expect(types(production.data)).toContain(type);
      if (type !== 'AWS::Logs::LogGroup') expect(types(production.service)).not.toContain(type);
    }
    for (const type of ['AWS::AutoScaling::AutoScalingGroup', 'AWS::EC2::LaunchTemplate', 'AWS::ImageBuilder::ImagePipeline'])
      expect(types(production.data)).not.toContain(type);
  });

  it('of production is protected, and whatever holds data stays when it is deleted', () => {
    expect([production.stage.dataStack, production.stage.serviceStack].map(({ terminationProtection }) => terminationProtection)).toEqual([true, true]);
    const goes = Object.entries({ ...production.data, ...production.service })
      .filter(([, { Type }]) => /FileSystem|S3::Bucket$|LogGroup|KMS::Key|::Secret$|EIP$/.test(Type))
      .filter(([, { DeletionPolicy, UpdateReplacePolicy }]) => DeletionPolicy !== 'RetainExceptOnCreate' || UpdateReplacePolicy !== 'Retain')
      .map(([id]) => id);
    expect(goes).toEqual([]);
  });

  it('of staging can be deleted with everything in it', () => {
    expect([place.stage.dataStack, place.stage.serviceStack].map(({ terminationProtection }) => terminationProtection)).toEqual([false, false]);
    const stays = Object.entries({ ...place.data, ...place.service })
      .filter(([, { DeletionPolicy }]) => DeletionPolicy?.startsWith('Retain'))
      .map(([id]) => id);
    expect(stays).toEqual([]);
  });

  it('tags everything that can be tagged with service, environment and what it is told', () => {
    for (const [id, { Type, Properties }] of Object.entries({ ...production.data, ...production.service })) {
      if (!['AWS::EFS::FileSystem', 'AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::IAM::Role', 'AWS::Lambda::Function'].includes(Type)) continue;
      if (/^(AWSCDK|Custom)/.test(id)) continue; // what CDK makes for its own use takes no tags
      const tags = Object.fromEntries((Properties.Tags ?? Properties.FileSystemTags).map(({ Key, Value }: Record<string, string>) => [Key, Value]));
      expect([id, tags]).toEqual([id, expect.objectContaining({ service: 'ftps', environment: 'prod', team: 'file-transfer' })]);
    }
  });

  it('has the same data under the same names wherever in an app it is stamped', () => {
    const { data } = stamped(prod, new Stage(new App(), 'Pipeline') as never);
    // Only the Name tags that CDK itself writes say where in the app something lies.
    expect(JSON.parse(JSON.stringify(data).replaceAll('"Pipeline/prod/', '"prod/'))).toEqual(JSON.parse(JSON.stringify(production.data)));
  });

  it('needs no look-up in an account, also where account and region are named', () => {
    const app = new App();
    new FtpsStage(app, 'prod', { settings: { ...prod, env: { account: '111122223333', region: 'eu-central-1' } } });
    const assembly = app.synth();
    expect(assembly.manifest.missing ?? []).toEqual([]);
    expect(assembly.getNestedAssembly('assembly-prod').manifest.missing ?? []).toEqual([]);
  });

  it('serves RSA and ECDSA certificates for the same names side by side, both told to one fleet', () => {
    const { service } = stamped({ ...prod, alternativeNames: ['files.example.com'], ecdsaCertificate: true });
    const of = (type: string) => Object.values(service).filter(({ Type }) => Type === type);
    const certificates = of('AWS::CertificateManager::Certificate').map(({ Properties }) => Properties);
    expect(certificates.map(({ KeyAlgorithm }) => KeyAlgorithm ?? 'RSA_2048').sort()).toEqual(['EC_prime256v1', 'RSA_2048']);
    for (const { SubjectAlternativeNames } of certificates) expect(SubjectAlternativeNames).toEqual(['files.example.com']);
    const told = of('AWS::Lambda::Function').flatMap(({ Properties }) => Properties.Environment?.Variables.RELOAD_TAG ?? []);
    expect(told).toHaveLength(2);
    expect(new Set(told).size).toBe(1);
    const [group] = of('AWS::AutoScaling::AutoScalingGroup');
    expect(group.Properties.Tags.map(({ Key, Value }: Record<string, string>) => `${Key}=${Value}`)).toContain(told[0]);
  });
});

describe('an environment in a company that has things already', () => {
  /** A network without public subnets, a topic, accounts and addresses of the company's own. */
  class OfTheBank extends FtpsStageParts {
    public override vpc(data: Stack) {
      return Vpc.fromVpcAttributes(data, 'Vpc', {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-central-1a', 'eu-central-1b'],
        privateSubnetIds: ['subnet-1', 'subnet-2'],
        privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'],
      });
    }
    public override accounts(data: Stack) {
      return new SecretAccounts(data, 'Partners', { prefix: 'partners/' });
    }
    public override auditLog(data: Stack) {
      return new AuditLog(data, 'TenYears', { retention: RetentionDays.TEN_YEARS, archiveRetention: Duration.days(0) });
    }
    public override alarmTopic(data: Stack) {
      return Topic.fromTopicArn(data, 'OnCall', 'arn:aws:sns:eu-central-1:111122223333:on-call');
    }
    public override endpoint(data: Stack) {
      return new PrivateAddresses(data, 'Inside');
    }
    public override hostedZone(service: Stack) {
      return HostedZone.fromHostedZoneAttributes(service, 'Inner', { hostedZoneId: 'ZINNER', zoneName: 'example.com' });
    }
    public override certificate(service: Stack) {
      return ServerCertificate.fromSecret(service, 'Tls', Secret.fromSecretNameV2(service, 'TlsSecret', 'bank/tls'));
    }
  }
  const { hostedZoneId: _, zoneName: __, ...rest } = { ...prod };
  const settings = {
    ...rest,
    env: { account: '111122223333', region: 'eu-central-1' },
    stackName: 'corp-eu1-ftps',
    vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    alarmThresholds: { failedLogins: 77 },
  };
  const { stage, data, service } = stamped(settings, undefined, new OfTheBank());
  const text = JSON.stringify([data, service]);
  const types = (resources: Resources) => new Set(Object.values(resources).map(({ Type }) => Type));

  it('keeps files and logs in a stack of their own, and makes nothing that is there', () => {
    expect([stage.dataStack.stackName, stage.serviceStack.stackName]).toEqual(['corp-eu1-ftps-data', 'corp-eu1-ftps']);
    expect(types(data)).toContain('AWS::EFS::FileSystem');
    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::EIP', 'AWS::SNS::Topic', 'AWS::CertificateManager::Certificate', 'AWS::Route53::HostedZone'])
      expect([...types(data), ...types(service)]).not.toContain(type);
    for (const theirs of ['subnet-1', 'arn:aws:sns:eu-central-1:111122223333:on-call', 'ZINNER', 'bank/tls', 'secret:partners/'])
      expect(text).toContain(theirs);
    expect(Object.values(data).filter(({ Properties }) => Properties?.RetentionInDays === 3653).length).toBeGreaterThan(1);
    expect(Object.values(service).some(({ Type, Properties }) => Type === 'AWS::CloudWatch::Alarm' && Properties.Threshold === 77)).toBe(true);
  });

  it('has its files in S3 where its settings say so', () => {
    const inS3 = stamped({ ...staging, storage: StorageKind.S3 });
    expect(types(inS3.data)).not.toContain('AWS::EFS::FileSystem');
    expect(types(inS3.data)).toContain('AWS::GuardDuty::MalwareProtectionPlan');
    expect(types(inS3.service)).not.toContain('AWS::S3::Bucket');
  });

  it.each([
    [{ networkFirewall: true }, /networkFirewall: is part of a network that the kit makes/],
    [{ alarmEmails: ['ops@example.com'] }, /alarmEmails: go to a topic that is made for them/],
    [{ storage: 'ebs' as never }, /storage: "ebs" is no kind of storage; there are efs, s3/],
    [{ zoneName: 'example.com' }, /hostedZoneId: is missing; it belongs to zoneName/],
  ])('%j beside them is refused', (wrong, message) => expect(() => stamped({ ...settings, ...wrong } as never, undefined, new OfTheBank())).toThrow(message));

  it('names a prop of the stage and of the pipeline that nobody knows', () => {
    expect(() => new FtpsStage(new App(), 'Test', { settings: prod, part: 1 } as never)).toThrow(/part: is unknown to FtpsStageProps; did you mean parts\?/);
    expect(() => new FtpsStage(new App(), 'Test', { settings: prod, parts: true } as never)).toThrow(/parts: true is wrong; expected an object of a class/);
    expect(() => new FtpsStage(new App(), 'Test', { settings: true } as never)).toThrow(/settings: true is wrong; expected a block/);
    expect(() => new FtpsStage(new App(), 'Test', { settings: prod, env: { region: 'eu-central-1' }, outdir: undefined })).not.toThrow();
    expect(() => new FtpsPipeline(new App(), 'Test', { ...pipeline, approvalTopics: 1 } as never)).toThrow(
      /approvalTopics: is unknown to FtpsPipelineProps; did you mean approvalTopic\?/,
    );
  });
});
