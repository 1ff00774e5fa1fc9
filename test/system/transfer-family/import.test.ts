import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateServerCommand, type CreateServerCommandInput, CreateUserCommand, TransferClient } from '@aws-sdk/client-transfer';
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
