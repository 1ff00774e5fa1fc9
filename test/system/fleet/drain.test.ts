/** The built server on an instance that its Auto Scaling group wants to end: metadata and the group's API are emulated, the transfers are real. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client } from 'basic-ftp';
import type { AuditLine } from '../../../server/audit/schema';
import { hashPassword } from '../../../server/identity/password';
import { TestAuthority } from '../../server/support/authority';
import { BUNDLE } from '../support/served';

const PASSWORD = 'drained 50 times';
let folder: string;
let ca: string;
let aws: Server;
let server: ChildProcess;
let lifecycleState = 'InService';
const asked: string[] = [];
const completed: { body: string; transfersEnded: number }[] = [];

const audit = (): AuditLine[] =>
  readFileSync(join(folder, 'audit.json'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const transfersEnded = () => audit().filter(({ unmapped }) => unmapped?.event === 'transfer').length;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-drain-'));
  aws = createServer(async (request, response) => {
    if (request.url === '/latest/api/token') return response.end('token');
    if (request.url?.startsWith('/latest/meta-data/')) {
      if (request.headers['x-aws-ec2-metadata-token'] !== 'token') return response.writeHead(401).end();
      const path = request.url.slice('/latest/meta-data/'.length);
      asked.push(path);
      return response.end(path === 'instance-id' ? 'i-0123456789abcdef0' : lifecycleState);
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    completed.push({ body, transfersEnded: transfersEnded() });
    return response.end(
      '<CompleteLifecycleActionResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><CompleteLifecycleActionResult/></CompleteLifecycleActionResponse>',
    );
  });
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(aws.address() as AddressInfo).port}`;
  const authority = await TestAuthority.create();
  const issued = await authority.issue();
  ca = authority.pem;
  writeFileSync(join(folder, 'server.pem'), issued.certificate);
  writeFileSync(join(folder, 'server.key'), issued.key);
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts: [{ user: 'partner', passwordHash: await hashPassword(PASSWORD) }] }));
  writeFileSync(
    join(folder, 'server.json'),
    JSON.stringify({
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
      passive: { ports: 'any:4' },
      tls: { certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }] },
      storage: { kind: 'local', root: join(folder, 'files') },
      identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
      audit: { destination: join(folder, 'audit.json') },
      lifecycle: { kind: 'auto-scaling', group: 'ftps-prod-Fleet', hook: 'ftps-drain', pollSeconds: 0.2 },
    }),
  );
  server = spawn(process.execPath, [BUNDLE, 'serve', '--config', join(folder, 'server.json'), '--ready-file', join(folder, 'ready.json')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: endpoint,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
    },
  });
  await seen(() => readFileSync(join(folder, 'ready.json'), 'utf8').endsWith('\n'));
});

afterAll(async () => {
  if (server.exitCode === null) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  aws.closeAllConnections();
  aws.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Waits until something is so in the folder of the server; looks whenever a file changes. */
function seen(is: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      try {
        if (!is()) return;
      } catch {
        return; // not there yet
      }
      watcher.close();
      resolve();
    };
    const watcher = watch(folder, look);
    look();
  });
}

async function login(): Promise<Client> {
  const client = new Client(60_000);
  const port = JSON.parse(readFileSync(join(folder, 'ready.json'), 'utf8')).explicit;
  await client.access({ host: 'localhost', port, user: 'partner', password: PASSWORD, secure: true, secureOptions: { ca, host: 'localhost' } });
  return client;
}

it('takes no more sessions, lets 50 running transfers finish, and then lets the instance go', async () => {
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const half = Buffer.alloc(200_000, 'x');
  const uploads: Promise<unknown>[] = [];
  const begun: Promise<void>[] = [];
  const clients: Client[] = [];
  for (let index = 0; index < 50; index++) {
    const client = await login();
    clients.push(client);
    begun.push(
      new Promise((resolve) => {
        async function* body() {
          resolve();
          yield half;
          await released;
          yield half;
        }
        uploads.push(client.uploadFrom(Readable.from(body()), `file-${index}`));
      }),
    );
    await begun.at(-1);
  }
  expect(asked).toContain('autoscaling/target-lifecycle-state');
  expect(completed).toEqual([]);

  lifecycleState = 'Terminated';
  await seen(() => audit().some(({ message }) => message === 'Server draining'));
  await expect(login()).rejects.toThrow(/421/);
  expect(completed).toEqual([]);
  const exited = once(server, 'exit');
  release();
  await Promise.all(uploads);
  const [code] = await exited;

  expect(code).toBe(0); // and systemd does not start it again
  for (let index = 0; index < 50; index++) expect(readFileSync(join(folder, 'files', `file-${index}`)).length).toBe(400_000);
  expect(audit().filter(({ unmapped, status_id }) => unmapped?.event === 'transfer' && status_id === 1)).toHaveLength(50);
  expect(completed).toHaveLength(1);
  expect(completed[0]?.transfersEnded).toBe(50);
  const told = new URLSearchParams(completed[0]?.body);
  expect(Object.fromEntries(told)).toMatchObject({
    Action: 'CompleteLifecycleAction',
    AutoScalingGroupName: 'ftps-prod-Fleet',
    LifecycleHookName: 'ftps-drain',
    InstanceId: 'i-0123456789abcdef0',
    LifecycleActionResult: 'CONTINUE',
  });
  for (const client of clients) client.close();
}, 120_000);
