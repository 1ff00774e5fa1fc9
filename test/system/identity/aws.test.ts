/** Accounts in Secrets Manager and lock-outs shared by two servers in DynamoDB, both of moto; the servers and `ftps user` are the built ones. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient, ScanCommand, UpdateItemCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Account } from '../../../server/identity/identity';
import { SignInTable } from '../../../server/sessions/sign-in-table';
import { type Moto, startMoto } from '../support/moto';
import { BUNDLE, run } from '../support/served';
import { Server } from './server';

const PREFIX = 'partners/';
const TABLE = 'lockouts';
const PASSWORD = 'a G00d password, "quoted"';
let moto: Moto;
let environment: Record<string, string>;
let secrets: SecretsManagerClient;
let dynamodb: DynamoDBClient;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-aws-'));
  await connectToMoto();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: TABLE,
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  await dynamodb.send(new UpdateTimeToLiveCommand({ TableName: TABLE, TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true } }));
});

async function connectToMoto(): Promise<void> {
  moto = await startMoto();
  environment = { AWS_ENDPOINT_URL: moto.url, AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing-secret-key' };
  const client = { endpoint: moto.url, region: 'eu-central-1', credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' } };
  secrets = new SecretsManagerClient(client);
  dynamodb = new DynamoDBClient(client);
}

afterAll(async () => {
  await moto.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The built command with moto for AWS. */
const ftps = (args: readonly string[], input?: string, settings = environment) =>
  run('env', [...Object.entries(settings).map(([key, value]) => `${key}=${value}`), 'NODE_NO_WARNINGS=1', process.execPath, BUNDLE, 'user', ...args], input);

const secretOf = async (user: string) => JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: PREFIX + user }))).SecretString!);

const serve = (lockout: object = {}, settings = environment) =>
  Server.start(
    {
      identity: [{ kind: 'secrets', prefix: PREFIX, cacheSeconds: 0.2, negativeCacheSeconds: 0.2 }],
      limits: { lockout: { failuresPerAccount: 4, failuresPerAddress: 100, firstSeconds: 60, ...lockout } },
    },
    { environment: settings },
  );

