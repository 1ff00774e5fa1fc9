// Before ssh2 itself, which takes the ciphers that are there when it is loaded.
import '../../../server/ssh/transport/ssh2-ciphers';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type AuthenticationType, type AuthHandlerMiddleware, Client } from 'ssh2';
import { UserAuthentication } from '../../../server/ssh/authentication/user-authentication';
import { messages } from '../../../server/ssh/connection/messages';
import { publicKeyBlob } from '../../../server/ssh/public-key';
import { WireWriter } from '../../../server/ssh/wire';
import { PASSWORD } from '../support/server';
import { type SftpServed, sftpServed } from './served';

/** A pair as a client has it, and the line that the account has. */
function pair(kind: 'rsa' | 'ec' = 'ec') {
  const { publicKey, privateKey } = kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const blob = publicKeyBlob(publicKey);
  return {
    privateKey: privateKey.export({ type: kind === 'rsa' ? 'pkcs1' : 'sec1', format: 'pem' }) as string,
    line: `${kind === 'rsa' ? 'ssh-rsa' : 'ecdsa-sha2-nistp256'} ${blob.toString('base64')} somebody`,
  };
}
const [one, two, rsa, stranger] = [pair(), pair(), pair('rsa'), pair()];

let server: SftpServed;
beforeAll(async () => {
  server = await sftpServed({ limits: { lockout: { failuresPerAddress: 1_000, failuresPerAccount: 4, firstSeconds: 1_000 } } }, [
    { user: 'demo' },
    { user: 'keys', publicKeys: [one.line, two.line, rsa.line] },
    { user: 'only', publicKeys: [one.line], sshLogin: 'key' },
    { user: 'both', publicKeys: [one.line], sshLogin: 'key-and-password' },
    { user: 'victim', publicKeys: [one.line] },
    { user: 'elsewhere', allowedNetworks: ['192.0.2.0/24'], publicKeys: [one.line] },
    { user: 'gone', enabled: false, publicKeys: [one.line] },
  ]);
});
afterAll(() => server.close());

const closed = (client: Client) => new Promise<void>((resolve) => client.on('close', resolve));
const logins = (user: string) => server.audit.of('login').filter(({ login }) => login === user);

it.each([
  ['one of several keys', { username: 'keys', password: undefined, privateKey: two.privateKey }, 'publickey'],
  ['an RSA key, by SHA-2', { username: 'keys', password: undefined, privateKey: rsa.privateKey }, 'publickey'],
  ['a password', { username: 'demo' }, 'password'],
  ['the key that is asked for', { username: 'only', password: undefined, privateKey: one.privateKey }, 'publickey'],
  ['key and password', { username: 'both', privateKey: one.privateKey, authHandler: ['publickey', 'password'] as AuthenticationType[] }, 'publickey+password'],
])('%s logs in', async (_, options, method) => {
  const client = await server.connect(options);
  client.end();
  expect(logins(options.username).at(-1)).toMatchObject({ outcome: 'success', method });
});

it('keyboard-interactive asks for the password', async () => {
  const client = new Client();
  client.on('keyboard-interactive', (_name, _instructions, _lang, prompts, finish) => {
    expect(prompts).toEqual([{ prompt: 'Password: ', echo: false }]);
    finish([PASSWORD]);
  });
  client.connect({ host: '127.0.0.1', port: server.sftpPort, username: 'demo', tryKeyboard: true });
  await once(client, 'ready');
  client.end();
});

it.each([
  ['a password where a key is asked for', { username: 'only' }, 'key-required'],
  ['a password before the key', { username: 'both' }, 'key-required'],
  ['a wrong password', { username: 'demo', password: 'wrong' }, 'wrong-password'],
  ['a name that is not there', { username: 'nobody', password: 'wrong' }, 'unknown-user'],
  ['an account that is disabled', { username: 'gone' }, 'account-disabled'],
  ['an account from another network', { username: 'elsewhere' }, 'address-not-allowed'],
])('%s does not', async (_, options, reason) => {
  await expect(server.connect(options)).rejects.toThrow('All configured authentication methods failed');
  expect(logins(options.username).at(-1)).toMatchObject({ outcome: 'failure', reason });
});

it('the key alone does not open an account that needs both, nor one that is disabled or elsewhere', async () => {
  for (const username of ['both', 'gone', 'elsewhere'])
    await expect(server.connect({ username, password: undefined, privateKey: one.privateKey })).rejects.toThrow('authentication methods failed');
});

it('keys that are offered lock nobody out, and tell nothing of an account', async () => {
  for (let count = 0; count < 6; count += 1)
    for (const username of ['victim', 'not-there'])
      await expect(server.connect({ username, password: undefined, privateKey: stranger.privateKey })).rejects.toThrow('authentication methods failed');
  expect(server.audit.of('lockout').filter(({ login }) => login === 'victim')).toEqual([]);
  (await server.connect({ username: 'victim', password: undefined, privateKey: one.privateKey })).end();
});

it('wrong passwords lock an account out as they do everywhere, and three end a connection', async () => {
  const attempts: string[] = [];
  const client = new Client();
  client.on('error', () => {});
  client.connect({
    host: '127.0.0.1',
    port: server.sftpPort,
    username: 'victim2',
    authHandler: (_left, _partial, next) => {
      attempts.push('password');
      next({ type: 'password', username: 'victim2', password: `guess ${attempts.length}` });
    },
  });
  await closed(client);
  expect(attempts.length).toBeLessThanOrEqual(4);
  expect(logins('victim2')).toHaveLength(3);
  await expect(server.connect({ username: 'victim2', password: 'again' })).rejects.toThrow();
  expect(server.audit.of('lockout').filter(({ login }) => login === 'victim2')).toHaveLength(1);
});

