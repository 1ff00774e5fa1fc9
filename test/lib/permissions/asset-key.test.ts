/** Where the bucket of the CDK's bootstrap has a key of a company's, whoever reads an asset when it begins may decrypt it, and nothing else by that key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { ClientTrust, FtpsService } from '../../../lib';
import { ACCOUNT, Deployment, REGION } from './deployment';
import { ask, roleOf } from './evaluate';
import { arn, via } from './table/step';

const KEY = arn('kms', 'key/0123abcd-of-the-company');
const BUCKET = `arn:aws:s3:::cdk-hnb659fds-assets-${ACCOUNT}-${REGION}`;

function deployed(context: Record<string, string>): { deployment: Deployment; text: string } {
  const app = new App({ context: { 'aws:cdk:enable-path-metadata': true, ...context } });
  const stack = new Stack(app, 'Wide', { env: { account: ACCOUNT, region: REGION } });
  const folder = mkdtempSync(join(tmpdir(), 'ftps-assets-'));
  writeFileSync(join(folder, 'authorities.pem'), '');
  new FtpsService(stack, 'Ftps', {
    domainName: 'ftps.example.com',
    hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' }),
    clientCidrs: ['203.0.113.0/24'],
    server: { as2: { as2Id: 'EXAMPLE', agreements: [{ account: 'acme', partner: { as2Id: 'Acme' }, requireSigned: false }] } },
    clientTrust: new ClientTrust(stack, 'Trust', { bundleFile: join(folder, 'authorities.pem') }),
  });
  rmSync(folder, { recursive: true });
  const deployment = new Deployment(app);
  return { deployment, text: JSON.stringify(app.synth().getStackByName('Wide').template) };
}

describe('with the key in the context', () => {
  const { deployment } = deployed({ 'cdk-ftps:assetKeyArn': KEY });
  for (const key of [KEY, arn('kms', 'key/another')]) deployment.addKey(key);
  const of = (one: string) => ({ 'kms:EncryptionContext:aws:s3:arn': one });
  const may = async (role: string, context: Record<string, string | string[]>, key = KEY) =>
    (await ask(deployment, roleOf(deployment, role), 'kms:Decrypt', key, context)).allowed;

  it.each(['Fleet/Role', 'Image/BuildRole', 'Trust/Refresh/Role'])('%s decrypts its own asset through S3, and nothing else', async (role) => {
    const objects = deployment.identityPolicies(roleOf(deployment, role).id).flatMap(({ policy }) => policy.Statement.flatMap(({ Resource }) => Resource));
    const own = objects.map(String).find((one) => one.startsWith(`${BUCKET}/`))!;
    expect(await may(role, { ...via('s3'), ...of(own) })).toBe(true);
    expect(await may(role, { ...via('s3'), ...of(BUCKET) })).toBe(true);
    expect(await may(role, { ...via('s3'), ...of(`${BUCKET}/another.zip`) })).toBe(false);
    expect(await may(role, { ...via('secretsmanager'), ...of(own) })).toBe(false);
    expect(await may(role, of(own))).toBe(false);
    expect(await may(role, { ...via('s3'), ...of(own) }, arn('kms', 'key/another'))).toBe(false);
  });
});

it('without it nothing is said of such a key', () => expect(deployed({}).text).not.toContain('EncryptionContext:aws:s3'));

it('what is no ARN of a key is refused', () => {
  for (const wrong of ['alias/company', arn('kms', 'alias/company')])
    expect(() => deployed({ 'cdk-ftps:assetKeyArn': wrong })).toThrow(/cdk-ftps:assetKeyArn: .* is no ARN of a key; write it in cdk\.json as arn:aws:kms:/);
});