describe('accounts in Secrets Manager', () => {
  let server: Server;
  beforeAll(async () => {
    server = await serve();
  });
  afterAll(() => server?.close());

  it('come and go with ftps user while the server runs', async () => {
    expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 530 });
    expect(await ftps(['add', 'ann', '--prefix', PREFIX, '--home', '/partners/ann'], `${PASSWORD}\n`)).toEqual({
      code: 0,
      output: `ann was added to secrets ${PREFIX}*\n`,
    });
    expect(await secretOf('ann')).toEqual({ home: '/partners/ann', passwordHash: expect.stringMatching(/^\$scrypt\$/) });
    await eventually(() => server.login('ann', PASSWORD), 230);
    await server.makeFolder('ann', PASSWORD, 'made');
    expect(existsSync(join(server.folder, 'files/partners/ann/made'))).toBe(true);

    expect((await ftps(['passwd', 'ann', '--prefix', PREFIX], 'another G00d password\n')).code).toBe(0);
    await eventually(() => server.login('ann', 'another G00d password'), 230);
    expect((await ftps(['disable', 'ann', '--prefix', PREFIX])).code).toBe(0);
    await eventually(() => server.login('ann', 'another G00d password'), 530);
    expect(await server.lastLogin('ann')).toContain('account-disabled');
    expect((await ftps(['list', '--prefix', PREFIX])).output).toMatch(/^ann +\/partners\/ann .*\(disabled\)\n$/);

    expect((await ftps(['remove', 'ann', '--prefix', PREFIX])).code).toBe(0);
    expect((await ftps(['list', '--prefix', PREFIX])).output).toBe('');
    for (let attempt = 0; !(await server.lastLogin('ann')).includes('unknown-user'); attempt += 1) {
      expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 530 });
      if (attempt > 20) throw new Error('the removed account is still known');
      await after(100);
    }
    // A secret that waits for its deletion is taken up again.
    const { code, output } = await ftps(['add', 'ann', '--prefix', PREFIX, '--generate']);
    expect(code).toBe(0);
    const [generated = ''] = /^[A-Za-z0-9]{24}$/m.exec(output) ?? [];
    await eventually(() => server.login('ann', generated), 230);
  });

  it('in the layout of AWS Transfer Family log in as they are, and can be moved to hashes', async () => {
    const secret = { Password: 'their old pw', Role: 'arn:aws:iam::111122223333:role/transfer', HomeDirectory: '/bucket/old/mover' };
    await secrets.send(new CreateSecretCommand({ Name: `${PREFIX}mover`, SecretString: JSON.stringify(secret) }));
    await server.makeFolder('mover', 'their old pw', 'made');
    expect(existsSync(join(server.folder, 'files/old/mover/made'))).toBe(true);
    expect(await server.login('mover', 'their old p')).toMatchObject({ code: 530 });

    expect((await ftps(['import', '--from-prefix', PREFIX, '--prefix', 'moved/'])).output).toContain('mover: it has 12 characters'.slice(0, 5));
    const moved = await ftps(['import', '--from-prefix', PREFIX, '--prefix', 'moved/', '--accept-weak']);
    expect(moved).toEqual({ code: 0, output: '2 accounts were written to secrets moved/*\n' });
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'moved/mover' }));
    expect(JSON.parse(SecretString!)).toMatchObject({ home: '/old/mover', passwordHash: expect.stringMatching(/^\$scrypt\$/) });
    expect(SecretString).not.toContain('their old pw');
  });

  it('that are no accounts let nobody in, and the audit says which key is wrong', async () => {
    await secrets.send(new CreateSecretCommand({ Name: `${PREFIX}broken`, SecretString: JSON.stringify({ passwordHash: 'hush-hush' }) }));
    expect(await server.login('broken', 'hush-hush')).toMatchObject({ code: 421 });
    expect(await server.lastLogin('broken')).toContain('passwordHash');
    await secrets.send(new UpdateSecretCommand({ SecretId: `${PREFIX}broken`, SecretString: 'hush-hush' }));
    expect(await server.login('broken', 'hush-hush')).toMatchObject({ code: 421 });
    for (const secret of ['hush-hush', 'their old pw', PASSWORD.slice(0, 12), environment['AWS_SECRET_ACCESS_KEY']!])
      expect(server.written).not.toContain(secret);
  });
});

it('accounts that are replicated log in in another region, follow their passwords, and are changed where they were made alone', async () => {
  const elsewhere = { ...environment, AWS_REGION: 'eu-west-1' };
  const SecretId = `${PREFIX}both`;
  expect((await ftps(['add', 'both', '--prefix', PREFIX], `${PASSWORD}\n`)).code).toBe(0);
  await secrets.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: 'eu-west-1' }] }));
  const server = await serve({}, elsewhere);
  try {
    expect(await server.login('both', PASSWORD)).toMatchObject({ code: 230 });
    expect((await ftps(['passwd', 'both', '--prefix', PREFIX], 'another G00d password\n')).code).toBe(0);
    await eventually(() => server.login('both', 'another G00d password'), 230);
    const there = await ftps(['passwd', 'both', '--prefix', PREFIX], 'a third G00d password\n', elsewhere);
    expect(there).toEqual({ code: 1, output: expect.stringContaining('Operation not permitted on a replica secret') });
    expect(await server.login('both', 'another G00d password')).toMatchObject({ code: 230 });
  } finally {
    await server.close();
  }
});

