/** What the kit says of issuers and webhooks, taken by the server as it is, with secrets in moto in place of Secrets Manager. */
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { App, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { serverConfig } from '../../../lib/server-config';
import { Webhook } from '../../../server/files/release/webhook';
import { type HttpsServed, httpsServed } from '../../server/https/served';
import { TestAuthority } from '../../server/support/authority';
import { freePort } from '../../server/support/free-port';
import { CLIENT_SECRET, type OidcProvider, oidcProvider, signInThere } from '../../server/support/openid';
import { type Moto, startMoto } from '../support/moto';

const keys = [randomBytes(32), randomBytes(32)] as const;
const text = (key: Buffer) => JSON.stringify({ secret: `whsec_${key.toString('base64')}` });
const stack = new Stack(new App(), 'Test');
let moto: Moto;
let secrets: SecretsManagerClient;
let provider: OidcProvider;
let endpoint: Server;
let server: HttpsServed;
let folder: string;
let told: ReturnType<typeof serverConfig>;
let signingArn: string;
const heard: { headers: IncomingMessage['headers']; body: string }[] = [];

async function made(name: string, value: string): Promise<string> {
  return (await secrets.send(new CreateSecretCommand({ Name: name, SecretString: value }))).ARN!;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-kit-'));
  moto = await startMoto();
  secrets = new SecretsManagerClient({});
  const authority = await TestAuthority.create();
  const { certificate: cert, key } = await authority.issue({ names: ['localhost'] });
  endpoint = createServer({ cert, key }, async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    heard.push({ headers: request.headers, body });
    response.end();
    endpoint.emit('heard');
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const port = await freePort();
  provider = await oidcProvider(`https://127.0.0.1:${port}/api/v1/sign-in/callback`);
  signingArn = await made('ftps/webhooks/erp', text(keys[0]));
  const clientArn = await made('ftps/office', JSON.stringify({ clientSecret: CLIENT_SECRET }));
  told = serverConfig(
    {
      https: {
        port,
        issuers: [
          {
            issuer: provider.issuer,
            ca: provider.ca,
            rules: [{ claims: [{ name: 'groups', value: 'everybody' }], user: 'p-{sub}', account: { home: '/people/{sub}' } }],
            signIn: { name: 'the office', clientId: 'files', clientSecret: Secret.fromSecretCompleteArn(stack, 'Office', clientArn) },
          },
        ],
      },
    },
    {
      certificateSecretIds: ['certificate'],
      storage: { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false },
      identity: [{ kind: 'secrets', prefix: 'partners/' }],
      advertisedAddress: 'auto',
      webhooks: [
        {
          name: 'erp',
          url: `https://localhost:${(endpoint.address() as AddressInfo).port}/uploads`,
          signingSecrets: [Secret.fromSecretCompleteArn(stack, 'Erp', signingArn)],
          networks: ['127.0.0.0/8', '::1/128'],
          ca: authority.pem,
        },
      ],
    },
  );
  const { issuers, signInWith } = told.https!;
  server = await httpsServed({
    https: { port, issuers, signInWith },
    afterRelease: { webhooks: told.afterRelease.webhooks, outbox: join(folder, 'outbox') },
  });
});
afterAll(async () => {
  await server?.close();
  provider?.stop();
  endpoint?.closeAllConnections();
  endpoint?.close();
  await moto?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const signedBy = (key: Buffer, { headers, body }: (typeof heard)[number]) =>
  headers['webhook-signature'] ===
  `v1,${createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64')}`;

it('who signs in at the issuer has his account, and an upload of his is told to the endpoint, signed by the secret', async () => {
  const client = server.connect();
  const begun = await client.ask('POST', '/api/v1/sign-in/ways/0');
  const cookies = (answer: typeof begun) => (answer.headers['set-cookie'] as unknown as string[]).map((one) => one.split(';', 1)[0]!);
  const path = await signInThere(provider, begun.json.location, 'bob');
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', cookie: cookies(begun)[0]! };
  const back = await client.ask('GET', path, { headers });
  expect(back).toMatchObject({ status: 303, headers: { location: '/' } });
  [client.cookie] = cookies(back);
  const came = once(endpoint, 'heard');
  expect((await client.ask('PUT', '/api/v1/files/order.csv', { body: Buffer.from('1;2') })).status).toBe(201);
  await came;
  expect(JSON.parse(heard[0]!.body)).toMatchObject({ user: 'p-bob', path: '/order.csv', bytes: 3 });
  expect(signedBy(keys[0], heard[0]!)).toBe(true);
});

it('a new value of the secret signs within a minute', async () => {
  let now = Date.now();
  const webhook = new Webhook(told.afterRelease.webhooks[0]!, () => now);
  await webhook.post('one', '{}');
  await secrets.send(new PutSecretValueCommand({ SecretId: signingArn, SecretString: text(keys[1]) }));
  now += 60_000;
  await webhook.post('two', '{}');
  webhook.close();
  expect(heard.slice(-2).map((one) => [signedBy(keys[0], one), signedBy(keys[1], one)])).toEqual([
    [true, false],
    [false, true],
  ]);
});
