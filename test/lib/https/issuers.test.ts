/** Issuers of tokens and sign-ins elsewhere: `server.https.issuers`, its secrets, and its way out. */
import { App, Duration, Size, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { UserPool } from 'aws-cdk-lib/aws-cognito';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  AudienceClaim,
  FilePermission,
  FtpsEnvironment,
  type FtpsServerSettings,
  FtpsStage,
  FtpsStageParts,
  TlsPolicy,
  type TokenIssuer,
  type TokenRule,
  TokenScope,
} from '../../../lib';
import { type ServerParts, serverConfig } from '../../../lib/server-config';
import { checkServerConfig } from '../../../server/config';
import { flat, type Resources, shippedSettings, testStack } from '../support';

const place = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret';
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234';
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';

const github: TokenIssuer = {
  issuer: 'https://token.actions.githubusercontent.com',
  audience: ['https://files.example.com'],
  rules: [{ claims: [{ name: 'repository', value: 'acme/reports' }], user: 'acme', scopes: [TokenScope.WRITE], folder: '/in' }],
};
const keycloak = (stack: Stack): TokenIssuer => ({
  issuer: 'https://login.example.com:8443/realms/acme',
  jwksUri: 'https://keys.example.com:9443/acme',
  ca: PEM,
  algorithms: ['ES256'],
  clockSkew: Duration.seconds(30),
  keysTtl: Duration.minutes(5),
  rules: [
    {
      claims: [{ name: 'realm_access.roles', value: 'files' }],
      user: '{sub}',
      account: {
        permissions: [FilePermission.READ, FilePermission.LIST],
        overwrite: false,
        allowedNetworks: ['203.0.113.0/24'],
        maxSessions: 3,
        quota: { size: Size.gibibytes(1), files: 10 },
        bandwidth: { download: Size.mebibytes(1) },
      },
    },
  ],
  signIn: {
    name: 'Acme',
    clientId: 'files',
    clientSecret: Secret.fromSecretAttributes(stack, 'AtKeycloak', {
      secretCompleteArn: `${place}:keycloak-a1B2c3`,
      encryptionKey: Key.fromKeyArn(stack, 'KeyOfKeycloak', KEY),
    }),
    scopes: ['openid'],
  },
});

class Company extends FtpsStageParts {
  public override issuers(serviceStack: Stack): TokenIssuer[] {
    return [keycloak(serviceStack)];
  }
}

const { dataStack, serviceStack } = new FtpsStage(new App(), 'Test', {
  settings: FtpsEnvironment.of(
    { networkFirewall: true, protect: false, server: { https: { issuers: [github] } } },
    { name: 'test', domainName: 'files.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] },
  ),
  parts: new Company(),
});
const [data, service] = [Template.fromStack(dataStack), Template.fromStack(serviceStack)];
const resources = (one: Template, type: string) => Object.entries(one.findResources(type) as Resources).map(([id, { Properties }]) => ({ id, ...Properties }));

it('are what the server is told, and it takes them as they are', () => {
  const { https } = checkServerConfig(shippedSettings(service));
  expect(https!.issuers).toMatchObject([
    { issuer: github.issuer, audience: ['https://files.example.com'], rules: [{ user: 'acme', scopes: ['write'], folder: '/in' }] },
    {
      issuer: 'https://login.example.com:8443/realms/acme',
      audience: ['files'], // the client that signs in
      jwksUri: 'https://keys.example.com:9443/acme',
      ca: PEM,
      algorithms: ['ES256'],
      skewSeconds: 30,
      keysSeconds: 300,
      rules: [
        {
          claims: [{ name: 'realm_access.roles', value: 'files' }],
          user: '{sub}',
          scopes: ['read', 'write'],
          account: {
            home: '/{user}',
            permissions: ['read', 'list'],
            overwrite: false,
            allowedNetworks: ['203.0.113.0/24'],
            maxSessions: 3,
            quota: { bytes: 1_073_741_824, files: 10 },
            bandwidth: { downloadBytesPerSecond: 1_048_576 },
          },
        },
      ],
    },
  ]);
  expect(https!.signInWith).toEqual([
    { name: 'Acme', issuer: 'https://login.example.com:8443/realms/acme', clientId: 'files', clientSecretId: `${place}:keycloak-a1B2c3`, scopes: ['openid'] },
  ]);
});

it('the instances may read the secret of the client, through its key, and nothing more of either', () => {
  const statements = resources(service, 'AWS::IAM::Policy')
    .filter(({ id }) => /FleetRole/.test(id))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement as Resources[]);
  const about = (name: string) => statements.filter(({ Resource }) => JSON.stringify(Resource).includes(name));
  expect(about('keycloak')).toEqual([
    { Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], Effect: 'Allow', Resource: `${place}:keycloak-a1B2c3` },
  ]);
  expect(about('key/1234')).toEqual([expect.objectContaining({ Action: 'kms:Decrypt', Resource: KEY })]);
  expect(flat(about('key/1234')[0]!['Condition'].StringEquals['kms:ViaService'])).toBe('secretsmanager.<AWS::Region>.<AWS::URLSuffix>');
});

