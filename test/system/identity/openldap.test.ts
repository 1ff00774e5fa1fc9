/** Logins at the built server whose accounts are in a real OpenLDAP, over LDAPS and over StartTLS. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { ServerConfigInput } from '../../../server/config';
import { LocalRetained } from '../../../server/files/storage/local/retained';
import { type Issued, TestAuthority } from '../../server/support/authority';
import { BUNDLE, run } from '../support/served';
import { Namespace } from './namespace';
import { Server } from './server';
import { BASE, NO_RIGHTS, SERVICE, SERVICE_PASSWORD, Slapd } from './slapd';

type Directory = Extract<NonNullable<ServerConfigInput['identity']>[number], { kind: 'directory' }>;

const PASSWORD = 'Directory "Passw0rd" *)(uid=*';
const PASSWORD_OF_DORA = 'Dora-Passw0rd';
let folder: string;
let namespace: Namespace;
let authority: TestAuthority;
let slapd: Slapd;
let clients: TestAuthority;
let certificateOf: Record<'ann' | 'bob' | 'eve', Issued>;

const derOf = ({ certificate }: Issued) => new X509Certificate(certificate).raw.toString('base64');
const publicKey = (name: string) => readFileSync(join(folder, `${name}.pub`), 'utf8').trim();
const dnOf = (uid: string) => `uid=${uid},ou=people,${BASE}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-openldap-'));
  namespace = Namespace.create(folder);
  authority = await TestAuthority.create();
  clients = await TestAuthority.create('CN=Partners');
  const certificate = (user: string) => clients.issue({ client: true, commonName: user, names: [`${user}.partners.example`] });
  certificateOf = { ann: await certificate('ann'), bob: await certificate('bob'), eve: await certificate('eve') };
  writeFileSync(join(folder, 'ca-of-directory.pem'), authority.pem);
  writeFileSync(join(folder, 'service-password'), `${SERVICE_PASSWORD}\n`, { mode: 0o600 });
  for (const name of ['key', 'second', 'stranger', 'ca']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  const withKeys = (...names: string[]) => ['objectClass: ldapPublicKey', ...names.map((name) => `sshPublicKey: ${publicKey(name)}`)];
  slapd = await Slapd.create(namespace, folder, await authority.issue(), authority.pem, [
    { uid: 'ann', password: PASSWORD, more: [...withKeys('key', 'second'), 'departmentNumber: 7', `userCertificate;binary:: ${derOf(certificateOf.ann)}`] },
    { uid: 'bob', password: PASSWORD, more: [...withKeys('key'), 'mail: dora'] },
    { uid: 'carl', password: PASSWORD, more: ['departmentNumber: 9'] },
    { uid: 'dora', password: PASSWORD_OF_DORA, more: withKeys('key') },
    { uid: 'frank', password: PASSWORD, more: [...withKeys('key'), 'departmentNumber: 9'] },
    { uid: 'eve', password: PASSWORD },
  ]);
  await slapd.kill();
  slapd.add(
    Slapd.group('partners', dnOf('ann'), `cn=Suppliers\\, all,ou=groups,${BASE}`),
    // Groups within groups, and in a circle.
    Slapd.group('Suppliers\\, all', dnOf('bob'), `cn=partners,ou=groups,${BASE}`).replace('cn: Suppliers\\, all', 'cn: Suppliers, all'),
  );
  await slapd.start();
});

afterAll(async () => {
  await slapd?.kill();
  await namespace?.close();
  rmSync(folder, { recursive: true, force: true });
});

function directory(way: 'ldaps' | 'ldap', more: Partial<Directory> = {}): Directory {
  return {
    kind: 'directory',
    servers: [`${way}://localhost:${slapd[way]}`],
    ca: join(folder, 'ca-of-directory.pem'),
    bind: { kind: 'service', dn: SERVICE, passwordFile: join(folder, 'service-password') },
    users: { base: `ou=people,${BASE}` },
    groups: { base: `ou=groups,${BASE}` },
    rules: [
      { group: `CN=Partners, OU=groups, ${BASE}`, account: { home: '/partners/{user}', permissions: ['list', 'mkdir'] } },
      { attribute: { name: 'departmentNumber', value: '9' }, account: { home: '/department-{departmentNumber}' } },
    ],
    retrySeconds: 0.5,
    ...more,
  };
}

async function withServer(identity: ServerConfigInput['identity'], work: (server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start({ identity });
  try {
    await work(server);
    expect(server.running).toBe(true);
  } finally {
    await server.close();
  }
}

describe.each(['ldaps', 'ldap'] as const)('over %s', (way) => {
  it('members of a group log in, of a group within it too, each into the home of the rule', () =>
    withServer([directory(way)], async (server) => {
      for (const uid of ['ann', 'bob']) {
        await server.makeFolder(uid, PASSWORD, 'made');
        expect(existsSync(join(server.folder, `files/partners/${uid}/made`))).toBe(true);
      }
      await server.makeFolder('carl', PASSWORD, 'made');
      expect(existsSync(join(server.folder, 'files/department-9/made'))).toBe(true);
      expect(await server.login('ANN', PASSWORD)).toMatchObject({ code: 230 });
    }));

  it('everyone else is refused in the same words, with the reason in the audit', () =>
    withServer([directory(way)], async (server) => {
      const refusals: [string, string, string][] = [
        ['ann', 'wrong', 'wrong-password'],
        ['ann', '', 'wrong-password'],
        ['nobody', PASSWORD, 'unknown-user'],
        ['*', PASSWORD, 'unknown-user'],
        ['ann)(uid=*', PASSWORD, 'unknown-user'],
        ['ELSEWHERE\\ann', PASSWORD, 'unknown-user'],
        ['dora', PASSWORD_OF_DORA, 'no-rule-matches'],
      ];
      for (const [user, password, reason] of refusals) {
        expect(await server.login(user, password)).toEqual({ code: 530, text: '530 Login incorrect.' });
        expect(await server.lastLogin(user)).toContain(reason);
      }
    }));

  it('a user may be bound directly, without a service account', () =>
    withServer(
      [directory(way, { bind: { kind: 'direct', name: `uid={user},ou=people,${BASE}` }, rules: [{ account: { home: '/{user}' } }] })],
      async (server) => {
        expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 230 });
        expect(await server.login('ann', 'wrong')).toMatchObject({ code: 530 });
        expect(await server.login(`ann,ou=people,${BASE}`, PASSWORD)).toMatchObject({ code: 530 });
      },
    ));

  it.each([
    ['wrong password', { kind: 'service', dn: SERVICE, passwordFile: '/proc/sys/kernel/ostype' }, 'the service account cn=ftps'],
    ['no rights', { kind: 'service', dn: NO_RIGHTS, passwordFile: '' }, "can't see ou=people"],
  ] as const)('a service account with %s lets nobody in, and the audit says so', (_what, bind, words) =>
    withServer([directory(way, { bind: { ...bind, passwordFile: bind.passwordFile || join(folder, 'service-password') } })], async (server) => {
      expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 421 });
      expect(await server.lastLogin('ann')).toContain(words);
    }),
  );

  it('a server whose certificate has another name gets no password', () =>
    withServer([directory(way, { servers: [`${way}://127.0.0.1:${slapd[way]}`] })], async (server) => {
      expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 421 });
      expect(await server.lastLogin('ann')).toContain('127.0.0.1');
      expect(await server.lastLogin('ann')).toMatch(/certificate|altname/i);
    }));

  it('a server of an unknown authority gets no password', () =>
    withServer([directory(way, { ca: clients.pem })], async (server) => {
      expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 421 });
      expect(await server.lastLogin('ann')).toMatch(/certificate/);
    }));

  it('a killed directory is told at once and taken up again when it is back, while the server goes on', () =>
    withServer([directory(way)], async (server) => {
      expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 230 });
      await slapd.kill();
      try {
        for (let count = 0; count < 4; count += 1) expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 421 });
        expect(await server.lastLogin('ann')).toContain('a moment ago');
        expect(server.written).toMatch(/directory[^\n]*down|down[^\n]*directory/);
      } finally {
        await slapd.start();
      }
      while ((await server.login('ann', PASSWORD)).code !== 230) await after(100);
      await server.lastLogin('ann');
      expect(server.written).toMatch(/directory[^\n]*"up"|"up"[^\n]*directory|directory[^\n]*up/);
    }));
});

describe('keys of the directory', () => {
  const users = { base: `ou=people,${BASE}`, keyAttribute: 'sshPublicKey' };
  const pathTo = (name: string) => join(folder, name);

  it.each(['ldaps', 'ldap'] as const)('log in over SSH where the attribute is named, by %s', (way) =>
    withServer([directory(way, { users })], async (server) => {
      for (const name of ['key', 'second']) expect(await server.loginByKey('ann', pathTo(name))).toBe(true);
      await server.saysByKey('ann', 'publickey');
      expect(await server.loginByKey('bob', pathTo('second'))).toBe(false); // ann's
      expect(await server.loginByKey('ann', pathTo('stranger'))).toBe(false);
      expect(await server.loginByKey('eve', pathTo('key'))).toBe(false); // has none
      expect(await server.loginByKey('dora', pathTo('key'))).toBe(false); // no rule fits
      expect(await server.loginByKey('nobody', pathTo('key'))).toBe(false);
    }),
  );

  it('are not looked for where it is not', () =>
    withServer([directory('ldaps')], async (server) => {
      expect(await server.loginByKey('ann', pathTo('key'))).toBe(false);
      expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 230 });
    }));

  it('may be asked for beside the password, or alone', () =>
    withServer(
      [
        directory('ldaps', {
          users,
          rules: [
            { group: `CN=Partners, OU=groups, ${BASE}`, account: { sshLogin: 'key-and-password' } },
            { attribute: { name: 'departmentNumber', value: '9' }, account: { sshLogin: 'key' } },
          ],
        }),
      ],
      async (server) => {
        expect(await server.loginByKey('ann', pathTo('key'))).toBe(false);
        expect(await server.loginByKey('ann', pathTo('stranger'), PASSWORD)).toBe(false);
        expect(await server.loginByKey('ann', pathTo('key'), PASSWORD)).toBe(true);
        await server.saysByKey('ann', 'publickey+password');
        expect(await server.loginByKey('carl', pathTo('stranger'), PASSWORD)).toBe(false);
        await server.saysByKey('carl', 'key-required');
        expect(await server.loginByKey('frank', pathTo('key'))).toBe(true);
      },
    ));

  it('of an account that the directory has locked do not', () =>
    withServer([directory('ldaps', { users })], async (server) => {
      expect(await server.loginByKey('frank', pathTo('key'))).toBe(true);
      for (let count = 0; count < 5; count += 1) await server.login('frank', 'wrong');
      expect(await server.loginByKey('frank', pathTo('key'))).toBe(false);
    }));

  it('certificates stand for accounts of the directory', async () => {
    execFileSync('ssh-keygen', ['-q', '-s', pathTo('ca'), '-I', 'carl', '-n', 'carl', pathTo('stranger.pub')]);
    const server = await Server.start({ identity: [directory('ldaps')], userCa: publicKey('ca') });
    expect(await server.loginByKey('carl', pathTo('stranger'))).toBe(true);
    expect(await server.loginByKey('ann', pathTo('stranger'))).toBe(false);
    await server.saysByKey('ann', 'principal-not-listed');
    await server.close();
  });
});

it('other authorities in the file are trusted from then on, also for connections that were open; a broken file changes nothing', async () => {
  const ca = join(folder, 'changing.pem');
  const good = readFileSync(join(folder, 'ca-of-directory.pem'), 'utf8');
  writeFileSync(ca, good);
  await withServer([directory('ldaps', { ca })], async (server) => {
    const told = async (change: string, count: number) => {
      const lines = () => server.audit().filter(({ status_detail, message }) => status_detail === change && message.includes('authorities of the directory'));
      while (lines().length < count) await after(20);
      return lines().at(-1)!;
    };
    expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 230 });
    writeFileSync(ca, '-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n');
    expect((await told('refused', 1)).unmapped?.detail).toContain('certificate 1 of 1 can');
    expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 230 });
    writeFileSync(ca, clients.pem);
    await told('reloaded', 1);
    expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 421 });
    writeFileSync(ca, clients.pem + good);
    expect((await told('reloaded', 2)).unmapped?.detail).toBe('2 certificates');
    while ((await server.login('ann', PASSWORD)).code !== 230) await after(100); // it was left alone for a moment
  });
});

it('an account that does not log in is rid of its old files by the days that its rule says now', async () => {
  const old = (days: number) => new Date(Date.now() - days * 86_400_000);
  const server = await Server.start(
    { identity: [directory('ldaps', { rules: [{ account: { home: '/{user}', retentionDays: 30 } }] })] },
    {
      async before(files) {
        await new LocalRetained(files).keep({ user: 'ann', home: '/ann', retentionDays: 5 });
        mkdirSync(join(files, 'ann'));
        for (const days of [10, 40]) {
          writeFileSync(join(files, 'ann', `${days}-days`), 'x');
          utimesSync(join(files, 'ann', `${days}-days`), old(days), old(days));
        }
      },
    },
  );
  try {
    while (existsSync(join(server.folder, 'files/ann/40-days'))) await after(50);
    while (!server.written.includes('"event":"retention"')) await after(50);
    expect(existsSync(join(server.folder, 'files/ann/10-days'))).toBe(true);
    expect(server.audit().filter(({ unmapped }) => unmapped?.event === 'retention')).toMatchObject([{ unmapped: { user: 'ann', path: '/40-days' } }]);
  } finally {
    await server.close();
  }
});

it('the next server is asked where the first is down', () =>
  withServer([directory('ldaps', { servers: ['ldaps://localhost:9', `ldaps://localhost:${slapd.ldaps}`] })], async (server) => {
    expect(await server.login('ann', PASSWORD)).toMatchObject({ code: 230 });
  }));

it('nobody gets the account of another whose entry the search finds in place of the own one', () =>
  withServer(
    [
      directory('ldaps', {
        bind: { kind: 'direct', name: `uid={user},ou=people,${BASE}` },
        users: { base: `ou=people,${BASE}`, filter: '(|(mail={user})(description={user}))' },
        rules: [{ account: {} }],
      }),
    ],
    async (server) => {
      // dora's password opens dora's entry; the search finds bob's.
      expect(await server.login('dora', PASSWORD_OF_DORA)).toMatchObject({ code: 530 });
      expect(await server.lastLogin('dora')).toContain('ambiguous');
    },
  ));

it('an account that OpenLDAP has locked is refused with that reason', () =>
  withServer([directory('ldaps')], async (server) => {
    for (let count = 0; count < 6; count += 1) await server.login('eve', 'wrong');
    expect(await server.login('eve', PASSWORD)).toMatchObject({ code: 530 });
    expect(await server.lastLogin('eve')).toContain('account-locked');
  }));

it('ftps user try says what the server would answer, and why', () =>
  withServer([directory('ldaps')], async (server) => {
    const tried = (user: string, password: string) =>
      run(process.execPath, [BUNDLE, 'user', 'try', user, '--config', join(server.folder, 'server.json')], `${password}\n`);
    expect(await tried('bob', PASSWORD)).toEqual({
      code: 0,
      output: 'accepted by directory (password): bob, home /partners/bob, may list mkdir, from anywhere\n',
    });
    expect(await tried('dora', PASSWORD_OF_DORA)).toEqual({ code: 3, output: 'refused: no-rule-matches, by directory\n' });
    await slapd.kill();
    try {
      const { code, output } = await tried('bob', PASSWORD);
      expect(code).toBe(1);
      expect(output).toMatch(/^not answered: ldaps:\/\/localhost:\d+: /);
    } finally {
      await slapd.start();
    }
  }));

describe('client certificates', () => {
  const server = (account: Directory['rules'][number]['account']) =>
    Server.start({ identity: [directory('ldaps', { rules: [{ account }] })], clientCa: clients.pem });

  it('that the directory keeps are a second factor', async () => {
    const both = await server({ clientCertificate: 'required', certificates: [{ kind: 'attribute', name: 'userCertificate;binary' }] });
    try {
      expect(await both.login('ann', PASSWORD, certificateOf.ann)).toMatchObject({ code: 230 });
      expect(await both.login('ann', 'wrong', certificateOf.ann)).toMatchObject({ code: 530 });
      expect(await both.lastLogin('ann')).toContain('wrong-password');
      expect(await both.login('ann', PASSWORD)).toMatchObject({ code: 530 });
      expect(await both.lastLogin('ann')).toContain('certificate-required');
      expect(await both.login('ann', PASSWORD, certificateOf.bob)).toMatchObject({ code: 530 });
      expect(await both.lastLogin('ann')).toContain('certificate-not-mapped');
    } finally {
      await both.close();
    }
  });

  it('are enough by themselves where a rule says so, for the account of their name and as long as it is not locked', async () => {
    const alone = await server({ clientCertificate: 'instead-of-password', certificates: [{ kind: 'san', value: 'DNS:{user}.partners.example' }] });
    try {
      expect(await alone.login('bob', '', certificateOf.bob)).toMatchObject({ code: 230 });
      expect(await alone.lastLogin('bob')).toContain('"certificate"');
      expect(await alone.login('carl', '', certificateOf.bob)).toMatchObject({ code: 530 });
      expect(await alone.login('*', '', certificateOf.bob)).toMatchObject({ code: 530 });
      for (let count = 0; count < 6; count += 1) await alone.login('eve', 'wrong');
      expect(await alone.login('eve', '', certificateOf.eve)).toMatchObject({ code: 530 });
    } finally {
      await alone.close();
    }
  });
});

it('500 logins, eight at once', () =>
  withServer([directory('ldaps')], async (server) => {
    let left = 500;
    const codes: number[] = [];
    const one = async () => {
      while (left-- > 0) codes.push((await server.login(left % 2 === 0 ? 'ann' : 'carl', PASSWORD)).code);
    };
    await Promise.all(Array.from({ length: 8 }, one));
    expect(codes.length).toBe(500);
    expect(codes.every((code) => code === 230)).toBe(true);
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain(PASSWORD);
    for (const secret of [PASSWORD, SERVICE_PASSWORD]) expect(server.written).not.toContain(secret);
  }));
