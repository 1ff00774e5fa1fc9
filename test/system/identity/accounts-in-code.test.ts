/** The built Lambda that writes the accounts of `FtpsAccount`, against moto, and the built server that reads them. */
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type Answer, awaitAnswers, type Stack } from '../support/cloudformation';
import { type Moto, startMoto } from '../support/moto';
import { Said } from '../support/said';
import { BUNDLE, run } from '../support/served';
import { Server } from './server';

const PREFIX = 'partners/';
const [FIRST, SECOND] = ['G00d-enough-first', 'G00d-enough-second'];
let moto: Moto;
let cloudFormation: Stack;
let secrets: SecretsManagerClient;
let password: string;
/** Everything that the Lambda wrote or answered. */
const said = new Said();

beforeAll(async () => {
  moto = await startMoto({ script: join(__dirname, 'moto_current.py') });
  Object.assign(process.env, { PREFIX, KMS_KEY_ID: 'alias/accounts', STACK: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/partners/1' });
  secrets = new SecretsManagerClient({});
  cloudFormation = await awaitAnswers();
});
afterAll(async () => {
  cloudFormation.close();
  await moto.stop();
});

let count = 0;
let [acme, globex] = ['', ''];
beforeEach(async () => {
  count += 1;
  [acme, globex] = [`acme${count}`, `globex${count}`];
  password = (await secrets.send(new CreateSecretCommand({ Name: `given/${acme}`, SecretString: FIRST }))).ARN!;
  said.listen();
});
afterEach(() => {
  jest.restoreAllMocks();
  const all = said.all(cloudFormation.answers);
  for (const secret of [FIRST, SECOND, '$scrypt$']) expect(all.includes(secret)).toBe(false);
});

const lambda = (event: object): Promise<void> => require('../../../dist/lambda/identity-account/index.js').handler(event);
/** For programs of their own. */
const AWS = () => ({ AWS_ENDPOINT_URL: moto.url, AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
const SCHEDULE = { 'detail-type': 'Scheduled Event' };

interface Properties {
  readonly User: string;
  readonly Rules?: object;
  readonly PasswordSecret?: string;
  readonly Retain?: string;
}

/** What CloudFormation sends for a resource, and what it is answered. */
async function deploy(type: 'Create' | 'Update' | 'Delete', LogicalResourceId: string, said: Properties, PhysicalResourceId?: string): Promise<AccountAnswer> {
  const properties = { PasswordSecret: password, ...said, Rules: JSON.stringify(said.Rules ?? { home: '/acme' }) };
  await lambda({ ...cloudFormation.request(type, properties), LogicalResourceId, PhysicalResourceId });
  return cloudFormation.answers.at(-1) as AccountAnswer;
}
type AccountAnswer = Answer & { readonly PhysicalResourceId: string; readonly Reason?: string };

async function ofAnotherStack<T>(act: () => Promise<T>): Promise<T> {
  const stack = process.env['STACK'];
  process.env['STACK'] = 'the other one';
  return act().finally(() => {
    process.env['STACK'] = stack;
  });
}

const read = async (user: string) => JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: PREFIX + user }))).SecretString!);
/** `gone` for what is deleted, and can be restored. */
async function stateOf(user: string): Promise<'there' | 'gone' | 'never'> {
  try {
    return (await secrets.send(new DescribeSecretCommand({ SecretId: PREFIX + user }))).DeletedDate ? 'gone' : 'there';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return 'never';
    throw error;
  }
}

it('logs in to the server with the password of the given secret, and with the new one after that was exchanged', async () => {
  expect(await deploy('Create', 'Acme', { User: acme })).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: PREFIX + acme, Data: {} });
  expect((await read(acme)).passwordHash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
  const server = await Server.start({ identity: [{ kind: 'secrets', prefix: PREFIX, cacheSeconds: 0.1, negativeCacheSeconds: 0.1 }] }, { environment: AWS() });
  expect(await server.login(acme, FIRST)).toMatchObject({ code: 230 });
  const hash = (await read(acme)).passwordHash;
  await lambda(SCHEDULE);
  expect((await read(acme)).passwordHash).toBe(hash); // nothing changed, and nothing is written
  await secrets.send(new PutSecretValueCommand({ SecretId: password, SecretString: JSON.stringify({ username: 'x', password: SECOND }) }));
  await lambda(SCHEDULE);
  expect((await read(acme)).home).toBe('/acme');
  while ((await server.login(acme, SECOND)).code !== 230) await after(50); // the server remembers for a tenth of a second
  expect(await server.login(acme, FIRST)).toMatchObject({ code: 530 });
  await server.close();
});

