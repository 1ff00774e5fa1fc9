/** Accounts that are said in code: what is deployed for them, and what is refused before. */
import { App, Duration, RemovalPolicy, Size, Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CertificateDemand, FilePermission, FtpsAccount, type FtpsAccountProps, FtpsService, SecretAccounts, SshLogin, TlsPolicy } from '../../../lib';
import { acknowledgeHouseRules } from '../../../lib/compliance/house-rules';
import { checkCertificate } from '../../../server/identity/password-account';
import { accountIn } from '../../../server/identity/secret-accounts';
import { env, flat, nagFindings, type Resources, testStack } from '../support';

/** As `ssh-keygen -t ed25519` writes it. */
const KEY = `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), Buffer.alloc(32, 7)]).toString('base64')} acme`;

function accountStack(make: (accounts: SecretAccounts, password: Secret, stack: Stack) => void): Template {
  const stack = new Stack(new App(), 'Test', { env });
  make(new SecretAccounts(stack, 'Accounts', { prefix: 'partners/' }), new Secret(stack, 'Password'), stack);
  return Template.fromStack(stack);
}

const accountOf = (template: Template) => Object.values(template.findResources('Custom::FtpsAccount') as Resources)[0]!.Properties as Resources;
const withAccount = (props: Partial<FtpsAccountProps>) =>
  accountStack((accounts, password, stack) => new FtpsAccount(stack, 'acme', { accounts, password, ...props }));

describe('an account', () => {
  const template = accountStack((accounts, password, stack) => {
    const account = new FtpsAccount(stack, 'Acme', {
      accounts,
      userName: 'acme',
      password,
      home: '/partners/acme',
      permissions: [FilePermission.WRITE, FilePermission.LIST],
      allowedNetworks: ['203.0.113.0/24'],
      certificates: [{ subjectAltName: 'email:ops@acme.example' }],
      publicKeys: [KEY],
      bandwidth: { upload: Size.mebibytes(5) },
      quota: { size: Size.gibibytes(10), files: 1000 },
      retention: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Tags.of(account).add('team', 'files');
    new FtpsAccount(stack, 'globex', { accounts, password });
  });

  it('is handed to the Lambda in the form that the server reads', () => {
    const { User, Rules, Retain, Tags: tags, Fips } = accountOf(template);
    expect({ User, Retain, tags, Fips }).toEqual({ User: 'acme', Retain: 'true', tags: [{ Key: 'team', Value: 'files' }], Fips: 'false' });
    expect(accountIn(JSON.parse(Rules), 'acme', 'partners/acme')).toMatchObject({
      home: '/partners/acme',
      permissions: ['write', 'list'],
      allowedNetworks: ['203.0.113.0/24'],
      clientCertificate: 'required',
      certificates: [{ kind: 'san', value: 'email:ops@acme.example' }],
      publicKeys: [KEY],
      bandwidth: { uploadBytesPerSecond: 5 * 1024 * 1024 },
      quota: { bytes: 10 * 1024 ** 3, files: 1000 },
      retentionDays: 30,
      enabled: true,
    });
  });

  it('has its password by reference alone', () => {
    expect(accountOf(template)['PasswordSecret']).toEqual({ Ref: expect.stringMatching(/^Password/) });
    expect(JSON.stringify(template.toJSON())).not.toMatch(/resolve:secretsmanager|\$scrypt\$/);
  });

  it('shares its Lambda with the others of the stack, and is made after the permissions of that', () => {
    template.resourceCountIs('AWS::Lambda::Function', 1);
    const [account] = Object.values(template.findResources('Custom::FtpsAccount') as Resources);
    expect(account.DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^AccountsWriterLambdaRoleDefaultPolicy/)]));
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(15 minutes)' });
  });

  it('keeps its Lambda to secrets of the prefix that it made itself, and to the passwords given', () => {
    const statements = Object.values(template.findResources('AWS::IAM::Policy') as Resources).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement as Resources[],
    );
    const changes = statements.filter(({ Action }) => [Action].flat().some((one) => /Secret/.test(one) && !/Describe|List/.test(one)));
    expect(changes.map(({ Resource, Condition }) => [flat(Resource), Object.keys(Condition ?? {})])).toEqual([
      [expect.stringMatching(/:secret:partners\/\*$/), ['Null']],
      [expect.stringMatching(/:secret:partners\/\*$/), ['Null']],
      [expect.stringMatching(/^<Password/), []],
    ]);
  });
});

