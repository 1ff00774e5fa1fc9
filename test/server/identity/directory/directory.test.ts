import { once } from 'node:events';
import { createServer } from 'node:net';
import type { DirectorySettings } from '../../../../server/config';
import { ConfigError, checkServerConfig } from '../../../../server/config';
import { directoryAccounts } from '../../../../server/identity/directory/accounts';
import { reasonOfBind, reasonOfState, reasonWithoutBind } from '../../../../server/identity/directory/active-directory';
import type { DirectoryEntry } from '../../../../server/identity/directory/connection';
import { DirectoryDown } from '../../../../server/identity/directory/down';
import { keysIn } from '../../../../server/identity/directory/keys';
import { Pool } from '../../../../server/identity/directory/pool';
import { accountOf } from '../../../../server/identity/directory/rules';
import { Servers } from '../../../../server/identity/directory/servers';
import { Remembered } from '../../../../server/identity/remembered';
import { AuditRecorder } from '../../support/server';

function settings(more: object = {}): DirectorySettings {
  const { identity } = checkServerConfig({
    listeners: [{ mode: 'implicit', port: 0 }],
    tls: { certificates: [{ kind: 'file', certificate: 'c', key: 'k' }] },
    storage: { kind: 'local', root: '/' },
    identity: [
      {
        kind: 'directory',
        servers: ['ldaps://localhost'],
        bind: { kind: 'service', dn: 'cn=ftps,dc=x', passwordFile: '/etc/hostname' },
        users: { base: 'dc=x' },
        rules: [{ account: { home: '/{user}' } }],
        ...more,
      },
    ],
  });
  return identity[0] as DirectorySettings;
}

function entry(attributes: Record<string, string[]>): DirectoryEntry {
  const of = (name: string) => attributes[name] ?? [];
  return { dn: 'uid=ann,dc=x', text: of, bytes: (name) => of(name).map((value) => Buffer.from(value)) };
}

