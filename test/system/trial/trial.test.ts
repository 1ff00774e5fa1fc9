/**
 * A whole trial against moto: the real command line of the CDK deploys staging under a throw-away name and destroys it again, the real `ftps` looks before and makes
 * the account. Image builds and refreshes are emulated in front of moto, which has neither; files go to a server of this machine.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { EnableCommand, Inspector2Client } from '@aws-sdk/client-inspector2';
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { transfer } from '../../../bin/trial/main';
import { type Trial, trial } from '../../../bin/trial/trial';
import type { Ran, World } from '../../../bin/trial/world';
import { type NameServer, nameServer } from '../preflight/name-server';
import { type Moto, startMoto } from '../support/moto';
import { BUNDLE, PASSWORD, type ServedProcess, serveProcess, USER } from '../support/served';

const root = join(__dirname, '../../..');
let moto: Moto;
let front: Server;
let dns: NameServer;
let folder: string;
let zoneId: string;
let server: ServedProcess;
/** How image builds and refreshes end. */
let ends = { build: 'AVAILABLE', refresh: 'Successful' };
const at = (name: string) => join(folder, name);

/** The two calls of Image Builder, and the one about refreshes, as their API references have them. */
function emulated(url: string, body: string): string | undefined {
  if (url.startsWith('/StartImagePipelineExecution'))
    return JSON.stringify({ imageBuildVersionArn: 'arn:aws:imagebuilder:us-east-1:123456789012:image/ftps/1.0.0/2' });
  if (url.startsWith('/GetImage?'))
    return JSON.stringify({
      image: { state: { status: ends.build, reason: 'the test phase' }, outputResources: { amis: [{ image: 'ami-0123456789abcdef0' }] } },
    });
  if (new URLSearchParams(body).get('Action') === 'DescribeInstanceRefreshes')
    return `<DescribeInstanceRefreshesResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeInstanceRefreshesResult><InstanceRefreshes><member><Status>${ends.refresh}</Status></member></InstanceRefreshes></DescribeInstanceRefreshesResult></DescribeInstanceRefreshesResponse>`;
  return undefined;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-trial-'));
  writeFileSync(at('quotas.json'), '{}');
  Object.assign(process.env, { MOTO_QUOTAS: at('quotas.json'), MOTO_STANDS_IN_FOR: at('stands-in-for'), NODE: process.execPath });
  dns = await nameServer();
  server = await serveProcess();
  moto = await startMoto({ region: 'us-east-1', script: join(__dirname, 'moto_of_the_trial.py') });
  const zone = await new Route53Client({}).send(new CreateHostedZoneCommand({ Name: 'sandbox.example.com', CallerReference: 'test' }));
  zoneId = zone.HostedZone!.Id!.split('/').at(-1)!;
  dns.records.set('NS sandbox.example.com', zone.DelegationSet!.NameServers!);
  await new Inspector2Client({}).send(new EnableCommand({ accountIds: ['123456789012'], resourceTypes: ['EC2'] }));
  for (const name of ['AutoScaling', 'ImageBuilder', 'AmazonElasticFileSystem'])
    await new IAMClient({}).send(
      new CreateRoleCommand({ RoleName: `AWSServiceRoleFor${name}`, Path: `/aws-service-role/${name}/`, AssumeRolePolicyDocument: '{}' }),
    );
  front = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const answer = emulated(request.url!, body.toString());
    if (answer !== undefined) return response.writeHead(200, { 'content-type': answer.startsWith('<') ? 'text/xml' : 'application/json' }).end(answer);
    const { host: _h, connection: _c, 'content-length': _l, 'transfer-encoding': _t, expect: _e, ...headers } = request.headers;
    const got = await fetch(`${moto.url}${request.url}`, {
      method: request.method,
      headers: headers as Record<string, string>,
      ...(request.method === 'GET' ? {} : { body }),
    });
    const kept = [...got.headers].filter(([name]) => name.startsWith('x-amz') || name === 'content-type');
    return response.writeHead(got.status, Object.fromEntries(kept)).end(Buffer.from(await got.arrayBuffer()));
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const bootstrap = await program('cdk', ['bootstrap', 'aws://123456789012/us-east-1'], folder);
  expect(`${bootstrap.code} ${bootstrap.code === 0 ? '' : bootstrap.output}`).toBe('0 ');
}, 300_000);
afterAll(async () => {
  await server?.stop();
  front?.close();
  await moto?.stop();
  dns?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A program of the clone, with the account that moto is. The command line of the CDK speaks with moto itself. */
/** Each whole trial has names of its own: moto runs no Lambda when a stack is deleted, so the record stays, and the preflight finds it. */
let trialName = 'trial-test';
const host = () => `${trialName}.sandbox.example.com`;

function program(name: 'cdk' | 'ftps', args: readonly string[], cwd = root): Promise<Ran> {
  const cdk = [join(root, 'node_modules/aws-cdk/bin/cdk'), '--ci', '--no-notices', ...args];
  const ftps = ['--no-warnings', BUNDLE, ...args, ...(args[0] === 'preflight' ? ['--resolver', dns.address] : [])];
  const env = {
    ...process.env,
    TRIAL_NAME: trialName,
    TRIAL_HOST: host(),
    TRIAL_ZONE_ID: zoneId,
    TRIAL_ZONE_NAME: 'sandbox.example.com',
    TRIAL_CLIENTS: '198.51.100.0/24',
    ...(name === 'cdk'
      ? {
          CDK_HOME: at('home'),
          AWS_ENDPOINT_URL: moto.url,
          AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION: moto.url.replace('127.0.0.1', 'localhost'),
          AWS_EC2_METADATA_DISABLED: 'true',
          CDK_DISABLE_CLI_TELEMETRY: 'true',
        }
      : {}),
  };
  const child = spawn(process.execPath, name === 'cdk' ? cdk : ftps, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: string[] = [];
  const errors: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  return new Promise((resolve) =>
    child.on('close', (code) => {
      if (code !== 0) said.push(`${name} ${args[0]}: ${chunks.join('')}${errors.join('')}`);
      resolve({ code: code ?? 1, output: chunks.join('') });
    }),
  );
}

const said: string[] = [];
let asked: string[] = [];
let transfers = 0;

function world(answers: readonly string[]): World {
  asked = [];
  return {
    // ACM can't be asked for an export here; what the command says then is tried in the tests of the rotation.
    run: (name, args) => (args[0] === 'certificate' ? Promise.resolve({ code: 0, output: '' }) : program(name, args)),
    async transfer(door) {
      expect(door).toEqual({ host: host(), user: 'trial', password: expect.stringMatching(/^\S{16,}$/) });
      const ca = readFileSync(server.ca, 'utf8');
      await transfer({ host: 'localhost', user: USER, password: PASSWORD }, { ca, ports: [server.explicit, server.implicit] });
      transfers++;
    },
    doctor: async () => ({ code: 0, output: '' }),
    async ask(question) {
      asked.push(question);
      return answers[asked.length - 1] ?? 'n';
    },
    say: (text) => void said.push(text),
    pause: async () => {},
  };
}

const options = (): Trial => ({ name: trialName, host: host(), zoneId, assembly: at('cdk.out'), looks: 3 });

it('says what it will cost, asks, and does nothing at all where the answer is no', async () => {
  const { steps } = await trial(options(), world(['n']));
  expect(`${steps.map(({ step, passed, why }) => `${step} ${passed} ${why ?? ''}`)} ${steps.every(({ passed }) => passed) ? '' : said.join('\n')}`).toBe(
    'synthesize true  ',
  );
  expect(asked).toEqual(['Go on (y/n)? ']);
  expect(said.join('\n')).toMatch(/deploys staging as ftps-trial-test .* about \d+\.\d\d USD, 7\.00 of them for the certificate/);
}, 300_000);

it('goes from nothing to nothing: deployed, tried in both modes before and after a new image and certificate, destroyed, left-overs named', async () => {
  said.length = 0;
  // What somebody made beside the stacks outlives them.
  await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: 'ftps-trial-test-data/Accounts/forgotten', SecretString: '{}' }));
  const { steps, left } = await trial(options(), world(['y']));
  expect(steps.filter(({ passed }) => !passed).map(({ step, why }) => `${step}: ${why}\n${said.join('\n')}`)).toEqual([]);
  expect(steps.map(({ step }) => step)).toEqual([
    'synthesize',
    'preflight',
    'deploy',
    'make an account',
    'doctor, and transfers in both modes',
    'roll a patched image',
    'doctor, and transfers with the new image',
    'rotate the certificate',
    'destroy',
    'list what is left',
  ]);
  expect(transfers).toBe(3);
  expect(left).toEqual(expect.arrayContaining(['secret ftps-trial-test-data/Accounts/forgotten, 0.40 USD a month']));
  expect(left.filter((one) => one.startsWith('address'))).toEqual([]);
}, 600_000);

it('a step that fails ends it with its reason, and what was made is destroyed where the answer is yes', async () => {
  said.length = 0;
  trialName = 'trial-fails';
  ends = { ...ends, build: 'FAILED' };
  const { steps } = await trial(options(), world(['y', 'y']));
  expect(steps.filter(({ passed }) => !passed).map(({ step, why }) => `${step}: ${why}`)).toEqual([
    'roll a patched image: the build of the image ended as FAILED: the test phase',
  ]);
  expect(steps.slice(-3).map(({ step }) => step)).toEqual(['roll a patched image', 'destroy', 'list what is left']);
  expect(asked[1]).toMatch(/^A step failed\. Destroy ftps-trial-fails-data and ftps-trial-fails now/);
}, 600_000);