it('logs in with a certificate alone where there is no password', () => {
  const { Rules, PasswordSecret } = accountOf(withAccount({ password: undefined, certificates: [{ fingerprint: 'ab'.repeat(32) }] }));
  expect(PasswordSecret).toBeUndefined();
  expect(JSON.parse(Rules)).toEqual({
    home: '/acme',
    clientCertificate: 'instead-of-password',
    certificates: [{ kind: 'fingerprint', sha256: 'ab'.repeat(32) }],
  });
});

it('logs in over SSH with certificates of an authority alone, and says which', () => {
  const rules = (props: Partial<FtpsAccountProps>) => JSON.parse(accountOf(withAccount({ password: undefined, ...props })).Rules);
  const sshCertificates = { principals: ['deploy'], authorities: [KEY] };
  const said = rules({ sshCertificates, sshLogin: SshLogin.KEY });
  expect(said).toEqual({ home: '/acme', sshCertificates, sshLogin: 'key' });
  expect(accountIn(said, 'acme', 'partners/acme')).toMatchObject({ sshCertificates, sshLogin: 'key' });
  expect(rules({ sshCertificates: {} })).toEqual({ home: '/acme', sshCertificates: {} });
});

it('lets nobody in where it only stands for a partner of AS2', () => {
  const said = JSON.parse(accountOf(withAccount({ password: undefined, logsIn: false })).Rules);
  const account = accountIn(said, 'acme', 'partners/acme')!;
  expect(account).toMatchObject({
    home: '/acme',
    enabled: true,
    clientCertificate: 'instead-of-password',
    certificates: [],
    sshCertificates: { principals: [] },
  });
  const certificate = { sha256: 'ab'.repeat(32), commonName: 'acme', subjectAltNames: ['DNS:acme'] } as never;
  expect(checkCertificate(account, certificate, 'here')).toMatchObject({ kind: 'refused' });
  expect(() => withAccount({ logsIn: false })).toThrow('password: is a way in, or says which, and logsIn is false; leave one of them out');
  expect(() => withAccount({ password: undefined, publicKeys: [KEY], logsIn: false })).toThrow('publicKeys: is a way in');
});

it('takes no Ed25519 authority where the servers keep to FIPS', () => {
  const made = (fips: boolean) =>
    accountStack((accounts, _, stack) => {
      accounts._serve({ fips, adopt: () => {} });
      new FtpsAccount(stack, 'acme', { accounts, sshCertificates: { authorities: [KEY] } });
    });
  expect(() => made(true)).toThrow(/sshCertificates\.authorities\[0\]: is an Ed25519 key, which TlsPolicy\.FIPS does not take/);
  expect(() => made(false)).not.toThrow();
});