describe('settings of a directory', () => {
  it.each([
    [{ servers: ['http://localhost'] }, 'identity[0].servers[0]'],
    [{ servers: ['ldaps://localhost/dc=x'] }, 'identity[0].servers[0]'],
    [{ bind: { kind: 'service', dn: 'cn=ftps' } }, 'identity[0].bind.passwordSecretId'],
    [{ bind: { kind: 'direct', name: 'cn=ftps' } }, 'identity[0].bind.name'],
    [{ users: { base: 'dc=x', filter: '(uid=*)' } }, 'identity[0].users.filter'],
    [{ users: { base: 'dc=x', keyAttribute: 'ssh key' } }, 'identity[0].users.keyAttribute'],
    [{ users: { base: 'dc=x', keyAttribute: 'sshPublicKey' }, bind: { kind: 'direct', name: 'uid={user}' } }, 'identity[0].users.keyAttribute'],
    [{ rules: [{ account: { sshLogin: 'key' } }], bind: { kind: 'direct', name: 'uid={user}' } }, 'identity[0].rules[0].account.sshLogin'],
    [{ rules: [] }, 'identity[0].rules'],
    [{ rules: [{ account: { clientCertificate: 'required' } }] }, 'identity[0].rules[0].account.certificates'],
    [
      {
        bind: { kind: 'direct', name: 'uid={user}' },
        rules: [{ account: { clientCertificate: 'instead-of-password', certificates: [{ kind: 'subject', commonName: '{user}' }] } }],
      },
      'identity[0].rules[0].account.clientCertificate',
    ],
  ])('%j are refused by their key', (more, key) => {
    const refused = () => settings(more);
    expect(refused).toThrow(ConfigError);
    try {
      refused();
    } catch (error) {
      expect((error as ConfigError).problems.map((problem) => problem.key)).toContain(key);
    }
  });

  it('with a filter that is none, or a file that is not there, stop the start', async () => {
    const open = (more: object) => directoryAccounts(settings(more), 'identity[0]', new AuditRecorder());
    await expect(open({ users: { base: 'dc=x', filter: '(&(uid={user})' } })).rejects.toThrow(/identity\[0\]\.users\.filter/);
    await expect(open({ ca: '/nowhere/ca.pem' })).rejects.toThrow(/identity\[0\]\.ca: \/nowhere\/ca\.pem can't be read \(ENOENT\)/);
  });
});

describe('rules', () => {
  const groups = new Set(['cn=partners,dc=x']);
  const ann = { name: 'ann', entry: entry({ mail: ['a@x', 'b@x'], city: ['../etc'], floor: ['3'] }), groups };

  it('are tried in order, by group and attribute', () => {
    const { rules } = settings({
      rules: [
        { group: 'cn=others,dc=x', account: { home: '/others' } },
        { group: 'CN=Partners, DC=x', attribute: { name: 'floor', value: '4' }, account: { home: '/fourth' } },
        { group: 'CN=Partners, DC=x', account: { home: '/{floor}/{user}', permissions: ['read'] } },
        { account: { home: '/all' } },
      ],
    });
    expect(accountOf(rules, ann)).toMatchObject({ user: 'ann', home: '/3/ann', permissions: ['read'] });
    expect(accountOf(rules, { ...ann, groups: new Set() })).toMatchObject({ home: '/all' });
    expect(accountOf(rules.slice(0, 3), { ...ann, groups: new Set() })).toBeUndefined();
  });

  it.each(['/{city}', '/{mail}', '/{absent}'])('a home %s that its attribute can not fill lets nobody in', (home) => {
    expect(accountOf(settings({ rules: [{ account: { home } }] }).rules, ann)).toBeUndefined();
  });

  it.each(['..', '.', 'a/b', 'a\\b', 'a\0'])('a user named %j gets no home', (name) => {
    expect(accountOf(settings().rules, { ...ann, name })).toBeUndefined();
  });

  it('fill in certificates, one for every value', () => {
    const { rules } = settings({
      rules: [
        {
          account: {
            certificates: [
              { kind: 'subject', commonName: '{user}' },
              { kind: 'san', value: 'email:{mail}' },
              { kind: 'san', value: '{absent}' },
            ],
          },
        },
      ],
    });
    expect(accountOf(rules, ann)?.certificates).toEqual([
      { kind: 'subject', commonName: 'ann' },
      { kind: 'san', value: 'email:a@x' },
      { kind: 'san', value: 'email:b@x' },
    ]);
  });
});

describe('the state of an account in Active Directory', () => {
  it.each([
    ['52e', 'wrong-password'],
    ['532', 'password-expired'],
    ['533', 'account-disabled'],
    ['701', 'account-expired'],
    ['773', 'password-expired'],
    ['775', 'account-locked'],
  ])('data %s is %s', (code, reason) => {
    expect(reasonOfBind(`80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${code}, v2580`)).toBe(reason);
  });

  it.each([
    [{ userAccountControl: ['514'] }, 'account-disabled'],
    [{ userAccountControl: ['512'], 'msDS-User-Account-Control-Computed': ['16'] }, 'account-locked'],
    [{ userAccountControl: ['512'], 'msDS-User-Account-Control-Computed': ['8388608'] }, 'password-expired'],
    [{ userAccountControl: ['512'], accountExpires: ['116444736000000001'] }, 'account-expired'],
    [{ userAccountControl: ['512'], accountExpires: ['9223372036854775807'] }, undefined],
    [{ userAccountControl: ['512'], accountExpires: ['0'] }, undefined],
  ] as const)('%j is %s', (attributes, reason) => {
    expect(reasonOfState(entry(attributes as never))).toBe(reason);
  });
});

describe('the servers of a directory', () => {
  let time = 0;
  const connection = (url: string) => ({ url, close: async () => {} });

  it('are asked in order, and one that fails is left alone for a while', async () => {
    const asked: string[] = [];
    const broken = new Set(['a']);
    const reports: string[] = [];
    const servers = new Servers(
      ['a', 'b'],
      { failures: 2, retrySeconds: 10 },
      async (url) => {
        asked.push(url);
        if (broken.has(url)) throw new Error('refused');
        return connection(url);
      },
      (state, detail) => reports.push(`${state} ${detail}`),
      () => time,
    );
    for (let count = 0; count < 3; count += 1) expect((await servers.open()).url).toBe('b');
    expect(asked.join('')).toBe('ababb'); // the third time, a is left alone
    expect(reports).toEqual(['down a: refused']);
    time += 10_001;
    broken.clear();
    expect((await servers.open()).url).toBe('a');
    expect(reports).toEqual(['down a: refused', 'up a']);
  });

  it('all down are told at once, and one login at a time tries again', async () => {
    let attempts = 0;
    let fail: (() => void) | undefined;
    const servers = new Servers(
      ['a'],
      { failures: 1, retrySeconds: 10 },
      () => {
        attempts += 1;
        return new Promise<ReturnType<typeof connection>>((_resolve, reject) => {
          fail = () => reject(new Error('refused'));
        });
      },
      () => {},
      () => time,
    );
    const first = servers.open();
    fail!();
    await expect(first).rejects.toThrow(DirectoryDown);
    await expect(servers.open()).rejects.toThrow('a moment ago a: refused');
    expect(attempts).toBe(1);
    time += 10_001;
    const probe = servers.open();
    await expect(servers.open()).rejects.toThrow('a moment ago');
    expect(attempts).toBe(2);
    fail!();
    await expect(probe).rejects.toThrow('refused');
  });
});

describe('the pool of connections', () => {
  const made: { alive: boolean; close(): Promise<void> }[] = [];
  const pool = (most: number) =>
    new Pool(
      async () => {
        const one = { alive: true, close: async () => {} };
        made.push(one);
        return one;
      },
      most,
      0.05,
    );
  beforeEach(() => made.splice(0));

  it('opens every connection anew when it is told to, also in place of one that was in use then', async () => {
    const connections = pool(2);
    await connections.use(async () => {});
    await connections.use(() => connections.renew());
    await connections.use(async () => {});
    expect(made).toHaveLength(2);
  });

  it('uses a connection again, but not one that has gone', async () => {
    const connections = pool(2);
    await connections.use(async () => {});
    await connections.use(async () => {});
    expect(made).toHaveLength(1);
    made[0]!.alive = false;
    await connections.use(async () => {});
    expect(made).toHaveLength(2);
  });

  it('replaces one that turns out to be stale, once', async () => {
    const connections = pool(2);
    await connections.use(async () => {});
    let tries = 0;
    await connections.use(async (one) => {
      tries += 1;
      if (one === made[0]) {
        made[0]!.alive = false;
        throw new DirectoryDown('closed', true);
      }
    });
    expect([tries, made.length]).toEqual([2, 2]);
    await expect(
      connections.use(async () => {
        throw new DirectoryDown('closed', false);
      }),
    ).rejects.toThrow('closed');
  });

  it('closes a connection that was in use when it was closed itself', async () => {
    const connections = pool(1);
    let done!: () => void;
    const running = connections.use(
      () =>
        new Promise<void>((resolve) => {
          done = resolve;
        }),
    );
    await new Promise(setImmediate);
    const closed = jest.spyOn(made[0]!, 'close');
    await connections.close();
    expect(closed).not.toHaveBeenCalled();
    done();
    await running;
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('lets nobody wait for ever', async () => {
    const connections = pool(1);
    let done!: () => void;
    const long = connections.use(() => new Promise<void>((resolve) => (done = resolve)));
    await expect(connections.use(async () => {})).rejects.toThrow('all 1 connections to the directory are busy');
    const next = connections.use(async () => 'served');
    done();
    await long;
    expect(await next).toBe('served');
  });
});

it('good logins are remembered as long as asked, by their password only', () => {
  let time = 0;
  const account = { user: 'ann' } as never;
  const remembered = new Remembered(5, () => time);
  remembered.keep('ann', 'secret', account);
  expect(remembered.find('ann', 'secret')).toBe(account);
  expect(remembered.find('ann', 'other')).toBeUndefined();
  time = 5_000;
  expect(remembered.find('ann', 'secret')).toBeUndefined();
  const nothing = new Remembered(0);
  nothing.keep('ann', 'secret', account);
  expect(nothing.find('ann', 'secret')).toBeUndefined();
});

it('a server that accepts and says nothing is given up on in time, and no password is sent', async () => {
  const received: Buffer[] = [];
  const mute = createServer((socket) => socket.on('data', (chunk) => received.push(chunk)).on('error', () => {})).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as { port: number };
  for (const way of ['ldaps', 'ldap']) {
    const audit = new AuditRecorder();
    const accounts = await directoryAccounts(settings({ servers: [`${way}://127.0.0.1:${port}`], connectSeconds: 0.2, failures: 1 }), 'identity[0]', audit);
    const login = () => accounts.authenticate({ user: 'ann', password: 'secret-password', address: '' });
    expect(await login()).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('no TLS within 0.2 s') });
    expect(audit.of('health')).toMatchObject([{ part: 'directory', state: 'down' }]);
    await accounts.close();
  }
  expect(Buffer.concat(received).toString('latin1')).not.toContain('secret-password');
  mute.close();
});

it.each([
  ['ldap', {}, true],
  ['ldap', { nsAccountLock: ['TRUE'] }, false],
  ['ldap', { pwdAccountLockedTime: ['20260101000000Z'] }, false],
  ['active-directory', { userAccountControl: ['512'] }, true],
  ['active-directory', { userAccountControl: ['514'] }, false],
] as const)('who is asked about without a password, in %s with %j, is enabled: %s', async (flavour, attributes, enabled) => {
  const accounts = await directoryAccounts(settings({ flavour }), 'identity[0]', new AuditRecorder());
  // What a search finds, without a directory.
  const connection = { search: async () => [entry({ uid: ['ann'], sAMAccountName: ['ann'], ...(attributes as Record<string, string[]>) })] };
  Object.assign(accounts, {
    searchers: { use: (work: (one: unknown) => unknown) => work({ ...connection, url: 'ldaps://localhost' }), close: async () => {} },
  });
  expect(await accounts.rulesOf('ann')).toMatchObject({ user: 'ann', enabled });
  await accounts.close();
});

describe('keys of a directory', () => {
  const key = `ssh-ed25519 AAAA${'B'.repeat(64)}`;
  it.each([
    [[`${key} ann@laptop`], [`${key} ann@laptop`]],
    [
      [`SSHKey:${key}`, `sshkey: ${key} two`, 'X509:<I>DC=com<S>CN=ann', 'Kerberos:ann@CORP'],
      [key, `${key} two`],
    ],
    [[`${key} one\n${key} two\r\n`], [`${key} one`, `${key} two`]],
    [[`from="192.0.2.0/24" ${key}`, `cert-authority ${key}`, `restrict,command="x" ${key}`], []],
    [['', 'ssh-dss AAAAB3NzaC1kc3MAAACBAA', '-----BEGIN OPENSSH PRIVATE KEY-----'], []],
  ])('%j', (values, keys) => {
    expect(keysIn(values)).toEqual(keys);
  });

  it("Active Directory's hours and workstations hold where no bind asks it", () => {
    const hours = Buffer.alloc(21);
    hours[3] = 0b0000_0010; // Monday, 1:00 to 2:00
    const at = (attributes: Record<string, string[]>, time: string) => reasonWithoutBind({ ...entry(attributes), bytes: () => [hours] }, new Date(time));
    expect(at({}, '2026-11-30T01:30:00Z')).toBeUndefined();
    expect(at({}, '2026-11-30T02:00:00Z')).toBe('account-disabled');
    expect(at({}, '2026-12-01T01:30:00Z')).toBe('account-disabled');
    expect(at({ userWorkstations: ['PC1'] }, '2026-11-30T01:30:00Z')).toBe('account-disabled');
    expect(reasonWithoutBind(entry({}))).toBeUndefined();
  });
});
