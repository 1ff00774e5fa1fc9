import { scryptSync } from 'node:crypto';
import { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { accountIn, secretAccounts } from '../../../server/identity/secret-accounts';
import { passwordChecks } from '../support/passwords';

const passwords = passwordChecks();

/** Of the password `pw`, and quick to check. */
const HASH = `$scrypt$ln=4,r=8,p=1$${Buffer.from('salt').toString('base64')}$${scryptSync('pw', 'salt', 32, { N: 16, r: 8, p: 1 }).toString('base64')}`;
const secrets = mockClient(SecretsManagerClient);
const role = 'arn:aws:iam::111122223333:role/transfer';
const transfer = (more: object) => accountIn({ Password: 'pw', Role: role, HomeDirectory: '/bucket/partners/ann', ...more }, 'ann', 'p/ann');

describe('a secret in the layout of AWS Transfer Family', () => {
  it('is an account with its home, networks and password', () => {
    expect(transfer({ AcceptedIpNetwork: '192.0.2.0/24, 198.51.100.7/32' })).toMatchObject({
      user: 'ann',
      home: '/partners/ann',
      allowedNetworks: ['192.0.2.0/24', '198.51.100.7/32'],
      plainPassword: 'pw',
      enabled: true,
    });
  });

  it('takes what is meant for FTPS before what is meant for all protocols', () => {
    expect(transfer({ FTPSPassword: 'other', SFTPPassword: 'third' }).plainPassword).toBe('other');
  });

  it('takes networks as a list, and passes over what is meant for other protocols or has no counterpart that restricts', () => {
    const others = {
      SFTPPassword: 'x',
      SFTPAcceptedIpNetwork: '10.0.0.0/8',
      PublicKey: 'ssh-rsa AAAA',
      PosixProfile: { Uid: 1, Gid: 1 },
      HomeDirectoryType: 'PATH',
    };
    expect(transfer({ AcceptedIpNetwork: ['192.0.2.0/24'], ...others })).toMatchObject({ allowedNetworks: ['192.0.2.0/24'], plainPassword: 'pw' });
  });

  it.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how it is written there
    ['[{"Entry":"/","Target":"/bucket/home/${Transfer:UserName}"}]', '/home/ann'],
    [[{ Entry: '/', Target: '/fs-0123456789abcdef0/data/x' }], '/data/x'],
    ['[{"Entry":"/","Target":"/bucket"}]', '/'],
  ])('HomeDirectoryDetails %j lead to %s', (HomeDirectoryDetails, home) => {
    expect(transfer({ HomeDirectory: undefined, HomeDirectoryDetails }).home).toBe(home);
  });

  it.each([
    [{ Policy: '{}' }, 'Policy: session policies have no counterpart'],
    [{ HomeDirectory: undefined }, 'HomeDirectory: is missing'],
    [{ HomeDirectoryDetails: '[{"Entry":"/a","Target":"/b/c"}]' }, 'HomeDirectoryDetails: only one entry'],
    [{ HomeDirectoryDetails: '[{"Entry":"/","Target":"/b/c"},{"Entry":"/x","Target":"/b/d"}]' }, 'HomeDirectoryDetails: only one entry'],
    [{ HomeDirectoryDetails: 'nonsense' }, 'HomeDirectoryDetails: is no JSON'],
    [{ Password: '$2b$12$abcdefghijklmnopqrstuv' }, 'Password: is a bcrypt hash'],
    [{ AcceptedIpNetwork: 'anywhere' }, 'allowedNetworks[0]'],
    [{ AcceptedIpNetwork: { cidr: '192.0.2.0/24' } }, 'AcceptedIpNetwork: expected networks'],
    [{ AcceptedIpNetwork: [] }, 'AcceptedIpNetwork: expected networks'],
    [{ AcceptedIPNetworks: '192.0.2.0/24' }, "AcceptedIPNetworks: is no key of AWS Transfer Family's form, which has AcceptedIpNetwork;"],
    [{ HomeDirectory: undefined, HomeDirectoryDetails: [{ Entry: '/', Target: '/b/c', Type: 'FILE' }] }, 'HomeDirectoryDetails: Type'],
    [{ HomeDirectory: undefined, HomeDirectoryDetails: [{ Entry: '/', Target: '/b/c', ReadOnly: true }] }, 'HomeDirectoryDetails: ReadOnly'],
    [{ Password: 12345678 }, 'Password: is no text'],
    [{ enabled: false }, "enabled: is no key of AWS Transfer Family's form; write the account in the form of the accounts file"],
    [{ allowedNetworks: ['192.0.2.0/24'] }, 'allowedNetworks: is no key'],
    [{ permissions: ['read'] }, 'permissions: is no key'],
    [{ clientCertificate: 'required' }, 'clientCertificate: is no key'],
    [{ quota: { bytes: 1 } }, 'quota: is no key'],
    [{ bandwidth: { up: 1 } }, 'bandwidth: is no key'],
    [{ FTPSenabled: false }, 'FTPSenabled: is no key'],
  ])('%j is refused, because what restricts is never dropped', (more, words) => {
    expect(() => transfer(more)).toThrow(`the secret p/ann is no account (${words}`);
  });
});

