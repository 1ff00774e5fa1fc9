/** The Lambda of examples/post-upload with the packages that it names, against moto: what a partner sends in PGP comes out of it, tagged, and is kept as it came. */
import { randomBytes, randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, GetObjectTaggingCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { ReleaseDetail } from '../../../server/files/release/event';
import { run } from '../support/served';
import { credentials, type S3Server, startS3 } from './servers';

const root = join(__dirname, '../../..');
let s3: S3Server;
let steps: string;
let buckets: { files: string; archive: string; inbox: string };
let environment: Record<string, string>;

beforeAll(async () => {
  s3 = await startS3('moto');
  // As a reader has it: the folder of the example with its own packages, and the SDK of the Lambda's runtime beside it.
  steps = mkdtempSync(join(tmpdir(), 'ftps-post-upload-'));
  cpSync(join(root, 'examples/post-upload/steps'), steps, { recursive: true });
  const installed = await run('npm', ['install', '--prefix', steps, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']);
  expect(`${installed.code} ${installed.code === 0 ? '' : installed.output}`).toBe('0 ');
  symlinkSync(join(root, 'node_modules/@aws-sdk'), join(steps, 'node_modules/@aws-sdk'));
  buckets = { files: await s3.newBucket(), archive: await s3.newBucket(), inbox: await s3.newBucket() };
  environment = {
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ARCHIVE: buckets.archive,
    INBOX: buckets.inbox,
    PGP_KEY: 'partners/pgp',
    NODE_NO_WARNINGS: '1',
  };
});
afterAll(async () => {
  await s3.stop();
  rmSync(steps, { recursive: true, force: true });
});

/** A module in a process of its own, beside the packages of the example; what it answers. */
async function evaluate(module: string): Promise<string> {
  const settings = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  const { code, output } = await run('env', ['-C', steps, ...settings, process.execPath, '--input-type=module', '-'], module);
  if (code !== 0) throw new Error(output);
  return output;
}

const invoke = async (step: string, upload: ReleaseDetail) =>
  JSON.parse(await evaluate(`import { handler } from './index.mjs'; console.log(JSON.stringify(await handler(${JSON.stringify({ step, upload })})));`));

/** As the state machine of the example goes. */
async function afterUpload(upload: ReleaseDetail): Promise<string[]> {
  const { over } = await invoke('copy', upload);
  if (over) return ['copy'];
  for (const step of ['decrypt', 'tag', 'remove']) await invoke(step, upload);
  return ['copy', 'decrypt', 'tag', 'remove'];
}

async function uploaded(path: string, content: Buffer): Promise<ReleaseDetail> {
  const Key = `acme${path}`;
  await s3.client.send(new PutObjectCommand({ Bucket: buckets.files, Key, Body: content }));
  return {
    id: randomUUID(),
    user: 'acme',
    path,
    file: `s3://${buckets.files}/${Key}`,
    bytes: content.length,
    sha256: 'ab'.repeat(32),
    verdict: { result: 'clean' },
    client: '203.0.113.7',
    session: 'a-session',
  };
}

const read = async (Bucket: string, Key: string) =>
  Buffer.from(await (await s3.client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray());

it.each([
  ['as text', true],
  ['as bytes', false],
])(
  'what comes in PGP (%s) comes out of it, tagged; it is kept as it came, leaves the folder of the account, and a second event does nothing',
  async (_, isArmored) => {
    const content = randomBytes(100_000);
    const format = isArmored ? 'armored' : 'binary';
    const made = JSON.parse(
      await evaluate(`
      import * as pgp from 'openpgp';
      const { privateKey, publicKey } = await pgp.generateKey({ userIDs: [{ name: 'Partners' }], passphrase: 'a passphrase', format: 'armored' });
      const message = await pgp.createMessage({ binary: Buffer.from('${content.toString('base64')}', 'base64') });
      const encrypted = await pgp.encrypt({ message, encryptionKeys: await pgp.readKey({ armoredKey: publicKey }), format: '${format}' });
      console.log(JSON.stringify({ privateKey, encrypted: Buffer.from(encrypted).toString('base64') }));`),
    );
    const PgpKey = `partners/pgp-${format}`;
    environment['PGP_KEY'] = PgpKey;
    const secrets = new SecretsManagerClient({ endpoint: s3.endpoint, region: 'us-east-1', credentials });
    await secrets.send(new CreateSecretCommand({ Name: PgpKey, SecretString: JSON.stringify({ privateKey: made.privateKey, passphrase: 'a passphrase' }) }));
    const encrypted = Buffer.from(made.encrypted, 'base64');
    const path = `/invoices/${format} ü & more.csv.pgp`;
    const upload = await uploaded(path, encrypted);
    expect(await afterUpload(upload)).toHaveLength(4);
    const plain = `acme${path.replace('.pgp', '')}`;
    expect((await read(buckets.inbox, plain)).equals(content)).toBe(true);
    expect((await read(buckets.archive, `acme${path}/${upload.id}`)).equals(encrypted)).toBe(true);
    const { TagSet } = await s3.client.send(new GetObjectTaggingCommand({ Bucket: buckets.inbox, Key: plain }));
    expect(Object.fromEntries(TagSet!.map(({ Key, Value }) => [Key, Value]))).toEqual({
      account: 'acme',
      session: 'a-session',
      sha256: upload.sha256,
      verdict: 'clean',
    });
    expect(await s3.keys(buckets.files, `acme${path}`)).toEqual([]);
    expect(await afterUpload(upload)).toEqual(['copy']);
  },
  120_000,
);

it('anything else goes on as it is; a step that failed is done again; a younger file of the name stays', async () => {
  const upload = await uploaded('/invoices/plain.csv', Buffer.from('content'));
  for (const step of ['copy', 'copy', 'decrypt', 'decrypt', 'tag', 'tag']) await invoke(step, upload);
  await uploaded('/invoices/plain.csv', Buffer.from('another content'));
  await invoke('remove', upload);
  expect((await read(buckets.inbox, 'acme/invoices/plain.csv')).toString()).toBe('content');
  expect(await s3.keys(buckets.files, 'acme/invoices/plain.csv')).toHaveLength(1);
}, 60_000);

it('what can not be decrypted ends its step with an error, and nothing comes into the inbox', async () => {
  const upload = await uploaded('/invoices/broken.csv.gpg', Buffer.from('no PGP at all'));
  await invoke('copy', upload);
  await expect(invoke('decrypt', upload)).rejects.toThrow();
  expect(await s3.keys(buckets.inbox, 'acme/invoices/broken')).toEqual([]);
}, 60_000);
