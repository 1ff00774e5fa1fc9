import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  CertificateDemand,
  DirectoryAccounts,
  type DirectoryAccountsProps,
  DirectoryFlavour,
  FilePermission,
  FtpsAccounts,
  FtpsService,
  SecretAccounts,
  SharedLockouts,
  SshLogin,
} from '../../../lib';
import { checkServerConfig } from '../../../server/config';
import { env, flat, nagFindings, type Resources, serviceTemplate, shippedSettings, testStack } from '../support';

const directory: DirectoryAccountsProps = {
  flavour: DirectoryFlavour.ACTIVE_DIRECTORY,
  servers: ['ldaps://dc1.corp.example.com', 'ldap://dc2.corp.example.com:3389'],
  serverCidrs: ['10.1.0.0/24'],
  serviceAccount: 'CN=ftps,OU=Services,DC=corp,DC=example,DC=com',
  realms: ['CORP'],
  userBase: 'DC=corp,DC=example,DC=com',
  rules: [
    {
      group: 'CN=Partners,OU=Groups,DC=corp,DC=example,DC=com',
      home: '/partners/{user}',
      permissions: [FilePermission.READ, FilePermission.LIST],
      allowedNetworks: ['198.51.100.0/24'],
      clientCertificate: CertificateDemand.REQUIRED,
      certificates: [{ subjectAltName: 'email:{mail}' }, { attribute: 'userCertificate' }],
    },
  ],
};

/** A key as `ssh-keygen -t ed25519` writes it. */
const AUTHORITY = `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), Buffer.alloc(32, 7)]).toString('base64')} ca`;
/** Users bind at once, and nobody else looks them up. */
const bound = { bindName: '{user}@corp.example.com', serviceAccount: undefined, servicePassword: undefined };

/** A service in a stack of its own with the accounts that are made for it. */
function serviceWith(make: (stack: Stack) => FtpsAccounts): Template {
  const { stack, hostedZone } = testStack();
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], accounts: make(stack) });
  return Template.fromStack(stack);
}

function withDirectory(more: Partial<DirectoryAccountsProps> = {}) {
  return (stack: Stack) => new DirectoryAccounts(stack, 'Directory', { ...directory, servicePassword: new Secret(stack, 'ServicePassword'), ...more });
}

const statements = (template: Template) =>
  Object.values(template.findResources('AWS::IAM::Policy') as Resources).flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Resources[]);

