/**
 * What the constructs say of AS2, as an instance has it: the built Lambda makes and changes keys against moto, the start script puts partners into the synthesized
 * settings, and the built server takes messages by them, before and after the keys have changed.
 */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsService } from '../../../lib';
import type { HeldKeys } from '../../../lib/as2/keys/held';
import { openMessage, sealMessage } from '../../../server/as2/message';
import { asking, type Party, party, send } from '../../server/as2/served';
import { CertificateFolder } from '../../server/support/certificates';
import { freePort } from '../../server/support/free-port';
import { type Answer, awaitAnswers, type Stack as CloudFormation } from '../support/cloudformation';
import { type Moto, startMoto } from '../support/moto';
import { Said } from '../support/said';
import { BUNDLE, run, type ServedProcess, serveConfigured } from '../support/served';

let moto: Moto;
let cloudFormation: CloudFormation;
let secrets: SecretsManagerClient;
let place: CertificateFolder;
let folder: string;
/** Where the command invokes the Lambda, as Lambda's API has it ("Invoke"). */
let lambdas: string;
let invoking: Server;
const said = new Said();
beforeAll(async () => {
  moto = await startMoto();
  secrets = new SecretsManagerClient({});
  cloudFormation = await awaitAnswers();
  place = await CertificateFolder.create();
  folder = mkdtempSync(join(tmpdir(), 'ftps-as2-kit-'));
  invoking = createServer(async (request, response) => {
    const answer = await lambda(JSON.parse((await read(request)).toString()));
    response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(invoking, 'listening');
  lambdas = `http://127.0.0.1:${(invoking.address() as AddressInfo).port}`;
});
afterAll(async () => {
  invoking.close();
  cloudFormation.close();
  await moto.stop();
  await place.remove();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => said.listen());
afterEach(() => {
  jest.restoreAllMocks();
  expect(said.all(cloudFormation.answers)).not.toMatch(/PRIVATE/);
});

const lambda = (event: object): Promise<unknown> => require('../../../dist/lambda/as2-keys/index.js').handler(event);
async function answered(type: 'Create' | 'Update' | 'Delete'): Promise<Answer & { Reason?: string }> {
  await lambda(cloudFormation.request(type, { Secret: process.env['SECRET_ID']! }));
  return cloudFormation.answers.at(-1)!;
}
async function secret(name: string, value?: string): Promise<string> {
  const { ARN } = await secrets.send(new CreateSecretCommand({ Name: name, SecretString: value }));
  Object.assign(process.env, {
    SECRET_ID: ARN,
    AS2_ID: 'EXAMPLE',
    PARAMETERS: `/test/${name}`,
    CHANGE_DAYS: '365',
    ANNOUNCE_DAYS: '0',
    KEEP_DAYS: '90',
    METRIC_NAMESPACE: 'Ftps',
    METRIC_KEYS: name,
  });
  process.env['MAKES'] = String(value === undefined);
  return ARN!;
}
const held = async (SecretId: string): Promise<HeldKeys> => JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString!);
const parameter = async (Name: string) => (await new SSMClient({}).send(new GetParameterCommand({ Name }))).Parameter!.Value;

/** The settings that an instance has once its start script has put the partners in, with the script's own commands. */
function settingsOfInstance(them: Party, secretId: string): { readonly [key: string]: unknown } {
  const app = new App({ outdir: join(folder, 'cdk.out') });
  const stack = new Stack(app, 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
  new FtpsService(stack, 'Ftps', {
    domainName: 'ftps.example.com',
    hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' }),
    clientCidrs: ['203.0.113.0/24'],
    server: { as2: { as2Id: 'Us', plainPort: 4080, agreements: [{ account: 'them', partner: { as2Id: 'Them', certificates: [them.certificate] } }] } },
  });
  const [launch] = Object.values(Template.fromStack(stack).findResources('AWS::EC2::LaunchTemplate'));
  const { 'Fn::Join': parts } = launch!['Properties'].LaunchTemplateData.UserData['Fn::Base64'];
  const script = (parts[1] as unknown[]).map((part) => (typeof part === 'string' ? part : '-')).join('');
  const [, settings] = /cat > \/etc\/ftps\/server\.json <<'END_OF_FILE'\n(.*)\nEND_OF_FILE/.exec(script)!;
  writeFileSync(join(folder, 'server.json'), settings!);
  const [, object] = /aws s3 cp \S+ --region \S+ 's3:\/\/[^/]+\/([^']+)' \/etc\/ftps\/as2-partners\.json/.exec(script)!;
  app.synth();
  const asset = readdirSync(join(folder, 'cdk.out')).find((name) => name === `asset.${object}`)!;
  writeFileSync(join(folder, 'as2-partners.json'), readFileSync(join(folder, 'cdk.out', asset)));
  const [, program] = /node-24 -e '(.*as2-partners.*)'/.exec(script)!;
  execFileSync(process.execPath, ['-e', program!.replaceAll('/etc/ftps', folder)]);
  const complete = JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8'));
  // What belongs to the machine of the test: its ports, its secret, and how soon it is looked at.
  const { as2 } = complete;
  return { ...as2, host: '127.0.0.1', identity: { ...as2.identity, signing: { ...as2.identity.signing, secretId, pollSeconds: 0.5 } } };
}

async function read(body: AsyncIterable<Buffer | Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The built command, with the region, keys and addresses of the test. */
function ftps(...args: string[]) {
  const names = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL'];
  const env = [...names.map((name) => `${name}=${process.env[name]}`), `AWS_ENDPOINT_URL_LAMBDA=${lambdas}`];
  return run('env', [...env, process.execPath, '--no-warnings', BUNDLE, ...args]);
}

it('keys are made once, told by their certificates, changed when their time has come, and given ones are looked at', async () => {
  const secretId = await secret('made');
  const first = await answered('Create');
  expect([first.Status, first.Reason]).toEqual(['SUCCESS', undefined]);
  const kept = await held(secretId);
  expect(first.Data['Certificate']).toContain(new X509Certificate(kept.certificate).fingerprint256);
  expect(first.Data['Next']).toContain(new X509Certificate(kept.next!.certificate).fingerprint256);
  expect([await parameter('/test/made/current'), await parameter('/test/made/next')]).toEqual([kept.certificate, kept.next!.certificate]);
  for (const type of ['Create', 'Update'] as const) expect((await answered(type)).Status).toBe('SUCCESS');
  await lambda({ 'detail-type': 'Scheduled Event' });
  expect(await held(secretId)).toEqual(kept);
  expect(said.all([])).toMatch(/"Keys":"made","As2KeyDaysLeft":36[45]/);

  process.env['CHANGE_DAYS'] = '0.000001';
  await lambda({ 'detail-type': 'Scheduled Event' });
  const changed = await held(secretId);
  expect([changed.certificate, changed.previous?.certificate]).toEqual([kept.next!.certificate, kept.certificate]);
  expect(await parameter('/test/made/current')).toBe(kept.next!.certificate);
  expect((await answered('Delete')).Status).toBe('SUCCESS');
  expect(await held(secretId)).toEqual(changed);
  await expect(parameter('/test/made/current')).rejects.toThrow(/not found/i);

  await secret('given', JSON.stringify({ certificate: kept.certificate, privateKey: kept.privateKey }));
  expect((await answered('Create')).Status).toBe('SUCCESS');
  await secret('wrong', JSON.stringify({ certificate: kept.certificate, privateKey: kept.next!.privateKey }));
  expect((await answered('Create')).Reason).toMatch(/^as2Keys: the secret .*wrong.* has not both certificate and privateKey in PEM$/);
});

it('the built server takes messages by the synthesized settings, encrypted for the key in use, the next one and the one before', async () => {
  const secretId = await secret('served');
  await answered('Create');
  const them = await party('them');
  const port = await freePort();
  const plainPort = await freePort();
  const settings = { ...settingsOfInstance(them, secretId), port, plainPort };
  const config = {
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    tls: { certificates: [await place.put('server', await place.authority.issue())] },
    identity: [
      {
        kind: 'file',
        file: await place.write('accounts.json', JSON.stringify({ accounts: [{ user: 'them', clientCertificate: 'instead-of-password', home: '/them' }] })),
      },
    ],
    as2: settings,
  };
  const server: ServedProcess = await serveConfigured(config, { ...process.env, AWS_ENDPOINT_URL: moto.url });
  try {
    let sent = 0;
    /** Sends a message that is encrypted for a certificate, and says whose signature its receipt has, and what it says. */
    const exchange = async (encryptedFor: string, signers: readonly string[]) => {
      sent += 1;
      const messageId = `<${sent}@them>`;
      const sealed = sealMessage(
        [
          {
            name: `order-${sent}.edi`,
            contentType: 'application/edifact',
            body: (async function* () {
              yield Buffer.from('UNA');
            })(),
            size: 3,
          },
        ],
        {
          messageId,
          sign: { by: them.pair, digest: 'sha256' },
          encrypt: { for: [new X509Certificate(encryptedFor)], cipher: 'aes-256-cbc', transport: 'rsa-pkcs1' },
        },
      );
      const options = { 'Disposition-Notification-Options': 'signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256' };
      const answer = await send(plainPort, { ...asking(messageId, options), ...sealed.headers }, await read(sealed.body));
      const opened = await openMessage(
        answer.headers,
        (async function* () {
          yield answer.body;
        })(),
        { decryption: [], signers: signers.map((one) => new X509Certificate(one)), policy: { mustSign: true, mustEncrypt: false } },
        {},
        async () => {},
      );
      return [opened.receipt?.disposition, opened.signer?.fingerprint256];
    };
    const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;
    const before = await held(secretId);
    const all = [before.certificate, before.next!.certificate];
    const processed = expect.stringMatching(/processed$/);
    expect(await exchange(before.certificate, all)).toEqual([processed, fingerprint(before.certificate)]);
    expect(await exchange(before.next!.certificate, all)).toEqual([processed, fingerprint(before.certificate)]);

    const changed = await ftps('as2', 'change-keys', '--function', 'keys');
    expect([changed.code, changed.code === 0 ? '' : changed.output]).toEqual([0, '']);
    const after = await held(secretId);
    expect(changed.output).toMatch(
      new RegExp(`^Signs now: ${fingerprint(after.certificate)} until .*\nSigns after the next change: ${fingerprint(after.next!.certificate)} `),
    );
    expect(after.certificate).toBe(before.next!.certificate);
    // Its line of the audit says that the server has them.
    while (!server.audit().some(({ unmapped }) => unmapped?.what === 'AS2 certificates')) await sleep(50);
    expect(await exchange(after.certificate, all)).toEqual([processed, fingerprint(after.certificate)]);
    expect(await exchange(before.certificate, all)).toEqual([processed, fingerprint(after.certificate)]);
    expect(readdirSync(join(server.files, 'them/inbox')).sort()).toEqual(['order-1.edi', 'order-2.edi', 'order-3.edi', 'order-4.edi']);

    const told = await ftps('as2', 'identity', '--config', join(server.folder, 'config.json'));
    expect([told.code, told.code === 0 ? '' : told.output]).toEqual([0, '']);
    expect(told.output).toMatch(/^Us\nhttps:\/\/ftps\.example\.com\/as2\n/);
    for (const one of [after.certificate, after.next!.certificate]) expect(told.output).toContain(one.trim().split('\n')[1]!);
    expect(told.output).not.toMatch(/PRIVATE/);
  } finally {
    await server.stop();
  }
});
