/** Buckets and file systems that are there already, and storages and accounts that somebody else wrote. */
import { Duration, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type IConnectable, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccessPoint, FileSystem } from 'aws-cdk-lib/aws-efs';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { FileStorage, FtpsService, type FtpsServiceProps, type IFileStorage, type IFtpsAccounts, S3Storage } from '../../../lib';
import { env, flat, type Resources, shippedSettings, testStack } from '../support';

function service(make: (stack: Stack, vpc: Vpc) => Partial<FtpsServiceProps>): Template {
  const { stack, hostedZone } = testStack();
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, maxAzs: 2, restrictDefaultSecurityGroup: false });
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], vpc, ...make(stack, vpc) });
  return Template.fromStack(stack);
}

const statements = (template: Template) =>
  (Object.values(template.findResources('AWS::IAM::Policy')) as Resources[]).flatMap(({ Properties }: Resources) => Properties.PolicyDocument.Statement);

describe('a bucket that is there already', () => {
  const keyArn = `arn:aws:kms:${env.region}:${env.account}:key/11111111-2222-3333-4444-555555555555`;
  const bucketOf = (stack: Stack) =>
    Bucket.fromBucketAttributes(stack, 'Ours', { bucketArn: 'arn:aws:s3:::ours', encryptionKey: Key.fromKeyArn(stack, 'OurKey', keyArn) });
  const template = service((stack) => ({ storage: S3Storage.fromBucket(stack, 'Files', bucketOf(stack), { prefix: 'ftps/' }) }));

  it('has the files below its prefix, encrypted as it says; only the quarantine is made', () => {
    expect(shippedSettings(template)['storage']).toMatchObject({ kind: 's3', bucket: 'ours', prefix: 'ftps/', release: 'guardduty' });
    expect(shippedSettings(template)['storage'].kmsKeyId).toBeUndefined();
    expect(Object.keys(template.findResources('AWS::S3::Bucket')).filter((id) => /^FilesFiles/.test(id))).toEqual([]);
    const lambda = (Object.values(template.findResources('AWS::Lambda::Function')) as Resources[]).find(
      ({ Properties }: Resources) => Properties.Environment?.Variables?.FILES_BUCKET,
    )!;
    expect(lambda['Properties'].Environment.Variables).toMatchObject({ FILES_BUCKET: 'ours' });
    expect(lambda['Properties'].Environment.Variables.KMS_KEY_ID).toBeUndefined();
  });

  it('is open to the server below the prefix, and its key through S3 alone', () => {
    const objects = statements(template).filter(({ Resource }) => JSON.stringify(Resource).includes('arn:aws:s3:::ours/'));
    expect(objects).toHaveLength(2); // the instances, and the Lambda that releases
    for (const { Resource } of objects) expect(Resource).toBe('arn:aws:s3:::ours/ftps/*');
    const key = statements(template).filter(({ Resource }) => Resource === keyArn);
    expect(key.length).toBeGreaterThan(0);
    for (const { Condition } of key) expect(flat(Condition.StringEquals['kms:ViaService'])).toBe(`s3.${env.region}.<AWS::URLSuffix>`);
  });

  it.each<[string, (stack: Stack) => unknown, RegExp]>([
    ['a prefix that is no folder', (stack) => S3Storage.fromBucket(stack, 'A', bucketOf(stack), { prefix: '/ftps' }), /prefix: "\/ftps" can't begin the keys/],
    ['a prefix of a new bucket', (stack) => new S3Storage(stack, 'B', { prefix: 'ftps/' }), /prefix: is a part of a bucket that is there already/],
    [
      'rules that are the bucket’s own',
      (stack) => S3Storage.fromBucket(stack, 'C', bucketOf(stack), { expiration: Duration.days(3) }),
      /expiration: is a rule of a bucket that is made; Test\/Ours is there already/,
    ],
  ])('is refused with %s', (_, make, message) => {
    expect(() => make(testStack().stack)).toThrow(message);
  });
});

describe('a file system that is there already', () => {
  const fileSystemOf = (stack: Stack) =>
    FileSystem.fromFileSystemAttributes(stack, 'Ours', {
      fileSystemId: 'fs-0123456789abcdef0',
      securityGroup: SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0'),
    });

  it('is mounted at a folder, and opened for the instances', () => {
    const template = service((stack) => ({ storage: FileStorage.fromFileSystem(stack, 'Files', fileSystemOf(stack), { path: '/ftps' }) }));
    template.resourceCountIs('AWS::EFS::FileSystem', 0);
    expect(JSON.stringify(template.findResources('AWS::EC2::LaunchTemplate'))).toContain(
      'mount -t efs -o tls,iam,nodev,nosuid,noexec fs-0123456789abcdef0:/ftps',
    );
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { GroupId: 'sg-0123456789abcdef0', FromPort: 2049 });
  });

  it('is reached by its access point alone where one is given', () => {
    const template = service((stack) => {
      const accessPoint = AccessPoint.fromAccessPointId(stack, 'Point', 'fsap-0123456789abcdef0');
      return { storage: FileStorage.fromFileSystem(stack, 'Files', fileSystemOf(stack), { accessPoint }) };
    });
    expect(JSON.stringify(template.findResources('AWS::EC2::LaunchTemplate'))).toContain('accesspoint=fsap-0123456789abcdef0');
    const [mount] = statements(template).filter(({ Action }) => [Action].flat().includes('elasticfilesystem:ClientMount'));
    expect(mount.Action).toEqual(['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite']);
    expect(JSON.stringify(mount.Condition.StringEquals)).toContain('fsap-0123456789abcdef0');
  });

  it('is refused with a folder and an access point', () => {
    const { stack } = testStack();
    const fileSystem = fileSystemOf(stack);
    const accessPoint = AccessPoint.fromAccessPointId(stack, 'Point', 'fsap-0123456789abcdef0');
    expect(() => FileStorage.fromFileSystem(stack, 'Files', fileSystem, { accessPoint, path: '/ftps' })).toThrow(/path, accessPoint: give one of them/);
    expect(() => FileStorage.fromFileSystem(stack, 'Other', fileSystem, { path: 'ftps' })).toThrow(/path: "ftps" is no folder/);
  });
});

