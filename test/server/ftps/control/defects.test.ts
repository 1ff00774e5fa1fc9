/** What ftp-srv does wrong by itself and this server must not. */

import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { PASSWORD, RawClient, readAll, type TestServer, testServer } from '../../support/server';

/** Waits for the end of a connection, whatever it ends by. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()));
}

let server: TestServer;

beforeAll(async () => {
  server = await testServer({ limits: { loginAttempts: 3 } }, [{ user: 'demo' }, { user: 'reader', permissions: ['read', 'list'] }]);
});
afterAll(() => server.close());

async function greeted(): Promise<RawClient> {
  const raw = await RawClient.explicit(server);
  expect(await raw.reply()).toBe('220 FTPS ready');
  return raw;
}

describe('before TLS', () => {
  it('refuses a login before any account is looked up, and says how', async () => {
    const raw = await greeted();
    expect(await raw.send('USER demo')).toMatch(/^530 .*AUTH TLS/);
    expect(await raw.send(`PASS ${PASSWORD}`)).toMatch(/^530 .*AUTH TLS/);
    expect(server.audit.of('login')).toHaveLength(0);
    expect(await server.audit.next('refused', ({ reason }) => reason === 'tls-required')).toMatchObject({ detail: 'USER' });
    raw.close();
  });

  it('drops a connection with bytes pipelined behind AUTH, and runs none of them', async () => {
    const raw = await greeted();
    raw.write(`AUTH TLS\r\nUSER demo\r\nPASS ${PASSWORD}\r\n`);
    expect(await raw.rest()).toBe('');
    await server.audit.next('handshake-failed', ({ reason }) => reason === 'bytes-before-upgrade');
    expect(server.audit.of('login')).toHaveLength(0);
  });

  it('says why a client that never speaks TLS was dropped', async () => {
    const socket = connectTcp(server.implicit, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('USER demo\r\n');
    await once(socket, 'close');
    expect(await server.audit.next('handshake-failed', ({ listener }) => listener === 'implicit')).toMatchObject({ reason: 'plain-text' });
  });
});

describe('TLS', () => {
  it.each([
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, 'unsupported-protocol'],
    ['RSA key exchange', { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384:AES128-SHA' }, 'no-shared-cipher'],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA' }, 'no-shared-cipher'],
  ] as const)('refuses %s and says so in the audit', async (_name, options, reason) => {
    const before = server.audit.of('handshake-failed').length;
    const socket = connectTls({ host: '127.0.0.1', port: server.implicit, rejectUnauthorized: false, ...options });
    await once(socket, 'error');
    await server.audit.next('handshake-failed', (event) => event.reason === reason && server.audit.of('handshake-failed').indexOf(event) >= before);
  });

  it('prefers AES-256-GCM whatever the client prefers', async () => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: server.implicit,
      ca: server.authority.pem,
      servername: 'localhost',
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
    });
    await once(socket, 'secureConnect');
    expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
    socket.destroy();
  });

  it('does not renegotiate', async () => {
    const raw = await RawClient.loggedIn(server, { maxVersion: 'TLSv1.2' });
    const tls = raw.socket as ReturnType<typeof connectTls>;
    const refused = await new Promise<boolean>((resolve) => {
      tls.on('error', () => resolve(true)).on('close', () => resolve(true));
      tls.renegotiate({}, (error) => resolve(error !== null));
    });
    expect(refused).toBe(true);
    raw.close();
  });

  it('transfers nothing before PROT P', async () => {
    const raw = await greeted();
    await raw.upgrade(server);
    await raw.send('USER demo');
    expect(await raw.send(`PASS ${PASSWORD}`)).toMatch(/^230 /);
    await raw.epsv();
    expect(await raw.send('LIST')).toMatch(/^521 .*PROT P/);
    expect(await raw.send('PROT P')).toMatch(/^503 /);
    expect(await raw.send('PBSZ 0')).toBe('200 PBSZ=0');
    expect(await raw.send('PROT C')).toMatch(/^534 /);
    expect(await raw.send('PROT S')).toMatch(/^536 /);
    expect(await raw.send('PROT P')).toMatch(/^200 /);
    expect(await raw.send('CCC')).toMatch(/^534 /);
    raw.close();
  });
});

describe('the line', () => {
  it('may come in pieces, and two may come in one', async () => {
    const raw = await greeted();
    raw.write('SY');
    raw.write('ST\r\nNOOP\r\n');
    expect(await raw.reply()).toMatch(/^215 /);
    expect(await raw.reply()).toMatch(/^200 /);
    raw.close();
  });

  it('ends the connection when it is too long', async () => {
    const raw = await greeted();
    raw.write(`USER ${'x'.repeat(9_000)}`);
    expect(await raw.rest()).toMatch(/^500 /);
    await server.audit.next('refused', ({ reason }) => reason === 'line-too-long');
  });

  it('is refused with a NUL, and the session goes on', async () => {
    const raw = await greeted();
    expect(await raw.send('NOOP \0')).toMatch(/^500 /);
    expect(await raw.send('NOOP')).toMatch(/^200 /);
    raw.close();
  });

  it('keeps quotes, dashes and blanks of a password', async () => {
    const raw = await RawClient.loggedIn(server); // PASSWORD has all of them
    expect(await raw.send('PWD')).toBe('257 "/"');
    raw.close();
  });

  it('gets a reply whatever the command is', async () => {
    const raw = await RawClient.loggedIn(server);
    for (const [line, reply] of [
      ['XYZZY', /^500 /],
      ['OPTS', /^501 /],
      ['SITE', /^501 /],
      ['OPTS NONSENSE', /^501 /],
      ['SITE CHMOD 777 x', /^504 /],
      ['SITE HELP', /^214-/],
      ['STRU R', /^504 /],
      ['MODE B', /^504 /],
      ['TYPE E', /^504 /],
      ['ALLO 5', /^202 /],
      ['HOST ftp.example.com', /^503 /],
      ['ACCT x', /^202 /],
      ['RNTO x', /^503 /],
      ['REST -1', /^501 /],
      ['RETR nothing', /^425 /],
      ['', /^500 /],
      ['HELP', /^214-/],
      ['HELP STOR', /^214 Syntax: STOR <path>/],
      ['HELP NONE', /^502 /],
      ['STAT', /^211-/],
      ['CLNT test', /^200 /],
      ['LANG de', /^504 /],
      ['PORT 127,0,0,1,200,200', /^502 /],
    ] as const)
      expect(`${line} → ${await raw.send(line)}`).toMatch(new RegExp(reply.source.replace('^', `^${line.replaceAll(/[.*+?^$()[\]{}|\\]/g, '\\$&')} → `)));
    raw.close();
  });
});

describe('the home', () => {
  it('has no way out by .. or by a link, and shows no path of the host', async () => {
    await writeFile(join(server.folder, 'secret.txt'), 'secret');
    await mkdir(join(server.files, 'inner'), { recursive: true });
    await symlink(join(server.folder, 'secret.txt'), join(server.files, 'link.txt'));
    await symlink(server.folder, join(server.files, 'folder-link'));
    const raw = await RawClient.loggedIn(server);
    for (const path of ['../secret.txt', '/../../secret.txt', 'inner/../../secret.txt', 'link.txt', 'folder-link/secret.txt', '.ftps-staging']) {
      await raw.epsv();
      const reply = await raw.send(`RETR ${path}`);
      expect(reply).toMatch(/^55[03] /);
      expect(reply).not.toContain(server.folder);
    }
    expect(await raw.send('CWD folder-link')).toMatch(/^550 /);
    expect(await raw.send('CWD ../../..')).toBe('250 "/"');
    raw.close();
  });

  it('gives a reader no right to write', async () => {
    const raw = await RawClient.loggedIn(server, {}, 'reader');
    for (const line of ['STOR x', 'APPE x', 'DELE x', 'MKD x', 'RMD x', 'RNFR x', 'MFMT 20260101000000 x'])
      expect(await raw.send(line)).toMatch(/^550 This account may not /);
    raw.close();
  });
});

describe('logins', () => {
  it('answer an unknown user and a wrong password alike, and end the session after three', async () => {
    const raw = await greeted();
    await raw.upgrade(server);
    await raw.send('USER demo');
    const wrong = await raw.send('PASS wrong');
    await raw.send('USER nobody');
    expect(await raw.send('PASS wrong')).toBe(wrong);
    await raw.send('USER demo');
    raw.write('PASS wrong\r\n');
    expect(await raw.rest()).toMatch(/^421 /);
    expect(
      server.audit
        .of('login')
        .filter(({ outcome }) => outcome === 'failure')
        .map(({ reason }) => reason),
    ).toEqual(['wrong-password', 'unknown-user', 'wrong-password']);
  });
});

describe('passive ports', () => {
  it('are reserved one a session, however often it asks', async () => {
    const raw = await RawClient.loggedIn(server);
    for (let count = 0; count < 20; count += 1) await raw.epsv();
    const other = await RawClient.loggedIn(server);
    expect(await other.send('EPSV')).toMatch(/^229 /);
    raw.close();
    other.close();
  });

  it.each([
    [
      'plain bytes',
      async (port: number) =>
        connectTcp(port, '127.0.0.1')
          .on('error', () => {})
          .end('GET / HTTP/1.1\r\n\r\n'),
    ],
    ['TLS without a session', async (port: number) => connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }).on('error', () => {})],
  ])('drop a stranger with %s, and the session still gets its file', async (_name, stranger) => {
    await writeFile(join(server.files, 'mine.txt'), 'only for me');
    const raw = await RawClient.loggedIn(server);
    // A first transfer shows that this client resumes its session.
    const first = await raw.epsv();
    raw.write('RETR mine.txt\r\n');
    expect(await raw.reply()).toMatch(/^150 /);
    const one = await raw.data(server, first);
    one.on('session', (session) => {
      raw.session = session;
    });
    expect((await readAll(one)).toString()).toBe('only for me');
    await raw.reply();

    const port = await raw.epsv();
    const intruder = await stranger(port);
    const got: Buffer[] = [];
    intruder.on('data', (chunk: Buffer) => got.push(chunk));
    await closed(intruder);
    raw.write('RETR mine.txt\r\n');
    expect(await raw.reply()).toMatch(/^150 /);
    expect((await readAll(await raw.data(server, port))).toString()).toBe('only for me');
    expect(await raw.reply()).toMatch(/^226 /);
    expect(Buffer.concat(got).toString()).not.toContain('only');
    raw.close();
  });

  it('give nothing to the session of another account at the same address', async () => {
    await writeFile(join(server.files, 'mine.txt'), 'only for me');
    const victim = await RawClient.loggedIn(server);
    const thief = await RawClient.loggedIn(server, {}, 'reader');
    const port = await victim.epsv();
    const stolen = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'localhost', session: thief.session }).on('error', () => {});
    await closed(stolen);
    await server.audit.next('refused', ({ reason }) => reason === 'other-session');
    victim.write('RETR mine.txt\r\n');
    expect(await victim.reply()).toMatch(/^150 /);
    expect((await readAll(await victim.data(server, port))).toString()).toBe('only for me');
    victim.close();
    thief.close();
  });

  it('refuse a client that did not ask for one', async () => {
    await closed(connectTcp(server.server.passivePorts[0]!, '127.0.0.1').on('error', () => {}));
    await server.audit.next('refused', ({ reason }) => reason === 'stranger');
  });
});

describe('active mode', () => {
  it('is refused to any address but the client’s own', async () => {
    const active = await testServer({ active: { enabled: true } });
    const raw = await RawClient.loggedIn(active);
    expect(await raw.send('PORT 10,0,0,1,200,200')).toMatch(/^504 /);
    expect(await raw.send('PORT 127,0,0,1,0,22')).toMatch(/^504 /);
    expect(await raw.send('EPRT |1|10.0.0.1|50000|')).toMatch(/^504 /);
    expect(active.audit.of('refused').map(({ reason }) => reason)).toEqual(['bounce', 'bounce', 'bounce']);

    await writeFile(join(active.files, 'a.txt'), 'active');
    const listening = createServer();
    await once(listening.listen(0, '127.0.0.1'), 'listening');
    const { port } = listening.address() as { port: number };
    expect(await raw.send(`EPRT |1|127.0.0.1|${port}|`)).toMatch(/^200 /);
    raw.write('RETR a.txt\r\n');
    expect(await raw.reply()).toMatch(/^150 /);
    const [socket] = await once(listening, 'connection');
    const data = connectTls({ socket, ca: active.authority.pem, servername: 'localhost', session: raw.session });
    expect((await readAll(data)).toString()).toBe('active');
    expect(await raw.reply()).toMatch(/^226 /);
    await active.audit.next('tls-established', ({ channel, binding }) => channel === 'data' && binding === 'resumed');
    raw.close();
    listening.close();
    await active.close();
  });
});

it('EPSV ALL leaves only EPSV', async () => {
  const raw = await RawClient.loggedIn(server);
  expect(await raw.send('EPSV ALL')).toMatch(/^200 /);
  expect(await raw.send('PASV')).toMatch(/^503 /);
  expect(await raw.send('EPSV')).toMatch(/^229 /);
  expect(await raw.send('EPSV 2')).toMatch(/^522 /);
  raw.close();
});
