/** The built Lambda that makes host keys, against moto; the built server that reads them; and OpenSSH, which says whether it knows the server. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CertificateFolder } from '../../server/support/certificates';
import { type Answer, awaitAnswers, type Stack } from '../support/cloudformation';
import { type Moto, startMoto } from '../support/moto';
import { Said } from '../support/said';
import { run, serveConfigured } from '../support/served';

let moto: Moto;
let cloudFormation: Stack;
let secrets: SecretsManagerClient;
let place: CertificateFolder;
/** Everything that the Lambda wrote or answered. */
const said = new Said();
beforeAll(async () => {
  moto = await startMoto();
  secrets = new SecretsManagerClient({});
  cloudFormation = await awaitAnswers();
  place = await CertificateFolder.create();
});
afterAll(async () => {
  cloudFormation.close();
  await moto.stop();
  await place.remove();
});
beforeEach(() => {
  said.listen();
});
afterEach(() => {
  jest.restoreAllMocks();
  expect(said.all(cloudFormation.answers)).not.toMatch(/PRIVATE/);
});

const lambda = (event: object): Promise<void> => require('../../../dist/lambda/sftp-host-keys/index.js').handler(event);
const made = (type: 'Create' | 'Update' | 'Delete', Hosts = 'ftps.example.com') => answered({ type, Hosts, MAKES: 'true' });
const imported = (type: 'Create' | 'Update') => answered({ type, Hosts: 'ftps.example.com', MAKES: 'false' });

async function answered({ type, Hosts, MAKES }: { type: 'Create' | 'Update' | 'Delete'; Hosts: string; MAKES: string }): Promise<Answer & { Reason?: string }> {
  process.env['MAKES'] = MAKES;
  await lambda(cloudFormation.request(type, { Secret: process.env['SECRET_ID']!, Hosts }));
  return cloudFormation.answers.at(-1)!;
}

/** An empty secret, as CloudFormation makes it, or one with a value. */
async function secret(name: string, value?: string): Promise<string> {
  const { ARN } = await secrets.send(new CreateSecretCommand({ Name: name, SecretString: value }));
  process.env['SECRET_ID'] = ARN!;
  return ARN!;
}
const held = async (SecretId: string) => (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString!;

it('are made once, are told by their public halves, and are those by which OpenSSH knows the server', async () => {
  const secretId = await secret('made');
  const first = await made('Create', '[127.0.0.1]:2022');
  expect([first.Status, first.Reason]).toEqual(['SUCCESS', undefined]);
  expect(first.Data['KnownHosts']!.split('\n').map((line) => line.split(' ').slice(0, 2))).toEqual(
    ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'].map((type) => ['[127.0.0.1]:2022', type]),
  );
  const kept = await held(secretId);
  // Whatever CloudFormation does afterwards, and the look of every day.
  for (const type of ['Create', 'Update', 'Delete', 'Update'] as const) expect((await made(type)).Status).toBe('SUCCESS');
  await lambda({ 'detail-type': 'Scheduled Event' });
  expect(await held(secretId)).toBe(kept);

  await place.write('ca.pem', place.authority.pem);
  const server = await serveConfigured(
    {
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
      passive: { ports: 'any:4' },
      tls: { certificates: [await place.put('server', await place.authority.issue())] },
      identity: [{ kind: 'file', file: await place.write('accounts.json', JSON.stringify({ accounts: [] })) }],
      sftp: { host: '127.0.0.1', port: 0, hostKeys: [{ kind: 'secret', secretId }] },
    },
    { ...process.env, AWS_ENDPOINT_URL: moto.url },
  );
  try {
    const { Data } = await made('Update', `[127.0.0.1]:${server.sftp}`);
    const scanned = (await run('ssh-keyscan', ['-p', String(server.sftp), '127.0.0.1'])).output.split('\n').filter((line) => line.startsWith('['));
    expect(scanned.sort()).toEqual(Data['KnownHosts']!.split('\n').sort());
    const file = join(place.path('.'), 'scanned');
    writeFileSync(file, `${Data['KnownHosts']}\n`);
    const printed = (await run('ssh-keygen', ['-lf', file])).output.trim().split('\n');
    expect(printed.map((line) => `${line.split(' ')[1]} ${line.split(' ').at(-1)}`)).toEqual(Data['Fingerprints']!.split('\n'));
  } finally {
    await server.stop();
  }
});

it('of an old server are taken as OpenSSH wrote them, and not written', async () => {
  const file = join(place.path('.'), 'old');
  rmSync(file, { force: true });
  expect((await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'old server', '-f', file])).code).toBe(0);
  const secretId = await secret('old', JSON.stringify({ privateKey: readFileSync(file, 'utf8') }));
  const before = await held(secretId);
  const { Status, Data } = await imported('Create');
  expect([Status, Data['KnownHosts']]).toEqual(['SUCCESS', `ftps.example.com ${readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')}`]);
  expect(await held(secretId)).toBe(before);
});

it.each([
  ['an empty secret', undefined, /does not exist or is empty/],
  ['no JSON', 'secret words', /has neither privateKey nor privateKeys/],
  ['other keys', '{"password":"secret words"}', /has neither privateKey nor privateKeys/],
  ['no private key', '{"privateKeys":["secret words"]}', /key 1 in the secret \S+ is no private key without a passphrase/],
  [
    'a key that SSH does not know',
    JSON.stringify({ privateKeys: [generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' })] }),
    /key 1 in the secret \S+ is of a kind that SSH does not know here/,
  ],
])('%s is refused, in words that quote nothing', async (name, value, words) => {
  await secret(name.replaceAll(' ', '-'), value);
  const { Status, Reason } = await imported('Create');
  expect([Status, Reason]).toEqual(['FAILED', expect.stringMatching(words)]);
  expect(Reason).not.toContain('secret words');
});

it('what somebody put into the secret is never replaced, and the look of every day fails where it is of no use', async () => {
  const secretId = await secret('changed');
  expect((await made('Create')).Status).toBe('SUCCESS');
  await secrets.send(new PutSecretValueCommand({ SecretId: secretId, SecretString: 'by hand' }));
  await expect(lambda({ 'detail-type': 'Scheduled Event' })).rejects.toThrow(/has neither privateKey nor privateKeys/);
  expect((await made('Update')).Status).toBe('FAILED');
  expect(await held(secretId)).toBe('by hand');
});
