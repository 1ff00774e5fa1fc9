/** Somebody at the client's own address is told the port of a data connection, and comes to it first. The client resumes no session. */
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { RawClient, readAll, type TestServer, testServer } from '../../support/server';

const FILE = 'the salaries of everybody';
const none: ConnectionOptions = { session: undefined };

let server: TestServer;
let client: RawClient;
afterEach(async () => {
  client.close();
  await server.close();
});

async function open(tls: ConnectionOptions = {}): Promise<void> {
  server = await testServer({ listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }], passive: { ports: 'any:1', connectSeconds: 5 } });
  await mkdir(server.files, { recursive: true });
  await writeFile(join(server.files, 'file.txt'), FILE);
  client = await RawClient.loggedIn(server, tls);
}

/** What a connection to the port receives until it is closed; `sends` is what it sends at once. */
function visit(port: number, options: ConnectionOptions = {}, sends?: string): Promise<string> {
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, ca: server.authority.pem, servername: 'localhost', ...options });
  if (sends !== undefined) socket.end(sends);
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk;
  });
  socket.on('error', () => {});
  return new Promise((resolve) => socket.on('close', () => resolve(got)));
}

/** Connects and leaves without a word. */
async function comeAndGo(port: number): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1', () => socket.end()).resume();
  await once(socket, 'close');
}

/** A transfer by which the server sees that this client resumes nothing. */
async function transfer(tls: ConnectionOptions): Promise<string> {
  const port = await client.epsv();
  const got = client.data(server, port, { ...none, ...tls }).then(readAll);
  client.write('RETR file.txt\r\n');
  expect(await client.reply()).toMatch(/^150 /);
  const text = (await got).toString();
  expect(await client.reply()).toMatch(/^226 /);
  return text;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('under %s', (version) => {
  const tls = { minVersion: version, maxVersion: version };

  it.each(['at its first transfer', 'later'])('a thief who comes first gets no byte of the file, %s', async (when) => {
    await open(tls);
    if (when === 'later') for (let before = 0; before < 2; before += 1) expect(await transfer(tls)).toBe(FILE);
    const port = await client.epsv();
    const stolen = visit(port, tls);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const own = visit(port, tls);
    await new Promise((resolve) => setTimeout(resolve, 10));
    client.write('RETR file.txt\r\n');
    expect(await client.reply()).toMatch(/^150 /);
    expect({ thief: await stolen, client: await own }).toEqual({ thief: '', client: '' });
    expect(await client.reply()).toMatch(/^522 /);
    expect(server.audit.of('refused').filter(({ reason }) => reason === 'session-not-resumed')).toHaveLength(2);
  });

  it('a thief who comes first has nothing of his stored in its place', async () => {
    await open(tls);
    expect(await transfer(tls)).toBe(FILE);
    const port = await client.epsv();
    const stolen = visit(port, tls, 'a false account number');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const own = visit(port, tls, 'the account number');
    client.write('STOR up.txt\r\n');
    expect(await client.reply()).toMatch(/^150 /);
    await Promise.all([stolen, own]);
    expect(await client.reply()).toMatch(/^522 /);
    expect(await readdir(server.files)).not.toContain('up.txt');
  });

  it('a thief gets nothing before the transfer command, however long he waits', async () => {
    await open(tls);
    expect(await transfer(tls)).toBe(FILE);
    const port = await client.epsv();
    const stolen = visit(port, tls);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(server.audit.of('tls-established').filter(({ channel }) => channel === 'data')).toHaveLength(1);
    client.close();
    expect(await stolen).toBe('');
  });

  it('the client gets its file while a thief with other TLS software is there', async () => {
    await open(tls);
    for (let turn = 0; turn < 2; turn += 1) {
      const port = await client.epsv();
      const stolen = visit(port, { ...tls, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256' });
      const got = client.data(server, port, { ...none, ...tls }).then(readAll);
      client.write('RETR file.txt\r\n');
      expect(await client.reply()).toMatch(/^150 /);
      expect((await got).toString()).toBe(FILE);
      expect(await client.reply()).toMatch(/^226 /);
      expect(await stolen).toBe('');
    }
  });
});

/** Sends its hello and ends at once, as basic-ftp does with an empty file when 150 comes before the server's part of the handshake. */
async function helloAndGo(port: number): Promise<void> {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  connectTls({ socket, ca: server.authority.pem, servername: 'localhost', session: client.session }).on('error', () => {});
  await new Promise(setImmediate);
  socket.end();
}

describe('a data connection that is gone before its handshake', () => {
  it.each(['before', 'after'])('is told as soon as it is, when it ended behind its hello, %s the command', async (when) => {
    await open();
    const port = await client.epsv();
    if (when === 'before') await helloAndGo(port);
    client.write('STOR up.txt\r\n');
    expect(await client.reply()).toMatch(/^150 /);
    const begin = performance.now();
    if (when === 'after') await helloAndGo(port);
    expect(await client.reply()).toMatch(/^425 The data connection was gone/);
    expect(performance.now() - begin).toBeLessThan(1_500);
    expect(await readdir(server.files)).not.toContain('up.txt');
  });

  it.each(['before', 'after'])('is told as soon as it is, when it went %s the command', async (when) => {
    await open();
    const port = await client.epsv();
    const gone = () => comeAndGo(port);
    if (when === 'before') await gone();
    client.write('RETR file.txt\r\n');
    expect(await client.reply()).toMatch(/^150 /);
    const begin = performance.now();
    if (when === 'after') await gone();
    expect(await client.reply()).toMatch(/^425 The data connection was gone/);
    expect(performance.now() - begin).toBeLessThan(1_500);
  });

  it('is none of the client, which still gets its file', async () => {
    await open();
    const port = await client.epsv();
    await comeAndGo(port);
    client.write('RETR file.txt\r\n');
    expect(await client.reply()).toMatch(/^150 /);
    expect((await readAll(await client.data(server, port))).toString()).toBe(FILE);
    expect(await client.reply()).toMatch(/^226 /);
  });
});