it('goes with its construct for thirty days, and comes back with it', async () => {
  await deploy('Create', 'Acme', { User: acme });
  await deploy('Delete', 'Acme', { User: acme }, PREFIX + acme);
  expect(await stateOf(acme)).toBe('gone');
  await deploy('Create', 'AnotherId', { User: acme, Rules: { home: '/new' } });
  expect(await read(acme)).toMatchObject({ home: '/new' });
});

it('stays where it is to be retained, and the next construct of its name takes it', async () => {
  await deploy('Create', 'Acme', { User: acme, Retain: 'true' });
  await deploy('Delete', 'Acme', { User: acme, Retain: 'true' }, PREFIX + acme);
  expect(await stateOf(acme)).toBe('there');
  expect(await ofAnotherStack(() => deploy('Create', 'Elsewhere', { User: acme }))).toMatchObject({ Status: 'SUCCESS' });
});

describe('renamed', () => {
  it('has both names until the deployment has ended, and loses none where that goes back', async () => {
    await deploy('Create', 'Acme', { User: acme });
    expect((await deploy('Update', 'Acme', { User: globex }, PREFIX + acme)).PhysicalResourceId).toBe(PREFIX + globex);
    expect([await stateOf(acme), await stateOf(globex)]).toEqual(['there', 'there']);
    await deploy('Update', 'Acme', { User: acme }, PREFIX + globex); // another resource failed
    await deploy('Delete', 'Acme', { User: globex }, PREFIX + globex);
    expect([await stateOf(acme), await stateOf(globex)]).toEqual(['there', 'gone']);
  });

  it('as a construct, the account goes on: the new one takes it over before the old one is removed', async () => {
    await deploy('Create', 'OldId', { User: acme });
    await deploy('Create', 'NewId', { User: acme, Rules: { home: '/new' } });
    await deploy('Delete', 'OldId', { User: acme }, PREFIX + acme);
    expect(await read(acme)).toMatchObject({ home: '/new' });
    await deploy('Delete', 'NewId', { User: acme }, PREFIX + acme);
    expect(await stateOf(acme)).toBe('gone');
  });

  it('as a construct in a deployment that goes back, the old one has it again as it was, its password too', async () => {
    await deploy('Create', 'OldId', { User: acme });
    const before = await read(acme);
    const other = (await secrets.send(new CreateSecretCommand({ Name: `given/other-${acme}`, SecretString: SECOND }))).ARN!;
    await deploy('Create', 'NewId', { User: acme, PasswordSecret: other, Rules: { home: '/new' } });
    await deploy('Delete', 'NewId', { User: acme, PasswordSecret: other }, PREFIX + acme);
    expect(await read(acme)).toEqual(before);
    await lambda(SCHEDULE);
    expect((await read(acme)).home).toBe('/acme');
    await deploy('Delete', 'OldId', { User: acme }, PREFIX + acme);
    expect(await stateOf(acme)).toBe('gone');
  });

  it('two that exchange their names lose neither', async () => {
    await deploy('Create', 'One', { User: acme, Rules: { home: '/one' } });
    await deploy('Create', 'Two', { User: globex, Rules: { home: '/two' } });
    await deploy('Update', 'One', { User: globex, Rules: { home: '/one' } }, PREFIX + acme);
    await deploy('Update', 'Two', { User: acme, Rules: { home: '/two' } }, PREFIX + globex);
    await deploy('Delete', 'One', { User: acme }, PREFIX + acme);
    await deploy('Delete', 'Two', { User: globex }, PREFIX + globex);
    expect([(await read(acme)).home, (await read(globex)).home]).toEqual(['/two', '/one']);
  });
});

/** The built command, with moto for AWS. */
const operator = (...args: string[]) =>
  run('env', [...Object.entries(AWS()).map(([key, value]) => `${key}=${value}`), 'NODE_NO_WARNINGS=1', process.execPath, BUNDLE, ...args, '--prefix', PREFIX]);