describe('lock-outs shared by two servers', () => {
  let servers: [Server, Server];
  beforeAll(async () => {
    servers = [await serve({ table: TABLE }), await serve({ table: TABLE })];
    for (const name of ['lena', 'lars', 'alone', 'again'])
      await secrets.send(new CreateSecretCommand({ Name: PREFIX + name, SecretString: JSON.stringify({ Password: PASSWORD, HomeDirectory: `/b/${name}` }) }));
  });
  afterAll(async () => {
    for (const server of servers ?? []) await server.close();
  });

  it('failures on one count on the other, and lock the account out on both', async () => {
    const [one, other] = servers;
    for (const server of [one, other, one, other]) await server.login('lena', 'wrong');
    for (const server of servers) {
      expect(await server.login('lena', PASSWORD)).toMatchObject({ code: 530 });
      expect(await server.lastLogin('lena')).toContain('locked-out');
      expect(await server.login('lars', PASSWORD)).toMatchObject({ code: 230 });
    }
    const locked = [...one.audit(), ...other.audit()].filter((line) => JSON.stringify(line).includes('"event":"lockout"'));
    expect(locked).toHaveLength(1); // by one of the two
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: TABLE }));
    const item = Items.find(({ key }) => key?.S === 'account lena')!;
    expect(Number(item['lockedUntil']!.N)).toBeGreaterThan(Date.now());
    expect(Number(item['expires']!.N)).toBeGreaterThan(Number(item['lockedUntil']!.N) / 1000);
  });

  it('a good login takes back the failures that its server saw', async () => {
    const [one] = servers;
    for (let count = 0; count < 3; count += 1) await one.login('again', 'wrong');
    expect(await one.login('again', PASSWORD)).toMatchObject({ code: 230 });
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: TABLE }));
    expect(Items.map(({ key }) => key?.S)).not.toContain('account again');
  });

  it('an item that is out of date, which TTL has not removed yet, counts for nothing', async () => {
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: TABLE,
        Key: { key: { S: 'account old' } },
        UpdateExpression: 'SET failures = :many, lockouts = :many, expires = :past',
        ExpressionAttributeValues: { ':many': { N: '3' }, ':past': { N: '1000' } },
      }),
    );
    await servers[0].login('old', 'wrong');
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: TABLE }));
    expect(Items.find(({ key }) => key?.S === 'account old')).toMatchObject({ failures: { N: '1' } });
  });

  it('sign-ins over HTTPS stand in it as well, until they end, are idle or old', async () => {
    Object.assign(process.env, environment);
    let now = Date.now();
    const [one, other] = [1, 2].map(() => new SignInTable(TABLE, { signInIdleSeconds: 100, signInSeconds: 250 }, () => now)) as [SignInTable, SignInTable];
    const by = { issuer: 'https://login.example.com', scopes: ['read' as const], folder: '/out' };
    const signIn = { account: { user: 'lena', home: '/b/lena' } as Account, fingerprint: 'f', by };
    await one.put('digest', signIn);
    for (const seconds of [90, 90, 60]) {
      expect(await other.use('digest')).toEqual(signIn);
      now += seconds * 1000;
    }
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: TABLE }));
    expect(Object.keys(Items.find(({ key }) => key?.S === 'sign-in digest')!).sort()).toEqual(['begunAt', 'expires', 'key', 'signIn', 'usedAt']);
    now += 20_000;
    expect(await one.use('digest')).toBeUndefined(); // it is old
    await one.put('digest', signIn);
    now += 100_000;
    expect(await one.use('digest')).toBeUndefined(); // it was idle
    await one.put('digest', signIn);
    await other.remove('digest');
    expect(await one.use('digest')).toBeUndefined();
    // One key of seals for all, however many make it.
    const keys = await Promise.all([one, other, one].map((table) => table.sealKey()));
    expect(keys).toEqual(Array(3).fill(expect.stringMatching(/^[\w-]{43}$/)));
    expect(new Set(keys).size).toBe(1);
    for (const table of [one, other]) table.close();
  });

  it('without the table, each server goes on with its own, and the audit says so', async () => {
    const [one] = servers;
    expect(await one.login('alone', PASSWORD)).toMatchObject({ code: 230 });
    await moto.stop();
    for (let count = 0; count < 5; count += 1) await one.login('alone', 'wrong');
    expect(await one.lastLogin('alone')).toMatch(/locked-out|can't be read/);
    expect(one.written).toContain('lock-outs are not shared');
    expect(one.running).toBe(true);
  });
});

/** Logs in until the answer is this; what a cache still knows goes within moments. */
async function eventually(login: () => Promise<{ code: number }>, code: number): Promise<void> {
  for (let attempt = 0; (await login()).code !== code; attempt += 1) {
    if (attempt > 20) throw new Error(`the login is not answered with ${code}`);
    await after(100);
  }
}