it('are reached on their ports, through the security group and the network firewall', () => {
  const out = resources(service, 'AWS::EC2::SecurityGroup')
    .flatMap(({ SecurityGroupEgress = [] }) => SecurityGroupEgress as Resources[])
    .filter(({ Description }) => /issuers/.test(Description));
  expect(out.map(({ FromPort, ToPort, CidrIp }) => `${FromPort}-${ToPort} ${CidrIp}`)).toEqual(['8443-8443 0.0.0.0/0', '9443-9443 0.0.0.0/0']);
  const [rules] = resources(data, 'AWS::NetworkFirewall::RuleGroup');
  const passed = flat(rules!['RuleGroup'].RulesSource.RulesString).match(/(?<=pass tcp \$HOME_NET any -> any )\d+/g);
  expect(passed).toEqual(['8443', '9443', '443']);
});

const parts: ServerParts = {
  certificateSecretIds: ['certificate'],
  storage: { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false },
  identity: [{ kind: 'secrets', prefix: 'partners/' }],
  advertisedAddress: 'auto',
};

it('one whose address is known when it is deployed is checked and told, a user pool of Amazon Cognito for example', () => {
  const { stack } = testStack();
  const pool = new UserPool(stack, 'Pool');
  const rules: TokenRule[] = [{ claims: [{ name: 'scope', value: 'files/write' }], user: '{sub}' }];
  const told = (issuers: TokenIssuer[]) => serverConfig({ https: { issuers } }, parts).https!;
  const cognito = { issuer: pool.userPoolProviderUrl, audience: [pool.addClient('Program').userPoolClientId], audienceClaim: AudienceClaim.CLIENT_ID, rules };
  expect(stack.resolve(told([cognito, github]).issuers)).toMatchObject([
    { issuer: { 'Fn::GetAtt': [expect.stringMatching(/^Pool/), 'ProviderURL'] }, audienceClaim: 'client_id' },
    { issuer: github.issuer },
  ]);
  expect(stack.resolve(told([{ ...cognito, signIn: { name: 'Pool', clientId: 'x' } }]).signInWith[0]!.issuer)).toEqual({
    'Fn::GetAtt': [expect.stringMatching(/^Pool/), 'ProviderURL'],
  });
  expect(() => told([cognito, cognito])).toThrow(/https\.issuers\[1\]\.issuer: .* is there twice; put the rules of both into one/);
});