it('an agent with many keys is sent away after so many', async () => {
  const keys = Array.from({ length: 12 }, () => pair().privateKey);
  let offered = 0;
  const client = new Client();
  client.on('error', () => {});
  client.connect({
    host: '127.0.0.1',
    port: server.sftpPort,
    username: 'keys',
    authHandler: (_left, _partial, next) => {
      const key = keys[offered];
      offered += 1;
      next(key === undefined ? (false as never) : { type: 'publickey', username: 'keys', key });
    },
  });
  await closed(client);
  expect(offered).toBeLessThanOrEqual(11);
});

it('requests to log in that are sent ahead are answered in order, and what comes behind the right one is passed over', async () => {
  const client = new Client();
  let asked = 0;
  const ahead: AuthHandlerMiddleware = (_left, _partial, next) => {
    asked += 1;
    if (asked > 1) return;
    next({ type: 'password', username: 'demo', password: 'wrong' });
    const { _protocol: protocol } = client as unknown as { _protocol: { authPassword(user: string, password: string): void } };
    for (const password of [PASSWORD, 'behind']) protocol.authPassword('demo', password);
  };
  const before = logins('demo').length;
  client.connect({ host: '127.0.0.1', port: server.sftpPort, username: 'demo', authHandler: ahead });
  await once(client, 'ready');
  client.end();
  await closed(client);
  expect(
    logins('demo')
      .slice(before)
      .map(({ outcome }) => outcome),
  ).toEqual(['failure', 'success']);
});

it('there is no shell, no command, no tunnel and no agent', async () => {
  const client = await server.connect();
  const fails = (act: (done: (error?: Error) => void) => void) => new Promise<Error | undefined>((resolve) => act(resolve));
  expect(await fails((done) => client.shell(false, done))).toBeInstanceOf(Error);
  expect(await fails((done) => client.exec('id', done))).toBeInstanceOf(Error);
  expect(await fails((done) => client.exec('scp -t /', done))).toBeInstanceOf(Error);
  expect(await fails((done) => client.forwardOut('127.0.0.1', 1, '127.0.0.1', server.sftpPort, done))).toBeInstanceOf(Error);
  expect(await fails((done) => client.forwardIn('127.0.0.1', 0, done))).toBeInstanceOf(Error);
  expect(await fails((done) => client.subsys('netconf', done))).toBeInstanceOf(Error);
  expect(server.audit.of('refused').map(({ detail }) => detail)).toEqual(
    expect.arrayContaining(['shell', 'exec id', 'direct-tcpip', 'tcpip-forward', 'subsystem netconf']),
  );
  client.end();
});

it('ten channels are open on a connection, and no more', async () => {
  const client = await server.connect();
  const open = () => new Promise<Error | undefined>((resolve) => client.sftp((error) => resolve(error)));
  for (let count = 0; count < 10; count += 1) expect(await open()).toBeUndefined();
  expect((await open())?.message).toContain('No more than 10 channels');
  client.end();
});

it('who does not log in is sent away in time, and a silent connection too', async () => {
  const hurried = await sftpServed({ limits: { loginSeconds: 0.3 }, sftp: { handshakeSeconds: 0.2 } });
  const silent = connect({ port: hurried.sftpPort, host: '127.0.0.1' });
  silent.resume();
  await once(silent, 'close');
  expect(hurried.audit.of('handshake-failed')[0]).toMatchObject({ reason: 'timeout', listener: 'sftp' });
  const client = new Client();
  client.on('error', () => {});
  client.connect({ host: '127.0.0.1', port: hurried.sftpPort, username: 'demo', authHandler: () => {} });
  await closed(client);
  expect((await hurried.audit.next('connection-closed', ({ reason }) => reason === 'login-timeout')).listener).toBe('sftp');
  await hurried.close();
});

it('a PROXY header says who the client is', async () => {
  const proxied = await sftpServed({ sftp: { proxyProtocolFrom: ['127.0.0.0/8'] } });
  const socket = connect({ port: proxied.sftpPort, host: '127.0.0.1' });
  const header = Buffer.from('0d0a0d0a000d0a515549540a21110c00c0000205cb007101a1f40016'.replace('0c00', '000c'), 'hex');
  socket.write(header);
  const client = new Client();
  client.connect({ sock: socket, username: 'demo', password: PASSWORD });
  await once(client, 'ready');
  expect(proxied.audit.of('login')[0]?.client.address).toBe('192.0.2.5');
  client.end();
  await once(client, 'close');
  await proxied.close();
});

it('who asks for the service again before the next way of logging in, as paramiko does, is let in', async () => {
  const sent: Buffer[] = [];
  const door = new UserAuthentication(
    { send: (...parts) => sent.push(Buffer.concat(parts)), end: () => {}, sessionId: Buffer.alloc(32) },
    { ask: async ({ password }) => (password === 'right' ? 'accepted' : 'refused') },
    { mostTries: 10, algorithms: ['ssh-ed25519'] },
  );
  const service = new WireWriter().byte(messages.serviceRequest).string('ssh-userauth').done();
  const asks = (password: string) =>
    new WireWriter().byte(messages.userAuthRequest).string('ann').string('ssh-connection').string('password').boolean(false).string(password).done();
  await door.packet(service);
  expect(await door.packet(asks('wrong'))).toBe(false);
  await door.packet(service);
  expect(sent.at(-1)![0]).toBe(messages.serviceAccept);
  expect(await door.packet(asks('right'))).toBe(true);
});