/** A share that a company mounts by NFS. */
class Share extends Construct implements IFileStorage {
  readonly description = 'a share of ours';
  readonly isShared = true;
  readonly mountCommands = ['mount -t nfs4 share.example.com:/ftps /srv/ftps'];
  readonly settings = { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false };
  grantReadWrite(grantee: IGrantable): Grant {
    return Grant.drop(grantee, 'the share knows hosts, not roles');
  }
  allowFrom(_instances: IConnectable): void {
    // the network team does
  }
}

class FixedAccounts extends Construct implements IFtpsAccounts {
  readonly description = 'accounts in a file';
  sources() {
    return [{ kind: 'file', file: '/etc/ftps/accounts.json' }];
  }
  grantRead(grantee: IGrantable): Grant {
    return Grant.drop(grantee, 'a file needs no permission');
  }
  allowFrom(_instances: IConnectable): void {
    // a file needs no network
  }
  addOutputs(_scope: Construct): void {
    // nobody looks after a file from outside
  }
}

it('a storage and accounts of one’s own are taken, and what they tell the server is checked as everything is', () => {
  const template = service((stack) => ({ storage: new Share(stack, 'Share'), accounts: new FixedAccounts(stack, 'Fixed') }));
  expect(shippedSettings(template)).toMatchObject({
    storage: { kind: 'local', root: '/srv/ftps' },
    identity: [{ kind: 'file', file: '/etc/ftps/accounts.json' }],
  });
  expect(JSON.stringify(template.findResources('AWS::EC2::LaunchTemplate'))).toContain('mount -t nfs4 share.example.com:/ftps');
  const misspelt = (stack: Stack) => Object.assign(new Share(stack, 'Share'), { settings: { storage: { kind: 'lokal' }, scannedElsewhere: false } });
  expect(() => service((stack) => ({ storage: misspelt(stack) }))).toThrow(/The server settings can't be used:[\s\S]*storage/);
});