describe('accounts in Secrets Manager', () => {
  const missing = () => new ResourceNotFoundException({ message: '', $metadata: {} });
  const open = () => secretAccounts({ kind: 'secrets', prefix: 'p/', cacheSeconds: 30, negativeCacheSeconds: 10 }, passwords);
  const login = (accounts: ReturnType<typeof open>, user: string, password: string) => accounts.authenticate({ user, password, address: '' });
  beforeEach(() => secrets.reset());

  it('are read once for many logins at the same time, and an unknown name too', async () => {
    secrets.on(GetSecretValueCommand, { SecretId: 'p/ann' }).resolves({ SecretString: JSON.stringify({ passwordHash: HASH }) });
    secrets.on(GetSecretValueCommand, { SecretId: 'p/nobody' }).rejects(missing());
    const accounts = open();
    const verdicts = await Promise.all([
      login(accounts, 'ann', 'pw'),
      login(accounts, 'ann', 'no'),
      login(accounts, 'nobody', 'pw'),
      login(accounts, 'nobody', 'pw'),
    ]);
    expect(verdicts.map((verdict) => (verdict.kind === 'refused' ? verdict.reason : verdict.kind))).toEqual([
      'accepted',
      'wrong-password',
      'unknown-user',
      'unknown-user',
    ]);
    expect(secrets.commandCalls(GetSecretValueCommand)).toHaveLength(2);
  });

  it('with an unhashed password work as well', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify({ Password: 'plain "pw"', HomeDirectory: '/b/ann', Role: role }) });
    const accounts = open();
    expect(await login(accounts, 'ann', 'plain "pw"')).toMatchObject({ kind: 'accepted', account: { home: '/ann' } });
    expect(JSON.stringify(await login(accounts, 'ann', 'plain "pw"'))).not.toContain('plain');
    expect(await login(accounts, 'ann', 'plain')).toMatchObject({ reason: 'wrong-password' });
  });

  it('take a certificate as a second factor, or alone', async () => {
    const certificates = [{ kind: 'subject', commonName: 'ann' }];
    const certificate = { sha256: 'ab'.repeat(32), commonName: 'ann', subjectAltNames: [], serialNumber: '1' };
    const account = (rules: object) => secrets.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify({ certificates, ...rules }) });
    account({ passwordHash: HASH, clientCertificate: 'required' });
    const both = open();
    expect(await login(both, 'ann', 'pw')).toMatchObject({ reason: 'certificate-required' });
    expect(await both.authenticate({ user: 'ann', password: 'pw', certificate, address: '' })).toMatchObject({ method: 'password+certificate' });
    expect(await both.authenticateByCertificate({ user: 'ann', certificate, address: '' })).toMatchObject({ kind: 'refused' });
    account({ clientCertificate: 'instead-of-password' });
    const alone = open();
    expect(await alone.authenticateByCertificate({ user: 'ann', certificate, address: '' })).toMatchObject({ kind: 'accepted', method: 'certificate' });
    expect(await login(alone, 'ann', '')).toMatchObject({ kind: 'refused' });
  });

  it('are not looked for under names that no secret can have', async () => {
    const accounts = open();
    const verdicts = await Promise.all(['a/b', '../x', 'a b', 'ä', 'x'.repeat(200)].map((user) => login(accounts, user, 'pw')));
    for (const verdict of verdicts) expect(verdict).toMatchObject({ reason: 'unknown-user' });
    expect(secrets.calls()).toHaveLength(0);
  });

  it('that can not be read let nobody in, and no word of theirs is told', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"passwordHash": "hush-hush", "home": 5}' });
    const verdict = await login(open(), 'ann', 'pw');
    expect(verdict).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('passwordHash: expected a PHC string') });
    expect(JSON.stringify(verdict)).not.toContain('hush');
    secrets.on(GetSecretValueCommand).resolves({ SecretString: 'hush-hush' });
    expect(await login(open(), 'ann', 'pw')).toMatchObject({ kind: 'unavailable', reason: 'the secret p/ann is no JSON' });
  });
});
