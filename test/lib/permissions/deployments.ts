/** Deployments whose permissions are looked at: production as it stands in bin/environments, and one that has every part which production has not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { pipeline } from '../../../bin/environments/pipeline';
import { prod } from '../../../bin/environments/prod';
import {
  AuditLog,
  ClientTrust,
  DirectoryAccounts,
  ElasticAddresses,
  FileStorage,
  FtpsAccount,
  FtpsAccounts,
  FtpsLoadBalancer,
  FtpsPipeline,
  FtpsService,
  FtpsStage,
  FtpsStageParts,
  S3Storage,
  SecretAccounts,
  SecurityLakeDelivery,
  ServerCertificate,
  type TokenIssuer,
  type UploadWebhook,
} from '../../../lib';
import { ACCOUNT, Deployment, REGION } from './deployment';

export const WEBHOOK_SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:webhook-a1B2c3`;
export const CLIENT_SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:client-a1B2c3`;

const env = { account: ACCOUNT, region: REGION };
/** Templates name the construct of each resource, as `cdk synth` has it. */
const makeApp = () => new App({ context: { 'aws:cdk:enable-path-metadata': true } });

/** Production as it stands, with a webhook, whose secret has a key of its own. */
class WithWebhook extends FtpsStageParts {
  public override webhooks(stack: Stack): UploadWebhook[] {
    const secret = Secret.fromSecretAttributes(stack, 'Webhook', { secretCompleteArn: WEBHOOK_SECRET, encryptionKey: new Key(stack, 'WebhookKey') });
    return [{ name: 'erp', url: 'https://erp.example.com/uploads', signingSecrets: [secret] }];
  }
}

export function production(): Deployment {
  const app = makeApp();
  new FtpsStage(app, 'prod', { settings: { ...prod, env }, parts: new WithWebhook() }).service.onUploadReleased('Uploads');
  return new Deployment(app);
}

/** At which people sign in, with a secret. */
const issuer = (stack: Stack): TokenIssuer => ({
  issuer: 'https://login.example.com',
  rules: [{ claims: [{ name: 'roles', value: 'files' }], user: '{sub}' }],
  signIn: { name: 'Example', clientId: 'files', clientSecret: Secret.fromSecretCompleteArn(stack, 'Client', CLIENT_SECRET) },
});

/** Files in S3, SFTP, HTTPS with an issuer, AS2, a load balancer, a private authority in short-lived mode, client certificates, a directory, Security Lake, CloudTrail, and people who look after them. */
export function everythingElse(keyOf: (scope: Stack) => IKey | undefined = () => undefined): Deployment {
  const app = makeApp();
  const stack = new Stack(app, 'Wide', { env });
  const encryptionKey = keyOf(stack);
  const folder = mkdtempSync(join(tmpdir(), 'ftps-permissions-'));
  const bundleFile = join(folder, 'authorities.pem');
  writeFileSync(bundleFile, '');
  const person = (name: string) => new Role(stack, name, { assumedBy: new AccountPrincipal(ACCOUNT) });
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, restrictDefaultSecurityGroup: false, availabilityZones: [`${REGION}a`, `${REGION}b`] });
  const storage = new S3Storage(stack, 'Files', { encryptionKey });
  const accounts = new SecretAccounts(stack, 'Accounts', { encryptionKey });
  const auditLog = new AuditLog(stack, 'Logs', { dataEvents: true, encryptionKey });
  auditLog.addDataEvents(storage.bucket);
  new SecurityLakeDelivery(stack, 'Lake', {
    encryptionKey,
    auditLog,
    lakeBucket: Bucket.fromBucketName(stack, 'LakeBucket', 'aws-security-data-lake-eu-central-1-example'),
  });
  const service = new FtpsService(stack, 'Ftps', {
    domainName: 'ftps.example.com',
    hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' }),
    clientCidrs: ['203.0.113.0/24'],
    vpc,
    vpcSubnets: { subnetType: SubnetType.PUBLIC },
    storage,
    auditLog,
    flowLogs: true,
    encryptionKey,
    warmInstances: 1,
    maxInstances: 3,
    image: { shareWithAccounts: ['444455556666'] },
    server: {
      sftp: {},
      https: { issuers: [issuer(stack)] },
      as2: { as2Id: 'EXAMPLE', agreements: [{ account: 'acme', partner: { as2Id: 'Acme' }, requireSigned: false }] },
    },
    endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 4 }),
    certificate: ServerCertificate.privateCa(stack, 'Certificate', { domainName: 'ftps.example.com', shortLived: true, encryptionKey }),
    clientTrust: new ClientTrust(stack, 'Trust', { bundleFile, revocationLists: ['http://crl.example.com/root.crl'], encryptionKey }),
    accounts: FtpsAccounts.inOrder(
      stack,
      'Places',
      accounts,
      new DirectoryAccounts(stack, 'Directory', {
        servers: ['ldaps://ldap.example.com'],
        serverCidrs: ['10.0.0.0/24'],
        serviceAccount: 'cn=ftps,dc=example,dc=com',
        servicePassword: Secret.fromSecretCompleteArn(stack, 'Password', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:directory-a1B2c3`),
        userBase: 'dc=example,dc=com',
        rules: [{}],
      }),
    ),
  });
  new ElasticAddresses(stack, 'Taken', { allocationIds: ['eipalloc-0123456789abcdef0'] });
  new FtpsAccount(stack, 'acme', {
    accounts,
    password: Secret.fromSecretCompleteArn(stack, 'AcmePassword', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:acme-password-a1B2c3`),
  });
  service.sessionLog.grantStart(person('Operator'));
  accounts.grantManage(person('AccountKeeper'));
  auditLog.archive!.grantQuery(person('Analyst'));
  const scannedByInstances = new S3Storage(stack, 'Plain', { malwareProtection: false, encryptionKey });
  scannedByInstances.grantReadWrite(person('PlainFleet'));
  if (encryptionKey) FileStorage.efs(stack, 'Shares', { vpc, encryptionKey });
  const deployment = new Deployment(app);
  rmSync(folder, { recursive: true });
  return deployment;
}

export function promotion(): Deployment {
  const app = makeApp();
  new FtpsPipeline(app, 'ftps-pipeline', { ...pipeline, probe: { ...pipeline.probe, accounts: { staging: 'probe/staging' } } });
  return new Deployment(app);
}
