/**
 * The controls of an FTPS service, what the kit claims of each, and what an auditor calls them: requirements of PCI DSS 4.0, and
 * paragraphs of the HIPAA Security Rule (45 CFR part 164).
 */
import { openingsOf } from '../../lib/protocols/all';
import { alarm, type Claim, resource, setting, shown, step, test } from './claim';
import { flat, type Resource, type Subject } from './subject';

export interface Control {
  readonly id: string;
  readonly title: string;
  readonly pci?: readonly string[];
  readonly hipaa?: readonly string[];
  readonly claims?: readonly Claim[];
  /** Why the kit does not claim it, and whose it is. */
  readonly notCovered?: string;
}

const defects = 'test/server/ftps/control/defects.test.ts';
const rotation = 'test/lib/certificate/rotation.test.ts';

export const controls: readonly Control[] = [
  {
    id: 'tls',
    title: 'No login and no file crosses the network in clear text',
    pci: ['4.2.1', '2.2.7', '8.3.2'],
    hipaa: ['164.312(e)(1)', '164.312(e)(2)(ii)'],
    claims: [
      setting('TLS 1.2 and 1.3 only, by policy', ({ tls }) => ['modern', 'fips'].includes(tls.policy)),
      setting('AS2, where it is on, has no port without TLS', ({ as2 }) => as2?.plainPort === undefined),
      setting('data connections are tied to the TLS session of their control connection', ({ tls }) => tls.dataTlsReuse !== 'off'),
      test(defects, 'refuses a login before any account is looked up'),
      test(defects, 'drops a connection with bytes pipelined behind AUTH'),
      test(defects, 'transfers nothing before PROT P'),
      test(defects, 'give nothing to the session of another account at the same address'),
    ],
  },
  {
    id: 'ciphers',
    title: 'Strong ciphers only, the strongest first',
    pci: ['4.2.1', '2.2.7', '12.3.3'],
    hipaa: ['164.312(e)(2)(ii)'],
    claims: [test(defects, 'prefers AES-256-GCM whatever the client prefers'), test(defects, 'does not renegotiate')],
  },
  {
    id: 'ports',
    title: 'Open are the ports of the protocols that are served, to the networks of partners, and nothing else',
    pci: ['1.2.5', '1.3.1', '1.4.2'],
    hipaa: ['164.312(e)(1)', '164.312(a)(1)'],
    claims: [
      shown('the security group lets in exactly the ports of the server’s settings', doorMatches),
      resource('the default security group is closed', 'Custom::VpcRestrictDefaultSG', () => true),
      test('test/lib/ftps-service.test.ts', 'are open exactly as configured'),
      test(defects, 'refuse a client that did not ask for one'),
      alarm('RefusedPorts'),
      alarm('RefusedConnections'),
    ],
  },
  {
    id: 'patching',
    title: 'Patched on a schedule, and told when a patch is missing',
    pci: ['6.3.1', '6.3.3'],
    hipaa: ['164.308(a)(1)(ii)(B)'],
    claims: [
      resource(
        'an image with all patches is built on a schedule',
        'AWS::ImageBuilder::ImagePipeline',
        ({ Status, Schedule }) => Status === 'ENABLED' && Boolean(Schedule?.ScheduleExpression),
      ),
      step('packages/build/Patch', /dnf -y upgrade .*--releasever=latest/),
      alarm('TriggeredRules', { says: /could not be built/ }),
      alarm('TriggeredRules', { says: /vulnerability/ }),
    ],
  },
  {
    id: 'hardening',
    title: 'Instances run what they need and nothing else',
    pci: ['2.2.1', '2.2.4', '2.2.6'],
    hipaa: ['164.312(a)(1)'],
    claims: [
      resource('AWS’s STIG hardening is part of the image', 'AWS::ImageBuilder::ImageRecipe', ({ Components = [] }) =>
        JSON.stringify(Components).includes('stig-build-linux'),
      ),
      step('packages/build/Install', /dnf -y install/),
      step('packages/build/Curl', /curl/),
      step('packages/validate/Versions', /rpm -q/),
      step('server/build/Folder', /install -d/),
      step('server/build/Download', /S3Download/),
      step('server/build/Unpack', /zipfile/),
      step('server/build/Verify', /sha256sum --check --strict/),
      step('server/build/InstallServer', /install\.sh/),
      step('server/test/Speak', /self-test\.sh/),
      step('hardening/build/NoSsh', /remove openssh-server/),
      step('hardening/build/NoNeedlessServices', /mask/),
      step('hardening/build/MountOptions', /noexec/),
      step('hardening/build/CryptoPolicy', /NO-SHA1/),
      step('hardening/validate/Checks', /check\.sh/),
      step('hardening/test/BootedChecks', /check\.sh/),
      resource(
        'no key pair, IMDSv2 only',
        'AWS::EC2::LaunchTemplate',
        ({ LaunchTemplateData: data }) => data.KeyName === undefined && data.MetadataOptions?.HttpTokens === 'required',
        {
          every: true,
        },
      ),
    ],
  },
  {
    id: 'certificates',
    title: 'Certificates and keys rotate by themselves, and a bad one is never served',
    pci: ['4.2.1.1', '3.6.1', '3.7.4'],
    hipaa: ['164.312(e)(2)(ii)'],
    claims: [
      resource('ACM renews the certificate', 'AWS::CertificateManager::Certificate', ({ CertificateExport }) => CertificateExport === 'ENABLED', {
        every: true,
      }),
      resource('ACM’s events start the rotation', 'AWS::Events::Rule', ({ EventPattern }) => EventPattern?.source?.includes('aws.acm') ?? false),
      resource('and so does every day', 'AWS::Events::Rule', ({ ScheduleExpression }) => ScheduleExpression === 'rate(1 day)'),
      resource('nobody but the rotation writes the key', 'AWS::SecretsManager::ResourcePolicy', ({ ResourcePolicy }) =>
        ResourcePolicy.Statement.some(
          ({ Effect, Action }: { Effect: string; Action: string[] }) => Effect === 'Deny' && Action.includes('secretsmanager:PutSecretValue'),
        ),
      ),
      test(rotation, ''),
      alarm('Errors', { says: /rotation of the certificate failed/ }),
      ...['revoked', 'refused', 'source', 'store'].map((reason) => alarm('CertificateRotationFailures', { reason })),
      ...[30, 14, 7, 1].map((threshold) => alarm('CertificateDaysLeft', { threshold })),
      ...[30, 14, 7, 1].map((threshold) => alarm('ServedCertificateDaysLeft', { threshold })),
      alarm('CertificatesRefused'),
      shown('host keys of SFTP, where it is on, are in a secret that nobody but their Lambda writes, and somebody is told when they fail', hostKeysAreKept),
      shown('keys of AS2, where it is on, are in a secret, and somebody is told before they change and when they fail', as2KeysAreKept),
    ],
  },
  {
    id: 'antivirus',
    title: 'Every upload is scanned before anybody can read it',
    pci: ['5.2.1', '5.2.2', '5.3.2'],
    hipaa: ['164.308(a)(5)(ii)(B)'],
    claims: [
      setting('uploads are scanned, and refused where they can’t be', ({ antivirus }) => antivirus.kind === 'clamd' && antivirus.whenUnavailable === 'refuse'),
      step('packages/build/OwnScanner', /mask/),
      step('server/build/Scanner', /ftps-signatures\.timer/),
      step('server/build/Signatures', /ftps-signatures\.service/),
      test('test/server/files/antivirus/uploads.test.ts', ''),
      alarm('Malware'),
      alarm('ScannerDown'),
    ],
  },
  {
    id: 'authentication',
    title: 'Wrong logins are slowed down, locked out and told; idle sessions end',
    pci: ['8.2.8', '8.3.1', '8.3.4'],
    hipaa: ['164.312(d)', '164.312(a)(2)(iii)'],
    claims: [
      setting('a session without a command ends within fifteen minutes', ({ limits }) => limits.idleSeconds <= 900),
      setting('and so does a sign-in over HTTPS, where it is on', ({ https }) => https === undefined || https.signInIdleSeconds <= 900),
      test(defects, 'answer an unknown user and a wrong password alike'),
      test('test/server/limits/limits.test.ts', ''),
      alarm('FailedLogins'),
      alarm('Lockouts'),
      alarm('UnavailableLogins'),
    ],
  },
  {
    id: 'least-privilege',
    title: 'Each role may do what it is for, on what it is for',
    pci: ['7.2.1', '7.2.2', '7.2.5'],
    hipaa: ['164.308(a)(4)(ii)(B)', '164.312(a)(1)'],
    claims: [
      resource(
        'no role may do everything',
        'AWS::IAM::Policy',
        ({ PolicyDocument }) => PolicyDocument.Statement.every(({ Action }: { Action: string | string[] }) => ![Action].flat().includes('*')),
        {
          every: true,
        },
      ),
      test('test/lib/ftps-service.test.ts', 'may read their own certificate, accounts, files and logs, and nothing more'),
      test(defects, 'has no way out by .. or by a link'),
      test(defects, 'gives a reader no right to write'),
    ],
  },
  {
    id: 'logging',
    title: 'Everything is logged, kept for a year where nobody can change it, and missed when it stops',
    pci: ['10.2.1', '10.2.2', '10.3.2', '10.3.3', '10.5.1', '10.7.2'],
    hipaa: ['164.312(b)', '164.312(c)(1)', '164.308(a)(1)(ii)(D)'],
    claims: [
      resource('log groups are kept for three months or longer', 'AWS::Logs::LogGroup', ({ RetentionInDays }) => RetentionInDays >= 90, { every: true }),
      resource(
        'the archive is locked for a year or longer',
        'AWS::S3::Bucket',
        ({ ObjectLockConfiguration: lock }) => (lock?.Rule?.DefaultRetention?.Days ?? 0) >= 365 && lock.Rule.DefaultRetention.Mode === 'COMPLIANCE',
      ),
      resource('every line goes to the archive', 'AWS::Logs::SubscriptionFilter', ({ FilterPattern }) => FilterPattern === ''),
      resource('the network logs what it lets through and what not', 'AWS::EC2::FlowLog', ({ TrafficType }) => TrafficType === 'ALL'),
      test('test/server/audit/audit.test.ts', ''),
      alarm('Heartbeats'),
      alarm('DeliveryToS3.DataFreshness'),
      alarm('FailedConversion.Records'),
    ],
  },
  {
    id: 'monitoring',
    title: 'Somebody is told of an attack and of what fails',
    pci: ['10.4.1.1', '11.5.1', '12.10.5'],
    hipaa: ['164.308(a)(6)(ii)', '164.308(a)(1)(ii)(D)'],
    claims: [
      resource('alarms have a topic', 'AWS::SNS::Topic', () => true),
      alarm('composite', { says: /attack/ }),
      alarm('HandshakeFailures'),
      alarm('TransferErrors'),
      alarm('PartsDown'),
      alarm('WorkersLost'),
    ],
  },
  {
    id: 'encryption-at-rest',
    title: 'Files, logs, keys and disks are encrypted',
    pci: ['3.5.1', '3.6.1'],
    hipaa: ['164.312(a)(2)(iv)'],
    claims: [
      resource('buckets', 'AWS::S3::Bucket', ({ BucketEncryption }) => BucketEncryption !== undefined, { every: true }),
      resource(
        'disks',
        'AWS::EC2::LaunchTemplate',
        ({ LaunchTemplateData: data }) => data.BlockDeviceMappings.every(({ Ebs }: { Ebs: { Encrypted: boolean } }) => Ebs.Encrypted),
        { every: true },
      ),
      shown('the storage of the files', ({ resources }) =>
        [...resources]
          .filter(([id, { Type, Properties }]) => (Type === 'AWS::EFS::FileSystem' && Properties.Encrypted === true) || isFileBucket(id, Type, Properties))
          .map(([id]) => id),
      ),
      resource('keys rotate', 'AWS::KMS::Key', ({ EnableKeyRotation }) => EnableKeyRotation === true, { every: true }),
    ],
  },
  {
    id: 'availability',
    title: 'The service outlives a zone, a deployment and a mistake',
    pci: ['12.10.1'],
    hipaa: ['164.308(a)(7)(ii)(A)', '164.308(a)(7)(ii)(C)'],
    claims: [
      resource('two instances or more', 'AWS::AutoScaling::AutoScalingGroup', ({ MinSize }) => Number(MinSize) >= 2),
      shown('both stacks are protected against deletion', ({ protectedStacks }) => (protectedStacks.length >= 2 ? protectedStacks : [])),
      resource('keys stay when their stack goes', 'AWS::KMS::Key', (_, { DeletionPolicy = 'Delete' }) => DeletionPolicy.startsWith('Retain'), { every: true }),
      alarm('DrainTimeouts'),
    ],
  },
  {
    id: 'penetration-tests',
    title: 'Penetration tests and scans by an approved vendor',
    pci: ['11.3.2', '11.4.1'],
    notCovered: 'By people, of the running service; `ftps doctor` prepares for it.',
  },
  { id: 'physical', title: 'Physical access', pci: ['9.1.1'], hipaa: ['164.310(a)(1)'], notCovered: 'AWS’s, see its reports in AWS Artifact.' },
  {
    id: 'agreements',
    title: 'Agreements, policies, training',
    pci: ['12.1.1'],
    hipaa: ['164.308(b)(1)', '164.308(a)(5)(i)'],
    notCovered: 'The operator’s; among them the business associate agreement with AWS.',
  },
  {
    id: 'account-reviews',
    title: 'Reviews of who has an account',
    pci: ['7.2.4'],
    hipaa: ['164.308(a)(4)(ii)(C)'],
    notCovered: 'By people; `ftps user list` prints who has one.',
  },
];

