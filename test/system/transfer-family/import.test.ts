import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateAgreementCommand,
  CreateConnectorCommand,
  CreateProfileCommand,
  CreateServerCommand,
  type CreateServerCommandInput,
  CreateUserCommand,
  ImportCertificateCommand,
  TransferClient,
} from '@aws-sdk/client-transfer';
import { party } from '../../server/as2/served';
import { verifyPassword } from '../../server/support/passwords';
import { type Moto, startMoto } from '../support/moto';
import { BUNDLE, run } from '../support/served';

const Role = 'arn:aws:iam::123456789012:role/transfer';
let moto: Moto;
let folder: string;
let managed: string;
let lambda: string;
let key: string;

beforeAll(async () => {
  moto = await startMoto({ script: join(__dirname, 'moto_with_lists.py') });
  folder = mkdtempSync(join(tmpdir(), 'ftps-transfer-'));
  const client = new TransferClient({});
  const create = async (input: CreateServerCommandInput) => (await client.send(new CreateServerCommand(input))).ServerId!;
  managed = await create({ Domain: 'S3', EndpointType: 'PUBLIC', IdentityProviderType: 'SERVICE_MANAGED', Protocols: ['SFTP'] });
  lambda = await create({
    Domain: 'EFS',
    EndpointType: 'VPC',
    IdentityProviderType: 'AWS_LAMBDA',
    IdentityProviderDetails: { Function: 'arn:aws:lambda:eu-central-1:123456789012:function:users' },
    Protocols: ['FTPS', 'FTP'],
  });
  await create({
    Domain: 'S3',
    EndpointType: 'VPC',
    IdentityProviderType: 'AWS_DIRECTORY_SERVICE',
    IdentityProviderDetails: { DirectoryId: 'd-1234567890' },
    Protocols: ['FTPS'],
  });
  execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-C', 'carl', '-f', join(folder, 'key')]);
  key = readFileSync(join(folder, 'key.pub'), 'utf8').trim();
  const users = [
    { UserName: 'ann', HomeDirectory: '/incoming/partners/ann', HomeDirectoryType: 'PATH' },
    { UserName: 'carl', HomeDirectory: '/incoming/partners/carl', HomeDirectoryType: 'PATH', SshPublicKeyBody: key },
    { UserName: 'bob', HomeDirectoryType: 'LOGICAL', HomeDirectoryMappings: [{ Entry: '/', Target: '/incoming/shared/bob' }] },
    { UserName: 'limited', HomeDirectory: '/incoming/limited', Policy: '{"Version":"2012-10-17","Statement":[]}' },
    {
      UserName: 'many',
      HomeDirectoryType: 'LOGICAL',
      HomeDirectoryMappings: [
        { Entry: '/in', Target: '/incoming/in' },
        { Entry: '/out', Target: '/outgoing/out' },
      ],
    },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Transfer Family's own variable
    { UserName: 'templated', HomeDirectoryType: 'LOGICAL', HomeDirectoryMappings: [{ Entry: '/', Target: '/incoming/${transfer:UserName}' }] },
  ] as const;
  for (const user of users)
    await client.send(
      new CreateUserCommand({
        ...user,
        HomeDirectoryMappings: [...('HomeDirectoryMappings' in user ? user.HomeDirectoryMappings : [])],
        Role,
        ServerId: managed,
      }),
    );
});
afterAll(async () => {
  await moto?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The built command, with the region, keys and address of moto. */
function ftps(...args: string[]) {
  const settings = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL'].map((name) => `${name}=${process.env[name]}`);
  return run('env', [...settings, process.execPath, '--no-warnings', BUNDLE, 'import', 'transfer-family', ...args]);
}

it('says what becomes of every server and user, and writes nothing', async () => {
  const { code, output } = await ftps();
  expect(code).toBe(0);
  expect(output).toContain(
    `${managed}  SFTP · PUBLIC · SERVICE_MANAGED\n  ann  /partners/ann\n  bob  /shared/bob\n  carl  /partners/carl  1 key\n  templated  /templated\n`,
  );
  expect(output).toMatch(/limited {2}left out: Policy: .*--accept-policies/);
  expect(output).toMatch(/many {2}left out: HomeDirectoryDetails: only one entry/);
  expect(output).toContain(`ftps user import --from-prefix aws/transfer/${lambda}/`);
  expect(output).toContain('It serves FTP without TLS');
  expect(output).toContain('It serves SFTP: server: { sftp');
  expect(output).toContain("can't be read back from AWS");
  expect(output).toContain('PassivePorts.AWS_TRANSFER_FAMILY');
  expect(output).toContain('in the directory d-1234567890: use DirectoryAccounts');
});

it('writes accounts to a file, whose printed passwords are those that log in', async () => {
  const file = join(folder, 'accounts.json');
  const { code, output } = await ftps('--server', managed, '--file', file, '--accept-policies');
  expect(code).toBe(0);
  const { accounts } = JSON.parse(readFileSync(file, 'utf8'));
  expect(accounts.map(({ user, home }: Record<string, string>) => `${user} ${home}`)).toEqual([
    'ann /partners/ann',
    'bob /shared/bob',
    'carl /partners/carl',
    'limited /limited',
    'templated /templated',
  ]);
  const [, password = ''] = /^ann,(\S+)$/m.exec(output)!;
  expect(await verifyPassword(password, accounts[0].passwordHash)).toBe(true);
  expect(readFileSync(file, 'utf8')).not.toContain(password);
  expect(accounts[2]).toEqual({ user: 'carl', home: '/partners/carl', publicKeys: [key] });
  expect(output).not.toMatch(/^carl,/m);
  // Another run would give partners other passwords.
  expect(await ftps('--server', managed, '--file', file)).toMatchObject({ code: 2, output: expect.stringContaining('--replace') });
});

it('writes accounts to Secrets Manager', async () => {
  expect(await ftps('--server', managed, '--prefix', 'ftps/accounts/')).toMatchObject({ code: 0 });
  const { SecretString } = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: 'ftps/accounts/bob' }));
  expect(JSON.parse(SecretString!)).toMatchObject({ home: '/shared/bob', passwordHash: expect.stringMatching(/^\$scrypt\$/) });
});

