/** Logins at the built server whose accounts are in a real Active Directory. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerConfigInput } from '../../../server/config';
import { TestAuthority } from '../../server/support/authority';
import { Namespace } from './namespace';
import { BASE, DOMAIN, REALM, Samba } from './samba';
import { Server } from './server';

type Directory = Extract<NonNullable<ServerConfigInput['identity']>[number], { kind: 'directory' }>;

const PASSWORD = 'Partner-Passw0rd (of) *AD*';
const SERVICE_PASSWORD = 'Serv1ce-Passw0rd-of-AD';
let folder: string;
let namespace: Namespace;
let samba: Samba;
let ca: string;
let server: Server;

const dnOf = (name: string) => `CN=${name},CN=Users,${BASE}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-samba-'));
  namespace = Namespace.create(folder);
  const authority = await TestAuthority.create();
  ca = authority.pem;
  for (const name of ['key', 'stranger']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  const key = readFileSync(join(folder, 'key.pub'), 'utf8').trim();
  const withKey = (name: string, value: string) => `dn: ${dnOf(name)}\nchangetype: modify\nadd: altSecurityIdentities\naltSecurityIdentities: ${value}\n`;
  samba = await Samba.create(namespace, join(folder, 'dc'), await authority.issue(), ca);
  await samba.populate({
    users: {
      ...Object.fromEntries(['ann', 'bob', 'carl', 'disabled', 'expired', 'gone', 'locked'].map((name) => [name, PASSWORD])),
      'ftps-service': SERVICE_PASSWORD,
    },
    groups: ['partners', 'suppliers', 'inner'],
    // bob is in inner, which is in suppliers, which is in partners.
    members: { partners: ['ann', 'disabled', 'expired', 'gone', 'locked', 'suppliers'], suppliers: ['inner'], inner: ['bob'] },
    changes: [
      ...['ann', 'bob', 'carl', 'disabled', 'expired', 'gone', 'locked'].map((name) => withKey(name, `SSHKey:${key}`)),
      withKey('ann', 'X509:<I>DC=com,DC=example<S>CN=ann'),
      `dn: ${dnOf('disabled')}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n`,
      `dn: ${dnOf('expired')}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 0\n`,
      `dn: ${dnOf('gone')}\nchangetype: modify\nreplace: accountExpires\naccountExpires: 130000000000000000\n`,
      `dn: ${BASE}\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 3\n`,
    ],
  });
  await samba.start();
  writeFileSync(join(folder, 'service-password'), `${SERVICE_PASSWORD}\n`, { mode: 0o600 });
  server = await Server.start({ identity: [directory()] });
});

afterAll(async () => {
  await server?.close();
  await samba?.kill();
  await namespace?.close();
  rmSync(folder, { recursive: true, force: true });
});

function directory(more: Partial<Directory> = {}): Directory {
  return {
    kind: 'directory',
    flavour: 'active-directory',
    servers: [`ldaps://localhost:${samba.ldaps}`],
    ca,
    bind: { kind: 'service', dn: dnOf('ftps-service'), passwordFile: join(folder, 'service-password') },
    realms: [DOMAIN, REALM],
    users: { base: BASE },
    rules: [{ group: dnOf('partners'), account: { home: '/partners/{user}' } }],
    ...more,
  };
}

it.each(['ann', `ann@${REALM}`, `${DOMAIN}\\ann`, 'ANN', `corp\\Ann`])('%s logs in by its group', async (login) => {
  expect(await server.login(login, PASSWORD)).toMatchObject({ code: 230 });
});

it('a member of a group in a group in a group logs in, by its account name', async () => {
  await server.makeFolder(`${DOMAIN}\\bob`, PASSWORD, 'made');
  expect(existsSync(join(server.folder, 'files/partners/bob/made'))).toBe(true);
});

it.each([
  ['ann', 'wrong', 'wrong-password'],
  ['ann', '', 'wrong-password'],
  ['nobody', PASSWORD, 'unknown-user'],
  ['ELSEWHERE\\ann', PASSWORD, 'unknown-user'],
  ['ann@elsewhere.example', PASSWORD, 'unknown-user'],
  ['carl', PASSWORD, 'no-rule-matches'],
  ['disabled', PASSWORD, 'account-disabled'],
  ['expired', PASSWORD, 'password-expired'],
  ['gone', PASSWORD, 'account-expired'],
])('%s with %j is refused as everyone is, and the audit says %s', async (login, password, reason) => {
  expect(await server.login(login, password)).toEqual({ code: 530, text: '530 Login incorrect.' });
  expect(await server.lastLogin(login)).toContain(reason);
});

it('an account that the directory has locked is refused with the right password, too', async () => {
  for (let count = 0; count < 4; count += 1) await server.login('locked', 'wrong');
  expect(await server.login('locked', PASSWORD)).toMatchObject({ code: 530 });
  expect(await server.lastLogin('locked')).toContain('account-locked');
});

it('keys of the directory log in over SSH, and those of accounts that may not log in do not', async () => {
  const ssh = await Server.start({ identity: [directory({ users: { base: BASE, keyAttribute: 'altSecurityIdentities' } })] });
  const key = join(folder, 'key');
  for (const login of ['ann', `${DOMAIN}\\bob`]) expect([login, await ssh.loginByKey(login, key)]).toEqual([login, true]);
  await ssh.saysByKey('ann', 'publickey');
  expect(await ssh.loginByKey('ann', join(folder, 'stranger'))).toBe(false);
  // carl has no rule.
  for (let count = 0; count < 4; count += 1) await ssh.login('locked', 'wrong');
  for (const login of ['carl', 'disabled', 'expired', 'gone', 'locked', 'nobody']) expect([login, await ssh.loginByKey(login, key)]).toEqual([login, false]);
  await ssh.close();
});

describe('bound directly as the user', () => {
  let direct: Server;
  beforeAll(async () => {
    direct = await Server.start({ identity: [directory({ servers: [`ldap://localhost:${samba.ldap}`], bind: { kind: 'direct', name: `{user}@${REALM}` } })] });
  });
  afterAll(() => direct?.close());

  it('over StartTLS, members log in and others do not', async () => {
    expect(await direct.login('ann', PASSWORD)).toMatchObject({ code: 230 });
    expect(await direct.login('ann', 'wrong')).toMatchObject({ code: 530 });
    expect(await direct.login('expired', PASSWORD)).toMatchObject({ code: 530 });
    expect(await direct.lastLogin('expired')).toContain('password-expired');
  });
});
