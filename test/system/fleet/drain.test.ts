/** The built server on an instance that its Auto Scaling group wants to end: metadata and the group's API are emulated, the transfers are real. */
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client } from 'basic-ftp';
import { hashPassword } from '../../../server/identity/password';
import { TestAuthority } from '../../server/support/authority';
import { type ServedProcess, serveConfigured } from '../support/served';

const PASSWORD = 'drained 50 times';
let folder: string;
let ca: string;
let aws: Server;
let server: ServedProcess;
let lifecycleState = 'InService';
const asked: string[] = [];
const completed: { body: string; transfersEnded: number }[] = [];

const transfersEnded = () => server.audit().filter(({ unmapped }) => unmapped?.event === 'transfer').length;

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
  const credentials = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  server = await serveConfigured(
    {
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
      passive: { ports: 'any:4' },
      tls: { certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }] },
      identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
      lifecycle: { kind: 'auto-scaling', group: 'ftps-prod-Fleet', hook: 'ftps-drain', pollSeconds: 0.2 },
    },
    { ...process.env, ...credentials, AWS_ENDPOINT_URL: endpoint, AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint },
  );
});

afterAll(async () => {
  await server.stop();
  aws.closeAllConnections();
  aws.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Waits for a line of the audit. */
function audited(message: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!server.audit().some((line) => line.message === message)) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(server.auditFile, look);
    look();
  });
}

async function login(): Promise<Client> {
  const client = new Client(60_000);
  await client.access({
    host: 'localhost',
    port: server.explicit,
    user: 'partner',
    password: PASSWORD,
    secure: true,
    secureOptions: { ca, host: 'localhost' },
  });
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
  await audited('Server draining');
  await expect(login()).rejects.toThrow(/421/);
  expect(completed).toEqual([]);
  release();
  await Promise.all(uploads);

  expect(await server.exited).toBe(0); // and systemd does not start it again
  for (let index = 0; index < 50; index++) expect(readFileSync(join(server.files, `file-${index}`)).length).toBe(400_000);
  expect(server.audit().filter(({ unmapped, status_id }) => unmapped?.event === 'transfer' && status_id === 1)).toHaveLength(50);
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
