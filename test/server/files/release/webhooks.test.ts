/** Webhooks of uploads, to servers of the test that stand for somebody's endpoint. */
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerConfig } from '../../../../server/config';
import { afterReleaseSchema } from '../../../../server/config/after-release';
import type { ServerConfig } from '../../../../server/config/schema';
import { releaseAndTell } from '../../../../server/files/release/by-operator';
import { releasedUpload } from '../../../../server/files/release/event';
import { mayReach } from '../../../../server/files/release/reachable';
import { Releases } from '../../../../server/files/release/releases';
import { signed } from '../../../../server/files/release/webhook';
import { openStorage } from '../../../../server/files/storage/open';
import type { Quarantined, Storage } from '../../../../server/files/storage/storage';
import { TestAuthority } from '../../support/authority';
import { AuditRecorder } from '../../support/server';
import { secret } from '../../support/written';

interface Heard {
  readonly at: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let endpoint: Server;
let port: number;
/** How it answers, by path; 200 where nothing is said. */
let answers: Record<string, number>;
let heard: Heard[];
const KEYS = [randomBytes(32), randomBytes(32)];

async function take(request: IncomingMessage, response: { writeHead(status: number, headers?: object): { end(text?: string): unknown } }): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  heard.push({ at: request.url ?? '', headers: request.headers, body });
  const status = answers[request.url ?? ''] ?? 200;
  response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('thank you');
}

