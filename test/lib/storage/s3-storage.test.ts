import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FtpsService, S3Storage, type S3StorageProps, VirusScan } from '../../../lib';
import { checkServerConfig } from '../../../server/config';
import { nagFindings, type Resources, serviceTemplate, shippedSettings, testStack } from '../support';

function withStorage(stack: Stack, props?: S3StorageProps): void {
  const storage = new S3Storage(stack, 'Files', props);
  storage.grantReadWrite(new Role(stack, 'Fleet', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
}

/** What the role whose policy begins with that name may do, as `action on resource`. */
function mayDo(template: Template, policy: string): string[] {
  const [, found] = Object.entries(template.findResources('AWS::IAM::Policy') as Resources).find(([id]) => id.startsWith(policy))!;
  return found.Properties.PolicyDocument.Statement.flatMap(({ Action, Resource }: Resources) =>
    [Action].flat().flatMap((action: string) => [Resource].flat().map((resource: unknown) => `${action} on ${JSON.stringify(resource)}`)),
  );
}

describe('storage in S3', () => {
  const { stack } = testStack();
  withStorage(stack);
  const template = Template.fromStack(stack);

  it('keeps files and quarantine encrypted by a key of its own, versioned, private, over TLS only', () => {
    for (const [id, { Properties }] of Object.entries(template.findResources('AWS::S3::Bucket') as Resources)) {
      if (!id.includes('AccessLogs'))
        expect(Properties.BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.SSEAlgorithm).toBe('aws:kms');
      expect(Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' });
      expect(Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
    }
    template.resourceCountIs('AWS::S3::Bucket', 3);
  });

  it('has GuardDuty scan the quarantine, and its results bring the release Lambda', () => {
    template.hasResourceProperties('AWS::GuardDuty::MalwareProtectionPlan', {
      Actions: { Tagging: { Status: 'ENABLED' } },
      ProtectedResource: { S3Bucket: { BucketName: { Ref: Match.stringLikeRegexp('Quarantine') }, ObjectPrefixes: ['uploads/held/'] } },
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.guardduty'],
        'detail-type': ['GuardDuty Malware Protection Object Scan Result'],
        detail: { s3ObjectDetails: { bucketName: [{ Ref: Match.stringLikeRegexp('Quarantine') }] } },
      },
      Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })],
    });
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(15 minutes)' });
    template.hasResourceProperties('AWS::Lambda::Function', {
      DeadLetterConfig: Match.anyValue(),
      Environment: { Variables: Match.objectLike({ QUARANTINE_PREFIX: 'uploads/', FILES_BUCKET: { Ref: Match.stringLikeRegexp('Files') } }) },
    });
    template.resourceCountIs('AWS::CloudWatch::Alarm', 5);
  });

  it('grants no action with a star, and none beyond its buckets, its key and its rule', () => {
    for (const policy of ['Fleet', 'FilesReleaseRole', 'FilesScanRole'])
      for (const one of mayDo(template, policy)) {
        const [action] = one.split(' on ');
        expect(action).not.toContain('*');
        expect(one).not.toMatch(/ on "\*"$/);
      }
    expect(
      mayDo(template, 'FilesReleaseRole')
        .filter((one) => one.startsWith('s3:DeleteObject'))
        .every((one) => one.includes('Quarantine')),
    ).toBe(true);
  });

  it('passes AWS Solutions, HIPAA, NIST 800-53 and PCI DSS, each exception being accepted by name and with its reason', () => {
    for (const malwareProtection of [true, false]) expect(nagFindings((bare) => new S3Storage(bare, 'Files', { malwareProtection }))).toEqual([]);
  });
});

describe('a service with storage in S3', () => {
  it.each([
    [true, 'guardduty', { kind: 'off' }],
    [false, 'server', { kind: 'clamd', socket: '/run/ftps-scanner/clamd.sock', whenUnavailable: 'refuse', whenLarger: 'refuse' }],
  ])('ships what it provisioned: GuardDuty %s', (malwareProtection, release, antivirus) => {
    const { stack, hostedZone } = testStack();
    const storage = new S3Storage(stack, 'Store', { malwareProtection });
    new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], storage });
    const template = Template.fromStack(stack);
    const settings = shippedSettings(template);
    expect(settings).toMatchObject({ storage: { kind: 's3', release, quarantine: { prefix: 'uploads/' } }, antivirus });
    expect(
      checkServerConfig({ ...settings, storage: { ...settings.storage, bucket: 'files', kmsKeyId: 'key', quarantine: { bucket: 'quarantine' } } }),
    ).toBeDefined();
    const granted = mayDo(template, 'FtpsFleetRole').filter((one) => one.startsWith('s3:PutObject on'));
    for (const bucket of [settings.storage.bucket, settings.storage.quarantine.bucket]) {
      const [, id] = /<(.*)>/.exec(bucket)!;
      expect(granted.some((one) => one.includes(id!.replace(/\.Arn$/, '')))).toBe(true);
    }
  });

  it.each([
    [undefined, { kind: 'clamd', maxBytes: 2_097_152_000, whenLarger: 'refuse', whenUnavailable: 'refuse' }],
    [VirusScan.PREFERRED, { kind: 'clamd', whenLarger: 'release', whenUnavailable: 'release' }],
    [VirusScan.OFF, { kind: 'off' }],
  ])('scans by the instances where the storage is not scanned: %s', (virusScan, antivirus) => {
    expect(shippedSettings(serviceTemplate({ server: { virusScan } }))['antivirus']).toMatchObject(antivirus);
  });
});

it('finds the limits of the image’s clamd in its configuration', () => {
  const conf = readFileSync(join(__dirname, '../../../lib/image/files/clamd.conf'), 'utf8');
  for (const limit of ['StreamMaxLength', 'MaxScanSize', 'MaxFileSize']) expect(conf).toContain(`${limit} 2000M`);
  expect(conf).toContain('LocalSocket /run/ftps-scanner/clamd.sock');
});