it.each<[Partial<FtpsAccountProps>, string]>([
  [{ userName: 'ac me' }, 'userName: "ac me" can\'t be the name of an account in Secrets Manager; use up to 128 letters'],
  [{ userName: 'a/b' }, 'userName: "a/b" can\'t be the name'],
  [{ home: 'acme' }, 'home: "acme": expected a path that starts with /'],
  [{ home: '/partners/../other' }, 'home: "/partners/../other": expected a path without `.` and `..`'],
  [{ allowedNetworks: ['203.0.113.0/33'] }, 'allowedNetworks[0]: "203.0.113.0/33" is not a network; write it as 203.0.113.0/24'],
  [{ permissions: ['everything' as FilePermission] }, 'permissions[0]: "everything" is not a choice; expected "read" or "write"'],
  [{ publicKeys: ['ssh-ed25519 AAAA'] }, 'publicKeys[0]: "ssh-ed25519 AAAA": expected a line as `ssh-keygen` writes it'],
  [{ publicKeys: ['-----BEGIN OPENSSH PRIVATE KEY-----'] }, 'publicKeys[0]: (a private key): expected a line'],
  [{ bandwidth: { upload: Size.bytes(1) } }, 'bandwidth.upload: 1: expected 4096 bytes per second or more'],
  [{ quota: { files: 0.5 } }, 'quota.files: 0.5'],
  [{ certificates: [{}] }, 'certificates[0]: is named by exactly one'],
  [{ clientCertificate: CertificateDemand.REQUIRED }, 'certificates: is empty'],
  [{ clientCertificate: CertificateDemand.INSTEAD_OF_PASSWORD, certificates: [{ commonName: 'acme' }] }, 'password: is never asked for'],
  [{ password: undefined }, 'password: is missing'],
  [{ password: undefined, sshCertificates: { principals: [] } }, 'password: is missing'],
  [{ password: undefined, sshCertificates: { authorities: [] } }, 'password: is missing'],
  [{ sshLogin: SshLogin.KEY }, 'publicKeys: is empty, and sshLogin is "key"'],
  [{ sshCertificates: { authorities: ['ssh-ed25519 AAAA'] } }, 'sshCertificates.authorities[0]: "ssh-ed25519 AAAA": expected a line as `ssh-keygen` writes it'],
  [{ sshCertificates: { principals: [''] } }, 'sshCertificates.principals[0]'],
  [{ sshCertificates: { principal: ['deploy'] } as never }, 'sshCertificates.principal: is unknown to SshCertificates; did you mean principals?'],
  [{ homes: '/x' } as never, 'homes: is unknown to FtpsAccountProps; did you mean home?'],
])('%j stops synthesis and is named', (props, words) => {
  expect(() => withAccount(props)).toThrow(words);
});

it('never quotes what may be a private key', () => {
  expect(() => withAccount({ publicKeys: ['-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXk'] })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('b3BlbnNzaC1rZXk') }),
  );
});

it('is refused twice under one name', () => {
  expect(() =>
    accountStack((accounts, password, stack) => {
      new FtpsAccount(stack, 'One', { accounts, password, userName: 'acme' });
      new FtpsAccount(stack, 'Two', { accounts, password, userName: 'acme' });
    }),
  ).toThrow('"acme" is there twice below partners/');
});

it('is hashed as the servers of its service can check it, and its failures tell the same people, in whatever order they are said', () => {
  const { stack, hostedZone } = testStack();
  const accounts = new SecretAccounts(stack, 'Accounts');
  const password = new Secret(stack, 'Password');
  new FtpsAccount(stack, 'early', { accounts, password });
  const service = { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], accounts, server: { tlsPolicy: TlsPolicy.FIPS } };
  new FtpsService(stack, 'Ftps', service);
  const other = new Stack(stack.node.root as App, 'Partners', { env });
  new FtpsAccount(other, 'late', { accounts, password: Secret.fromSecretNameV2(other, 'Given', 'late/password') });
  const template = Template.fromStack(stack);
  expect(accountOf(template)['Fips']).toBe('true');
  const failed = Object.values(template.findResources('AWS::CloudWatch::Alarm') as Resources).find(({ Properties }) =>
    /accounts that are said/.test(Properties.AlarmDescription),
  );
  expect(failed.Properties.AlarmActions).toHaveLength(1);
  // In a stack of its own it has a Lambda of its own, which reads the passwords of that stack alone.
  const apart = Template.fromStack(other);
  apart.resourceCountIs('AWS::Lambda::Function', 1);
  expect(accountOf(apart)['Fips']).toBe('true');
});

it('passes AWS Solutions, HIPAA, NIST 800-53 and PCI DSS', () => {
  const findings = nagFindings((stack) => {
    acknowledgeHouseRules(stack);
    const accounts = new SecretAccounts(stack, 'Accounts', { prefix: 'partners/' });
    const password = Secret.fromSecretCompleteArn(stack, 'Password', 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:acme-a1B2c3');
    new FtpsAccount(stack, 'acme', { accounts, password });
  });
  expect(findings.filter((finding) => !finding.includes('CloudWatchAlarmAction'))).toEqual([]);
});