it('writes AS2 as certificates and code of the app, and says what it can not take over', async () => {
  const client = new TransferClient({});
  const { certificate } = await party('acme');
  const send = async (create: CreateServerCommandInput) => (await client.send(new CreateServerCommand(create))).ServerId!;
  const ServerId = await send({ Domain: 'S3', EndpointType: 'VPC', IdentityProviderType: 'SERVICE_MANAGED', Protocols: ['AS2'] });
  const signing = (await client.send(new ImportCertificateCommand({ Usage: 'SIGNING', Certificate: certificate }))).CertificateId!;
  const profile = async (As2Id: string, ProfileType: 'LOCAL' | 'PARTNER', CertificateIds: string[] = []) =>
    (await client.send(new CreateProfileCommand({ As2Id, ProfileType, CertificateIds }))).ProfileId!;
  const LocalProfileId = await profile('EXAMPLE-COM', 'LOCAL');
  const PartnerProfileId = await profile('Acme', 'PARTNER', [signing]);
  await client.send(
    new CreateAgreementCommand({
      ServerId,
      LocalProfileId,
      PartnerProfileId,
      BaseDirectory: '/incoming/acme',
      AccessRole: Role,
      EnforceMessageSigning: 'ENABLED',
    }),
  );
  await client.send(
    new CreateConnectorCommand({
      Url: 'https://as2.acme.example:4443/as2',
      AccessRole: Role,
      As2Config: {
        LocalProfileId,
        PartnerProfileId,
        SigningAlgorithm: 'SHA512',
        EncryptionAlgorithm: 'AES128_CBC',
        Compression: 'ZLIB',
        MdnResponse: 'SYNC',
        MdnSigningAlgorithm: 'DEFAULT',
        BasicAuthSecretId: 'acme-basic',
      },
    }),
  );
  await client.send(new CreateConnectorCommand({ Url: 'sftp://other.example', AccessRole: Role, SftpConfig: { UserSecretId: 'other' } }));
  const target = join(folder, 'partners');
  const { code, output } = await ftps('--as2', target);
  expect(code).toBe(0);
  expect(output).toContain('AS2 as "EXAMPLE-COM"\n  Acme  account acme, /incoming/acme  https://as2.acme.example:4443/as2\n');
  expect(output).toMatch(/connector c-\S+ {2}left out: is one of SFTP/);
  expect(output).toMatch(/"Acme" asks for a password over HTTP \(acme-basic\), which is not given here/);
  expect(output).toMatch(/private keys of "EXAMPLE-COM" can't be read back from AWS/);
  const written = readFileSync(join(target, 'as2.ts'), 'utf8');
  const [, file] = /certificates: \['partners\/([^']+)'\]/.exec(written)!;
  expect(readFileSync(join(target, file!), 'utf8').trim()).toBe(certificate.trim());
  expect(written).toContain(
    "{ partner: partnerAcme, account: 'acme', signDigest: As2Digest.SHA512, encryptCipher: As2Cipher.AES_128_CBC, compression: As2Compression.BEFORE_SIGNING },",
  );
  expect(await ftps('--as2', target)).toMatchObject({ code: 2, output: expect.stringContaining("can't be made (EEXIST); name a new folder") });
});
