import { App, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket, BucketEncryption, ReplicationTimeValue } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DnsRouting, FtpsAccount, FtpsService, S3Storage, SecretAccounts } from 'cdk-ftps';

// Roles have no region: the one that replicates gets a name of its own in each.
const app = new App({ context: { '@aws-cdk/aws-s3:setUniqueReplicationRoleName': true } });
const account = '111122223333';
const [main, standby] = ['eu-central-1', 'eu-west-1'];
// A bucket has to be there before another one replicates to it: the first deployment is made with `-c first=true`, the second one without.
const first = app.node.tryGetContext('first') !== undefined;

const primary = partners(main, standby, DnsRouting.primary());
const secondary = partners(standby, main, DnsRouting.secondary());
secondary.addStackDependency(primary);

function partners(here: string, there: string, dnsRouting: DnsRouting): Stack {
  const stack = new Stack(app, `Partners-${here}`, { env: { region: here, account } });
  const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
  // The company's multi-Region key: one id, and a key of its own in each region.
  const keyOf = (region: string) => Key.fromKeyArn(stack, `Key-${region}`, `arn:aws:kms:${region}:${account}:key/mrk-1234abcd12ab34cd56ef1234567890ab`);
  const [encryptionKey, otherKey] = [keyOf(here), keyOf(there)];
  const bucketName = (region: string) => `company-partners-${account}-${region}`;
  const replicationRule = {
    destination: Bucket.fromBucketName(stack, 'Replica', bucketName(there)),
    kmsKey: otherKey,
    sseKmsEncryptedObjects: true,
    deleteMarkerReplication: true,
    replicationTimeControl: ReplicationTimeValue.FIFTEEN_MINUTES,
    metrics: ReplicationTimeValue.FIFTEEN_MINUTES,
  };
  const bucket = new Bucket(stack, 'Files', {
    bucketName: bucketName(here),
    versioned: true,
    enforceSSL: true,
    encryption: BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true,
    replicationRules: first ? [] : [replicationRule],
  });
  const accounts = new SecretAccounts(stack, 'Accounts', { prefix: 'partners/accounts/', encryptionKey });
  const secretName = 'partners/passwords/acme';
  const password =
    here === main
      ? new Secret(stack, 'Password', { secretName, encryptionKey, replicaRegions: [{ region: there, encryptionKey: otherKey }] })
      : Secret.fromSecretAttributes(stack, 'Password', {
          secretPartialArn: `arn:aws:secretsmanager:${here}:${account}:secret:${secretName}`,
          encryptionKey,
        });
  new FtpsAccount(stack, 'acme', { accounts, password });

  new FtpsService(stack, 'Ftps', {
    domainName: 'ftps.example.com',
    hostedZone,
    clientCidrs: ['203.0.113.0/24'],
    storage: S3Storage.fromBucket(stack, 'Storage', bucket, { encryptionKey }),
    accounts,
    encryptionKey,
    dnsRouting,
  });
  return stack;
}