it('asks for codes and has its tokens when it is deployed anew and hashed anew, and not when it is gone and made again', async () => {
  await deploy('Create', 'Acme', { User: acme });
  expect(await operator('user', 'totp', 'add', acme)).toMatchObject({ code: 0 });
  expect(await operator('token', 'create', acme, '--name', 'reports')).toMatchObject({ code: 0 });
  const { totp, tokens } = await read(acme);
  expect([totp.secret, tokens[0].sha256]).toEqual([expect.any(String), expect.any(String)]);
  await deploy('Update', 'Acme', { User: acme, Rules: { home: '/new' } }, PREFIX + acme);
  expect(await read(acme)).toMatchObject({ home: '/new', totp, tokens });
  await secrets.send(new PutSecretValueCommand({ SecretId: password, SecretString: SECOND }));
  await lambda(SCHEDULE);
  expect(await read(acme)).toMatchObject({ home: '/new', totp, tokens });
  expect(said.all(cloudFormation.answers)).not.toContain(totp.secret);
  await deploy('Delete', 'Acme', { User: acme }, PREFIX + acme);
  await deploy('Create', 'Acme', { User: acme });
  expect(Object.keys(await read(acme)).sort()).toEqual(['home', 'passwordHash']);
});

it('that an operator has disabled stays so when it is deployed anew, unless the code had said it', async () => {
  await deploy('Create', 'Acme', { User: acme });
  const ftps = await operator('user', 'disable', acme);
  expect(ftps.output).toContain('is disabled');
  await deploy('Update', 'Acme', { User: acme, Rules: { home: '/new' } }, PREFIX + acme);
  expect(await read(acme)).toMatchObject({ home: '/new', enabled: false });
  await deploy('Update', 'Acme', { User: acme, Rules: { home: '/new', enabled: true } }, PREFIX + acme);
  expect(await read(acme)).toMatchObject({ enabled: true });
});

it.each<[string, () => Promise<unknown>, RegExp]>([
  [
    'made by hand',
    () => secrets.send(new CreateSecretCommand({ Name: PREFIX + acme, SecretString: '{"passwordHash":"$scrypt$","home":"/"}' })),
    /is there already and was made by hand; remove it/,
  ],
  ['of another stack', () => ofAnotherStack(() => deploy('Create', 'Acme', { User: acme })), /another stack has an account of this name below partners\//],
  [
    'with a weak password',
    () => secrets.send(new PutSecretValueCommand({ SecretId: password, SecretString: 'short' })),
    /password: the one in the secret .* can't be used: it has 5 characters; 12 are needed/,
  ],
  [
    'with no password in its secret',
    () => secrets.send(new PutSecretValueCommand({ SecretId: password, SecretString: '{"Password":"G00d-enough-first"}' })),
    /holds neither text nor JSON with "password"/,
  ],
])('%s, it is refused with the reason, and nothing is changed; what CloudFormation then deletes is not there', async (_, prepare, reason) => {
  await prepare();
  const before = await stateOf(acme);
  const answer = await deploy('Create', 'Acme', { User: acme });
  expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(reason) });
  expect(await deploy('Delete', 'Acme', { User: acme }, answer.PhysicalResourceId)).toMatchObject({ Status: 'SUCCESS' });
  expect(await stateOf(acme)).toBe(before);
});

it('one password that can not be hashed anew keeps no other back, and the failure is told', async () => {
  await deploy('Create', 'Acme', { User: acme });
  const other = (await secrets.send(new CreateSecretCommand({ Name: `given/${globex}`, SecretString: FIRST }))).ARN!;
  await deploy('Create', 'Globex', { User: globex, PasswordSecret: other });
  const hash = (await read(globex)).passwordHash;
  await secrets.send(new PutSecretValueCommand({ SecretId: password, SecretString: '{}' }));
  await secrets.send(new PutSecretValueCommand({ SecretId: other, SecretString: SECOND }));
  await expect(lambda(SCHEDULE)).rejects.toThrow(new RegExp(`could not be hashed anew: ${acme} \\(`));
  expect((await read(globex)).passwordHash).not.toBe(hash);
});