let folder: string;
let outbox: string;
let storage: Storage;
let audit: AuditRecorder;
const open: Releases[] = [];
beforeAll(async () => {
  endpoint = createServer(take);
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  port = (endpoint.address() as AddressInfo).port;
});
afterAll(() => {
  endpoint.closeAllConnections();
  endpoint.close();
});
beforeEach(() => {
  [answers, heard] = [{}, []];
  folder = mkdtempSync(join(tmpdir(), 'ftps-webhooks-'));
  outbox = join(folder, 'outbox');
  mkdirSync(join(folder, 'files/acme'), { recursive: true });
  for (const [index, key] of KEYS.entries()) writeFileSync(join(folder, `secret-${index}`), `${secret(`whsec_${key.toString('base64')}`)}\n`);
  storage = openStorage({ storage: { kind: 'local', root: join(folder, 'files'), fsync: false } } as ServerConfig);
  audit = new AuditRecorder();
});
afterEach(async () => {
  answers = {};
  for (const one of open.splice(0)) await one.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

const hook = (name: string, more: object = {}) => ({
  name,
  url: `http://127.0.0.1:${port}/${name}`,
  loopback: true,
  secrets: [{ kind: 'file', file: join(folder, 'secret-0') }],
  ...more,
});
const settings = (...webhooks: object[]) => afterReleaseSchema.parse({ outbox, storage: 'prod/Files', webhooks });
let lookMs = 60_000;
async function start(...webhooks: object[]): Promise<Releases> {
  const releases = await Releases.open(settings(...webhooks), { audit, storage, place: { index: 0, count: 1 }, lookMs });
  open.push(releases);
  return releases;
}
const upload = (path: string) => ({ user: 'acme', path, file: join(folder, 'files/acme', path), bytes: 7, client: '192.0.2.1', session: 'a session' });
const arrives = (releases: Releases, path: string) =>
  releases.release(upload(path), '/acme', async () => {
    writeFileSync(join(folder, 'files/acme', path), 'content');
    return 'visible';
  });
const kept = () => (existsSync(outbox) ? readdirSync(outbox) : []);
const told = (path: string, endpointName?: string) =>
  audit.next('after-release', (event) => event.path === path && (endpointName === undefined || event.endpoint === endpointName));

it('a message has what the schema says and is signed by each secret of its endpoint; nothing stays on the disk', async () => {
  const releases = await start(
    hook('one', {
      secrets: [
        { kind: 'file', file: join(folder, 'secret-0') },
        { kind: 'file', file: join(folder, 'secret-1') },
      ],
    }),
  );
  await arrives(releases, '/a');
  expect(await told('/a')).toMatchObject({ what: 'webhook', endpoint: 'one', outcome: 'success' });
  const { headers, body } = heard[0]!;
  expect(releasedUpload.parse(JSON.parse(body))).toEqual({ ...upload('/a'), id: headers['webhook-id'], storage: 'prod/Files' });
  const seconds = headers['webhook-timestamp'];
  expect(Math.abs(Date.now() / 1000 - Number(seconds))).toBeLessThan(60);
  const by = (key: Buffer) => `v1,${createHmac('sha256', key).update(`${headers['webhook-id']}.${seconds}.${body}`).digest('base64')}`;
  expect(headers['webhook-signature']).toBe(KEYS.map(by).join(' '));
  expect([kept(), releases.waiting]).toEqual([[], 0]);
});

it('signs as the example of the specification', () => {
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const body = '{"test": 2432232314}';
  expect(signed('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, body, [key])['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

it('one that is down keeps its messages on the disk and holds up nobody else; it is told once, and when it is up again', async () => {
  answers['/down'] = 503;
  const releases = await start(hook('down'), hook('up'));
  await arrives(releases, '/a');
  await told('/a', 'up');
  expect(await audit.next('health', ({ part }) => part === 'webhooks')).toMatchObject({ state: 'down', detail: 'down: the endpoint answered 503' });
  expect(kept()).toEqual([expect.stringMatching(/\.due-down$/)]);
  expect(releases.waiting).toBe(1);
  answers = {};
  await told('/a', 'down');
  await audit.next('health', ({ state }) => state === 'up');
  expect(audit.of('health').map(({ state }) => state)).toEqual(['down', 'up']);
  expect(kept()).toEqual([]);
});

it('what a crash leaves is sent by whoever comes next, with the same id', async () => {
  answers['/one'] = 500;
  const releases = await start(hook('one'), hook('two'));
  await arrives(releases, '/a');
  await told('/a', 'two');
  await audit.next('health');
  const left = `${outbox}-left`;
  cpSync(outbox, left, { recursive: true });
  const ids = heard.map(({ headers }) => headers['webhook-id']);
  outbox = left;
  answers = {};
  const later = heard.length;
  await start(hook('one'), hook('two'));
  while (!heard.slice(later).some(({ at }) => at === '/one')) await new Promise((resolve) => setImmediate(resolve));
  expect(new Set([...ids, ...heard.map(({ headers }) => headers['webhook-id'])]).size).toBe(1);
});

it('neither redirects nor private addresses are followed, by whatever name', async () => {
  answers['/moved'] = 302;
  await arrives(await start(hook('moved')), '/a');
  expect(await audit.next('health')).toMatchObject({ detail: expect.stringContaining('redirects are not followed') });
  expect(heard.some(({ at }) => at === '/elsewhere')).toBe(false);
  for (const [name, url] of [
    ['name', `https://localhost:${port}/x`],
    ['address', `https://127.0.0.1:${port}/x`],
    ['mapped', `https://[::ffff:169.254.169.254]/latest/meta-data`],
    ['decimal', `https://2130706433:${port}/x`],
  ]) {
    for (const one of open.splice(0)) await one.close();
    audit.events.length = 0;
    await arrives(await start(hook(name!, { url, loopback: false })), `/${name}`);
    expect(await audit.next('health')).toMatchObject({ state: 'down', detail: expect.stringContaining('its address is private') });
  }
  expect(heard.filter(({ at }) => at !== '/moved')).toEqual([]);
  const reach = { networks: ['10.1.0.0/16'], loopback: false };
  for (const address of [
    '10.0.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '::1',
    'fd00::1',
    'fe80::1',
    '64:ff9b::a00:1',
    '::ffff:10.0.0.1',
    '::7f00:1',
    '0.0.0.0',
    '2002:a00:1::',
  ])
    expect([address, mayReach(address, reach, false)]).toEqual([address, false]);
  for (const address of ['10.1.2.3', '52.95.110.1', '2600:1f18::1']) expect([address, mayReach(address, reach, false)]).toEqual([address, true]);
  expect(mayReach('52.95.110.1', { networks: [], loopback: true }, true)).toBe(false);
});

it('goes to a private network that is named, over TLS that its authority vouches for', async () => {
  const authority = await TestAuthority.create();
  const issued = await authority.issue();
  const secure = createTlsServer({ key: issued.key, cert: issued.certificate }, take);
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  const url = `https://localhost:${(secure.address() as AddressInfo).port}/tls`;
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  const more = { url, loopback: false, networks: ['127.0.0.0/8'] };
  await arrives(await start(hook('strange', more)), '/a');
  expect(await audit.next('health')).toMatchObject({ state: 'down', detail: expect.stringMatching(/can't be reached \((UNABLE|SELF)\w+\)/) });
  for (const one of open.splice(0)) await one.close();
  await arrives(await start(hook('known', { ...more, ca: join(folder, 'ca.pem') })), '/b');
  expect(await told('/b', 'known')).toMatchObject({ outcome: 'success' });
  await arrives(await start(hook('in-the-settings', { ...more, ca: authority.pem })), '/c');
  expect(await told('/c', 'in-the-settings')).toMatchObject({ outcome: 'success' });
  secure.closeAllConnections();
  secure.close();
});

it('what is not taken for too long, or not wanted, is given up with a line', async () => {
  Object.assign(answers, { '/old': 500, '/gone': 410 });
  const releases = await start(hook('old', { giveUpSeconds: 1 }), hook('gone'));
  await arrives(releases, '/a');
  expect(await told('/a', 'gone')).toMatchObject({ outcome: 'failure', reason: expect.stringContaining('410') });
  expect(await told('/a', 'old')).toMatchObject({ outcome: 'failure', reason: expect.stringMatching(/^given up, tried since .*answered 500$/) });
  expect(kept()).toEqual([]);
});

it('an endpoint that the settings name no more gets nothing more, and a secret that is none is no end', async () => {
  answers['/one'] = 500;
  const first = await start(hook('one'));
  await arrives(first, '/a');
  await audit.next('health');
  await open.splice(0)[0]!.close();
  writeFileSync(join(folder, 'secret-1'), 'whsec_short');
  const releases = await start(hook('two', { secrets: [{ kind: 'file', file: join(folder, 'secret-1') }] }));
  expect(await audit.next('after-release', ({ reason }) => reason?.startsWith('given up') ?? false)).toMatchObject({ endpoint: 'one' });
  await arrives(releases, '/b');
  const { detail } = await audit.next('health', (event) => event.detail?.startsWith('two') ?? false);
  expect(detail).toContain('is no secret of webhooks');
  expect(detail).not.toContain('short');
});

it('what an operator lets go is told of by the server beside', async () => {
  lookMs = 50;
  await start(hook('one'));
  lookMs = 60_000;
  const config = settings(hook('one'));
  const found = { id: 'x', state: 'infected', user: 'acme', home: '/acme', path: '/freed', size: 7, at: '', client: '192.0.2.1', session: 's' } as Quarantined;
  const failed = releaseAndTell({ afterRelease: config }, found, '/srv/freed', async () => {
    throw new Error('the name is taken');
  });
  await expect(failed).rejects.toThrow('the name is taken');
  expect(kept()).toEqual([]);
  await releaseAndTell({ afterRelease: config }, found, '/srv/freed', async () => {});
  expect(await told('/freed', 'one')).toMatchObject({ outcome: 'success' });
  expect(JSON.parse(heard[0]!.body)).toMatchObject({ file: '/srv/freed', verdict: { result: 'unscanned', detail: 'let go by an operator' } });
}, 30_000);

it('settings that would send it in plain text, or twice under one name, are refused', () => {
  const base = {
    listeners: [{ mode: 'explicit', port: 21 }],
    tls: { certificates: [{ kind: 'file', certificate: '/c', key: '/k' }] },
    storage: { kind: 'local', root: '/f' },
    identity: [{ kind: 'file', file: '/a' }],
  };
  const check = (...webhooks: object[]) => checkServerConfig({ ...base, afterRelease: { webhooks } });
  expect(() => check(hook('one', { loopback: false }))).toThrow('afterRelease.webhooks[0].url: is not encrypted');
  expect(() => check(hook('one'), hook('one'))).toThrow('"one" is there twice');
  expect(() => check(hook('one', { url: 'https://user:pass@example.com/' }))).toThrow('no name or password');
  expect(() => check(hook('one', { url: 'ftp://example.com/' }))).toThrow();
});