describe('accounts in a directory', () => {
  it('ship settings that the server takes, with the password by reference only', () => {
    const settings = shippedSettings(serviceWith(withDirectory()));
    const { identity } = checkServerConfig(settings);
    expect(identity).toMatchObject([
      {
        kind: 'directory',
        flavour: 'active-directory',
        servers: directory.servers,
        bind: { kind: 'service', dn: directory.serviceAccount, passwordSecretId: expect.stringContaining('ServicePassword') },
        realms: ['CORP'],
        rules: [{ account: { home: '/partners/{user}', permissions: ['read', 'list'], clientCertificate: 'required' } }],
      },
    ]);
  });

  it('log in over SSH by the keys that the directory has, and by certificates, as a rule says', () => {
    const sshCertificates = { principals: ['partners'], authorities: [AUTHORITY] };
    const rules = [{ ...directory.rules[0]!, sshLogin: SshLogin.KEY, sshCertificates }, { sshLogin: SshLogin.KEY_AND_PASSWORD }];
    const { identity } = checkServerConfig(shippedSettings(serviceWith(withDirectory({ keyAttribute: 'altSecurityIdentities', rules }))));
    expect(identity).toMatchObject([
      {
        users: { base: directory.userBase, keyAttribute: 'altSecurityIdentities' },
        rules: [{ account: { sshLogin: 'key', sshCertificates } }, { account: { sshLogin: 'key-and-password' } }],
      },
    ]);
  });

  it('are reached on the ports of their servers and nowhere else', () => {
    const egress = Object.values(serviceWith(withDirectory()).findResources('AWS::EC2::SecurityGroup') as Resources)
      .flatMap(({ Properties }) => (Properties.SecurityGroupEgress ?? []) as Resources[])
      .filter(({ Description }) => Description === 'Directory')
      .map(({ CidrIp, FromPort, ToPort }) => `${CidrIp} ${FromPort}-${ToPort}`);
    expect(egress.sort()).toEqual(['10.1.0.0/24 3389-3389', '10.1.0.0/24 636-636']);
  });

  it('let the instances read the password of the service account and no other account', () => {
    const reads = statements(serviceWith(withDirectory())).filter(({ Action }) => JSON.stringify(Action).includes('secretsmanager:GetSecretValue'));
    expect(reads.every(({ Resource }) => !JSON.stringify(Resource).includes('*'))).toBe(true);
    expect(reads.some(({ Resource }) => flat(Resource).includes('ServicePassword'))).toBe(true);
  });

  it.each([
    [{ bindName: '{user}@corp.example.com' }, 'serviceAccount, bindName: give one of them'],
    [{ servicePassword: undefined }, 'servicePassword: is missing'],
    [{ serverCidrs: [] }, 'serverCidrs: is empty'],
    [{ servers: ['https://dc1'] }, '  accounts.servers[0]: '],
    [{ userFilter: '(uid=everybody)' }, '  accounts.userFilter: '],
    [{ rules: [{ attribute: 'department' }] }, 'rules[0]: attribute and attributeValue belong together'],
    [{ ...bound, keyAttribute: 'sshPublicKey' }, 'keyAttribute: needs serviceAccount instead of bindName'],
    [{ ...bound, rules: [{ sshLogin: SshLogin.KEY }] }, 'rules[0].sshLogin: "key" needs serviceAccount instead of bindName'],
    [{ keyAttribute: 'ssh key' }, '  accounts.keyAttribute: '],
    [{ rules: [{ sshCertificates: { authorities: ['ssh-ed25519 AAAA'] } }] }, '  accounts.rules[0].sshCertificates.authorities[0]: '],
    [{ keyAttributes: 'sshPublicKey' }, 'keyAttributes: is unknown to DirectoryAccountsProps; did you mean keyAttribute?'],
    [{ rules: [{ sshLogins: SshLogin.KEY }] }, 'rules[0].sshLogins: is unknown to DirectoryRule; did you mean sshLogin?'],
    [{ rules: [{ sshCertificates: { principal: [] } }] }, 'rules[0].sshCertificates.principal: is unknown to SshCertificates; did you mean principals?'],
    [{ rules: [{ certificates: [{}] }] }, 'rules[0].certificates: each is named by exactly one'],
    [{ rules: [{ clientCertificate: CertificateDemand.REQUIRED }] }, '  accounts.rules[0].certificates: is empty'],
  ] as const)('%j stops synthesis and is named', (more, words) => {
    expect(() => serviceWith(withDirectory(more as never))).toThrow(words);
  });
});

it('several places are asked in the order given', () => {
  const template = serviceWith((stack) =>
    FtpsAccounts.inOrder(
      stack,
      'Both',
      new SecretAccounts(stack, 'Emergency', { prefix: 'emergency/', cacheTtl: Duration.seconds(5) }),
      withDirectory()(stack),
    ),
  );
  expect(shippedSettings(template).identity).toMatchObject([{ kind: 'secrets', prefix: 'emergency/', cacheSeconds: 5 }, { kind: 'directory' }]);
});

describe('accounts in Secrets Manager', () => {
  it('can be looked after with ftps user by whoever is granted it', () => {
    const stack = new Stack(new App(), 'Test', { env });
    const accounts = new SecretAccounts(stack, 'Accounts', { prefix: 'partners/' });
    accounts.grantManage(new Role(stack, 'Operator', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
    const [write] = statements(Template.fromStack(stack)).filter(({ Action }) => JSON.stringify(Action).includes('CreateSecret'));
    expect(flat(write!['Resource'])).toMatch(/:secret:partners\/\*$/);
  });
});

describe('shared lock-outs', () => {
  it('are a table whose items go by themselves, in the settings of several instances', () => {
    const template = serviceTemplate({ instances: 2 });
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
      BillingMode: 'PAY_PER_REQUEST',
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    });
    expect(shippedSettings(template).limits.lockout.table).toContain('LockoutsTable');
    const uses = statements(template).filter(({ Action }) => JSON.stringify(Action).includes('dynamodb:'));
    expect(uses).toEqual([
      {
        Effect: 'Allow',
        Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
        Resource: { 'Fn::GetAtt': [expect.stringContaining('LockoutsTable'), 'Arn'] },
      },
    ]);
  });

  it('are left out for one instance', () => {
    const template = serviceTemplate({ instances: 1 });
    template.resourceCountIs('AWS::DynamoDB::Table', 0);
    expect(shippedSettings(template).limits.lockout.table).toBeUndefined();
  });

  it('pass AWS Solutions, HIPAA, NIST 800-53 and PCI DSS', () => {
    expect(
      nagFindings((stack) => {
        const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
        new SharedLockouts(stack, 'Lockouts').grantUse(role);
      }).filter((finding) => !finding.includes('IAMNoInlinePolicy')),
    ).toEqual([]);
  });
});