const [rule] = github.rules as [TokenRule];
it.each<[string, object, RegExp]>([
  ['an address in plain text', { issuer: 'http://login.example.com' }, /https\.issuers\[0\]\.issuer: .*expected an address with https:\/\//],
  [
    'no audience',
    { audience: undefined },
    /https\.issuers\[0\]\.audience: is missing; expected a list of whom its tokens are for, .*https:\/\/files\.example\.com/,
  ],
  ['nobody as audience', { audience: [] }, /https\.issuers\[0\]\.audience: \[\]: expected a list of whom its tokens are for/],
  ['a file that no instance has', { ca: 'ca.pem' }, / {2}server\.https\.issuers\[0\]\.ca: "ca\.pem" has no certificate in PEM; give the text/],
  ['no rule', { rules: [] }, /https\.issuers\[0\]\.rules: \[\]: expected 1 of them or more/],
  ['no word of rules', { rules: undefined }, /https\.issuers\[0\]\.rules: is missing; expected a list/],
  ['no word of claims', { rules: [{ user: 'acme' }] }, /https\.issuers\[0\]\.rules\[0\]\.claims: is missing; expected a list/],
  ['a rule for everybody', { rules: [{ ...rule, claims: [] }] }, /https\.issuers\[0\]\.rules\[0\]\.claims: .*everybody whom the issuer knows would come in/],
  ['a signature with a shared secret', { algorithms: ['HS256'] }, /https\.issuers\[0\]\.algorithms\[0\]: "HS256" is not a choice; expected "RS256" or/],
  ['clocks an hour apart', { clockSkew: Duration.hours(1) }, / {2}server\.https\.issuers\[0\]\.clockSkew: 3600/],
  ['a home above', { rules: [{ ...rule, account: { home: '/../x' } }] }, /https\.issuers\[0\]\.rules\[0\]\.account\.home/],
  ['a quota of nothing', { rules: [{ ...rule, account: { quota: { size: Size.bytes(0) } } }] }, /https\.issuers\[0\]\.rules\[0\]\.account\.quota\.size/],
  ['a sign-in without openid', { signIn: { name: 'A', clientId: 'a', scopes: ['email'] } }, /https\.issuers\[0\]\.signIn\.scopes: lacks "openid"/],
])('%s is refused', (_, wrong, message) => {
  expect(() => serverConfig({ https: { issuers: [{ ...github, ...wrong } as TokenIssuer] } }, parts)).toThrow(message);
});

it('one that signs by EdDSA alone is refused within FIPS, before anything is deployed', () => {
  const told = (tlsPolicy: TlsPolicy, algorithms?: string[]) => () => serverConfig({ tlsPolicy, https: { issuers: [{ ...github, algorithms }] } }, parts);
  expect(told(TlsPolicy.FIPS, ['EdDSA'])).toThrow(
    / {2}server\.https\.issuers\[0\]\.algorithms: is "EdDSA" alone, which server\.tlsPolicy "fips" does not take, .*have it sign by "ES256"/,
  );
  for (const good of [told(TlsPolicy.FIPS, ['EdDSA', 'ES256']), told(TlsPolicy.FIPS), told(TlsPolicy.MODERN, ['EdDSA'])]) expect(good).not.toThrow();
});

it.each<[string, FtpsServerSettings, RegExp]>([
  ['issuers', { https: {}, overrides: { https: { issuers: [] } } }, /overrides\.https\.issuers: follows from server\.https\.issuers; say it there/],
  ['sign-ins', { https: {}, overrides: { https: { signInWith: [] } } }, /overrides\.https\.signInWith: follows from server\.https\.issuers; say it there/],
])('%s are not said by overrides as well', (_, settings, message) => {
  expect(() => serverConfig(settings, parts)).toThrow(message);
});

it('the second of two sign-ins is named by the issuer that it belongs to', () => {
  const other = { ...github, issuer: 'https://other.example.com', signIn: { name: '', clientId: 'a' } };
  expect(() => serverConfig({ https: { issuers: [github, other] } }, parts)).toThrow(/ {2}server\.https\.issuers\[1\]\.signIn\.name: /);
});

it('misspelt words are refused, with the one that was meant', () => {
  const environment = (issuers: unknown) =>
    FtpsEnvironment.of({ server: { https: { issuers } as never } }, { name: 'test', domainName: 'x.example.com', clientCidrs: [] });
  expect(() => environment({})).toThrow(/server\.https\.issuers: \{\} is wrong; expected a list of blocks/);
});
