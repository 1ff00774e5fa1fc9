import { randomBytes, scryptSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { PASSWORD, RawClient, readAll, type TestServer, testServer } from '../../support/server';

let server: TestServer | undefined;
let clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await server?.close();
});

/** A hash that is quick to check: these tests log in often. */
const salt = randomBytes(16);
const passwordHash = `$scrypt$ln=4,r=8,p=1$${salt.toString('base64')}$${scryptSync(PASSWORD, salt, 32, { N: 16, r: 8, p: 1 }).toString('base64')}`;

/** Opens a server with so many ports and a file `N.txt` with content of its own for each client. */
async function open(ports: number, sessions: number, passive: { connectSeconds?: number } = {}, tls: Record<string, unknown> = {}): Promise<TestServer> {
  server = await testServer({ passive: { ports: `any:${ports}`, connectSeconds: 5, ...passive } }, [{ user: 'demo', passwordHash }]);
  await mkdir(server.files, { recursive: true });
  for (let index = 0; index < sessions; index += 1) {
    await writeFile(join(server.files, `${index}.txt`), `only for ${index}`);
    clients.push(await RawClient.loggedIn(server, tls));
  }
  return server;
}

/** The transfer that follows an EPSV. */
async function retrieve(from: TestServer, client: RawClient, port: number, options = {}): Promise<string> {
  const index = clients.indexOf(client);
  client.write(`RETR ${index}.txt\r\n`);
  expect(await client.reply()).toMatch(/^150 /);
  const data = await client.data(from, port, options);
  data.on('session', (session) => {
    client.session = session;
  });
  const text = (await readAll(data)).toString();
  expect(await client.reply()).toMatch(/^226 /);
  return text;
}

const everyone = Promise.all.bind(Promise);
const ownFiles = () => clients.map((_, index) => `only for ${index}`);

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('sessions of one address that resume over %s', (version) => {
  it('wait on one port together, and each gets its own file', async () => {
    const tls = { minVersion: version, maxVersion: version };
    const one = await open(2, 12, {}, tls);
    for (const client of clients) await retrieve(one, client, await client.epsv(), tls);
    const ports = await everyone(clients.map((client) => client.epsv()));
    expect(new Set(ports).size).toBeLessThanOrEqual(2);
    expect(await everyone(clients.map((client, index) => retrieve(one, client, ports[index]!, tls)))).toEqual(ownFiles());
    expect(one.audit.of('tls-established').filter(({ channel, binding }) => channel === 'data' && binding !== 'resumed')).toEqual([]);
  });
});

it('a connection that names nobody gets nothing from a port on which several wait, and they get their files', async () => {
  const one = await open(1, 2);
  for (const client of clients) await retrieve(one, client, await client.epsv());
  const ports = await everyone(clients.map((client) => client.epsv()));
  expect(ports[0]).toBe(ports[1]);
  await new Promise((gone) =>
    connectTls({ host: '127.0.0.1', port: ports[0]!, rejectUnauthorized: false })
      .on('error', () => {})
      .on('close', gone),
  );
  await one.audit.next('refused', ({ reason }) => reason === 'session-not-resumed');
  expect(await everyone(clients.map((client) => retrieve(one, client, ports[0]!)))).toEqual(ownFiles());
});

it('clients that never resume take turns on a port, each waiting until it has the port for itself', async () => {
  const one = await open(1, 3);
  const fetched = clients.map(async (client) => retrieve(one, client, await client.epsv(), { session: undefined }));
  expect(await everyone(fetched)).toEqual(ownFiles());
});

it('a session that asked for a port and left it does not keep others of its address waiting for long', async () => {
  const one = await open(1, 2);
  const [idle, busy] = clients as [RawClient, RawClient];
  await retrieve(one, busy, await busy.epsv());
  const port = await idle.epsv();
  expect(await busy.epsv()).toBe(port);
  expect(await retrieve(one, busy, port)).toBe('only for 1');
});

it('says 425 when no port became free in time, and the session goes on', async () => {
  const one = await open(1, 2, { connectSeconds: 0.4 });
  const [first, second] = clients as [RawClient, RawClient];
  await first.epsv();
  second.write('NOOP\r\nEPSV\r\n');
  await second.reply();
  expect(await first.send('RETR 0.txt')).toMatch(/^150 /); // the wait for its connection begins anew
  expect(await second.reply()).toMatch(/^425 All passive ports/);
  expect(await first.reply()).toMatch(/^425 /);
  expect(await retrieve(one, second, await second.epsv())).toBe('only for 1');
});

describe('a data connection that resumes another session of the same account', () => {
  /** What a program with one cache of TLS sessions does (Go, Java): it resumes the newest, whichever connection it is of. */
  async function crossing(tls: Record<string, unknown>, dataTlsReuse: 'preferred' | 'required', second: string) {
    server = await testServer({ listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, dataTlsReuse }], passive: { ports: 'any:2', connectSeconds: 1 } }, [
      { user: 'demo', passwordHash },
      { user: 'other', passwordHash },
    ]);
    await mkdir(server.files, { recursive: true });
    await writeFile(join(server.files, 'file.txt'), 'for this account');
    const first = await RawClient.loggedIn(server, tls);
    const newest = await RawClient.loggedIn(server, tls, second);
    clients.push(first, newest);
    const port = await first.epsv();
    first.write('RETR file.txt\r\n');
    expect(await first.reply()).toMatch(/^150 /);
    const data = connectTls({ host: '127.0.0.1', port, ca: server.authority.pem, servername: 'localhost', session: newest.session, ...tls });
    data.on('error', () => {});
    const chunks: Buffer[] = [];
    data.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => data.on('close', resolve));
    return { got: Buffer.concat(chunks).toString(), reply: await first.reply(), server };
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is taken under %s, and the audit says so', async (version) => {
    const { got, reply, server: one } = await crossing({ minVersion: version, maxVersion: version }, 'preferred', 'demo');
    expect(got).toBe('for this account');
    expect(reply).toMatch(/^226 /);
    expect(one.audit.of('tls-established').at(-1)).toMatchObject({ channel: 'data', binding: 'same-account' });
  });

  it('is refused where every data connection must resume its own', async () => {
    const { got, reply } = await crossing({}, 'required', 'demo');
    expect(got).toBe('');
    expect(reply).toMatch(/^522 /);
  });

  it('is refused where it is of another account', async () => {
    const { got, reply } = await crossing({}, 'preferred', 'other');
    expect(got).toBe('');
    expect(reply).toMatch(/^4|^5/);
  });
});
