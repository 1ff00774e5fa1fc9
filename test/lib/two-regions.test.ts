/** The service in two regions, as examples/company/two-regions has it: what each keeps, what it sends to the other, and which of them a client finds. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Template } from 'aws-cdk-lib/assertions';
import { ownerOf, routingOf } from '../../lib/endpoint/address-lifecycle/record-settings';
import { flat, type Resources, shippedSettings } from './support';

const root = join(__dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'ftps-two-regions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [main, standby] = ['eu-central-1', 'eu-west-1'] as const;
const keyArn = (region: string) => `arn:aws:kms:${region}:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab`;
const bucketArn = (region: string) => `arn:<AWS::Partition>:s3:::company-partners-111122223333-${region}`;
let templates: Readonly<Record<string, Template>>;
let firstTime: Readonly<Record<string, Template>>;

const read = (name: string): Record<string, Template> =>
  Object.fromEntries(
    [main, standby].map((region) => [region, Template.fromJSON(JSON.parse(readFileSync(join(folder, name, `Partners-${region}.template.json`), 'utf8')))]),
  );
beforeAll(async () => {
  // One process for both: each app is made with an output folder of its own, and synthesizes itself when there is nothing left to do.
  const app = (name: string, context: object) =>
    `Object.assign(process.env, ${JSON.stringify({ CDK_OUTDIR: join(folder, name), CDK_CONTEXT_JSON: JSON.stringify(context) })});
     await import('./examples/company/two-regions.mts?${name}');`;
  const script = app('both', {}) + app('first', { first: 'true' });
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', CDK_VALIDATION: 'false' }; // as in every other test of the kit
  await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], { cwd: root, env });
  [templates, firstTime] = [read('both'), read('first')];
});

const files = (template: Template): Resources => {
  const buckets = Object.values(template.findResources('AWS::S3::Bucket')) as Resources[];
  return buckets.find(({ Properties }: Resources) => Properties.BucketName !== undefined)!;
};

it('one host name has a primary and a secondary record, each known by its own set identifier', () => {
  const told = [main, standby].map((region) => {
    const [lambda] = (Object.values(templates[region]!.findResources('AWS::Lambda::Function')) as Resources[]).filter(
      ({ Properties }: Resources) => Properties.Environment?.Variables?.ROUTING,
    );
    const { ZONE_ID, RECORD_NAME, GROUP_NAME, ROUTING, HEALTH_CHECK_ID } = lambda!['Properties'].Environment.Variables;
    return { zone: ZONE_ID, name: RECORD_NAME, owner: ownerOf(GROUP_NAME, region), ...routingOf({ ROUTING }), checked: HEALTH_CHECK_ID !== undefined };
  });
  const shared = { zone: 'Z0123456789EXAMPLE', name: 'ftps.example.com' };
  expect(told).toEqual([
    { ...shared, owner: 'Partners-eu-central-1-Ftps-Fleet eu-central-1', failover: 'PRIMARY', checked: true },
    { ...shared, owner: 'Partners-eu-west-1-Ftps-Fleet eu-west-1', failover: 'SECONDARY', checked: false },
  ]);
  // A region that is gone tells no alarm anything: that has to count as not healthy.
  templates[main]!.hasResourceProperties('AWS::Route53::HealthCheck', {
    HealthCheckConfig: { Type: 'CLOUDWATCH_METRIC', InsufficientDataHealthStatus: 'Unhealthy', AlarmIdentifier: { Region: main } },
  });
});

describe.each([
  [main, standby],
  [standby, main],
])('%s', (here, there) => {
  it(`keeps files in a bucket that replicates to ${there}: encrypted ones, deletions, within a quarter of an hour`, () => {
    const template = templates[here]!;
    expect(shippedSettings(template)['storage'].bucket).toEqual(expect.stringMatching(/^<Files/));
    const [rule, ...more] = files(template)['Properties'].ReplicationConfiguration.Rules;
    expect(more).toEqual([]);
    expect(flat(rule.Destination.Bucket)).toBe(bucketArn(there));
    expect(rule).toMatchObject({
      Status: 'Enabled',
      Destination: {
        EncryptionConfiguration: { ReplicaKmsKeyID: keyArn(there) },
        ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } },
        Metrics: { Status: 'Enabled' },
      },
      SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
      DeleteMarkerReplication: { Status: 'Enabled' },
    });
    expect(files(template)['Properties']).toMatchObject({
      BucketName: `company-partners-111122223333-${here}`,
      VersioningConfiguration: { Status: 'Enabled' },
    });
  });

  it('replicates by a role that reaches these two buckets and keys and nothing else', () => {
    const template = templates[here]!;
    const [roleId] = files(template)['Properties'].ReplicationConfiguration.Role['Fn::GetAtt'];
    const role = template.findResources('AWS::IAM::Role')[roleId] as Resources;
    expect(role['Properties'].RoleName).toBeUndefined(); // roles have no region: a name would be taken by the other one
    const policies = (Object.values(template.findResources('AWS::IAM::Policy')) as Resources[]).filter(({ Properties }: Resources) =>
      Properties.Roles.some((one: Resources) => one['Ref'] === roleId),
    );
    const statements = policies.flatMap(({ Properties }: Resources) => Properties.PolicyDocument.Statement as Resources[]);
    const may = statements.map((one) => [flat(one['Resource']).replace(/<Files\w+,Arn>/, bucketArn(here)), [one['Action']].flat()]);
    expect(Object.fromEntries(may)).toEqual({
      [bucketArn(here)]: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
      [`${bucketArn(here)}/*`]: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
      [`${bucketArn(there)}/*`]: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner'],
      [keyArn(there)]: ['kms:Encrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'],
      [keyArn(here)]: ['kms:Decrypt'],
    });
  });

  it('has no rule in the first deployment, when there is no bucket to replicate to', () => {
    expect(files(firstTime[here]!)['Properties']).toMatchObject({ VersioningConfiguration: { Status: 'Enabled' } });
    expect(files(firstTime[here]!)['Properties'].ReplicationConfiguration).toBeUndefined();
  });

  it('has its own certificate of the host name, so that a renewal needs no other region', () => {
    templates[here]!.hasResourceProperties('AWS::CertificateManager::Certificate', { DomainName: 'ftps.example.com', CertificateExport: 'ENABLED' });
  });
});

it('passwords are made in one region, replicated under the key of the other, and written into the accounts of both', () => {
  templates[main]!.hasResourceProperties('AWS::SecretsManager::Secret', {
    Name: 'partners/passwords/acme',
    KmsKeyId: keyArn(main),
    ReplicaRegions: [{ Region: standby, KmsKeyId: keyArn(standby) }],
  });
  expect(Object.keys(templates[standby]!.findResources('AWS::SecretsManager::Secret', { Properties: { Name: 'partners/passwords/acme' } }))).toEqual([]);
  const sources = [main, standby].map((region) => {
    const accounts = (Object.values(templates[region]!.toJSON().Resources) as Resources[]).filter(({ Properties }: Resources) => Properties?.PasswordSecret);
    expect(accounts).toHaveLength(1);
    return flat(accounts[0]!['Properties'].PasswordSecret);
  });
  expect(sources[0]).toMatch(/^<Password\w+>$/);
  expect(sources[1]).toBe('arn:aws:secretsmanager:eu-west-1:111122223333:secret:partners/passwords/acme');
  for (const region of [main, standby]) expect(shippedSettings(templates[region]!)['identity']).toMatchObject([{ prefix: 'partners/accounts/' }]);
});