/** Inbound rules of the service's security group, against the listeners and the passive range that are shipped. */
function doorMatches({ resources, server }: Subject): string[] {
  const door = [...resources].find(
    ([, { Type, Properties }]) => Type === 'AWS::EC2::SecurityGroup' && /^FTPS: control ports/.test(Properties.GroupDescription),
  );
  if (!door) return [];
  const rules: { FromPort: number; ToPort: number; CidrIp?: string; CidrIpv6?: string }[] = door[1].Properties.SecurityGroupIngress ?? [];
  const open = [...new Set(rules.map(({ FromPort, ToPort }) => `${FromPort}-${ToPort}`))].sort();
  const meant = openingsOf(server)
    .map(({ low, high }) => `${low}-${high}`)
    .sort();
  const anybody = rules.some(({ CidrIp, CidrIpv6 }) => /\/0$/.test(CidrIp ?? CidrIpv6 ?? ''));
  return open.join() === meant.join() && !anybody ? [door[0]] : [];
}

/** The secret is there or somebody else's, and each of the alarms that watch it tells somebody. */
function hostKeysAreKept({ resources, server: { sftp } }: Subject): string[] {
  if (!sftp) return ['SFTP is off'];
  const made = [...resources].filter(([, { Type }]) => Type === 'Custom::FtpsHostKeys').map(([id]) => id);
  const alarms = [/^FTPS: An instance can not read the host keys of SFTP/, /^Failed: .*the host keys of SFTP can be read/].map((words) =>
    [...resources].find(
      ([, { Type, Properties }]) => Type === 'AWS::CloudWatch::Alarm' && words.test(Properties.AlarmDescription) && Properties.AlarmActions?.length > 0,
    ),
  );
  const inSecrets = sftp.hostKeys.every(({ kind }) => kind === 'secret');
  return inSecrets && made.length > 0 && alarms.every(Boolean) ? [...made, ...alarms.map((one) => one![0])] : [];
}

function as2KeysAreKept({ resources, server: { as2 } }: Subject): string[] {
  if (!as2) return ['AS2 is off'];
  const made = [...resources].filter(([, { Type }]) => Type === 'Custom::FtpsAs2Keys').map(([id]) => id);
  const alarms = [/^FTPS: An instance can not read the keys of AS2/, /^The (keys|certificate) of AS2 .* within/, /^Failed: .*the keys of AS2/].map((words) =>
    [...resources].find(
      ([, { Type, Properties }]) => Type === 'AWS::CloudWatch::Alarm' && words.test(flat(Properties.AlarmDescription)) && Properties.AlarmActions?.length > 0,
    ),
  );
  const { signing, decryption } = as2.identity;
  const inSecrets = [signing, ...decryption].every(({ kind }) => kind === 'secret');
  return inSecrets && made.length > 0 && alarms.every(Boolean) ? [...made, ...alarms.map((one) => one![0])] : [];
}

/** A bucket of files is encrypted by a key of its own. */
function isFileBucket(id: string, type: string, { BucketEncryption }: Resource['Properties'] = {}): boolean {
  return type === 'AWS::S3::Bucket' && /\/Files/.test(id) && JSON.stringify(BucketEncryption ?? '').includes('aws:kms');
}
