import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { RawClient, readAll, type TestServer, testServer } from '../../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({}, [{ user: 'demo' }, { user: 'legacy', requireCloseNotify: false }]);
  await mkdir(server.files, { recursive: true });
});
afterAll(() => server.close());

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** A data connection whose bytes pass through the test's hands. */
async function dataOverTcp(client: RawClient, port: number, options: object) {
  const tcp = connectTcp(port, '127.0.0.1');
  await once(tcp, 'connect');
  const tls = connectTls({ socket: tcp, ca: server.authority.pem, servername: 'localhost', session: client.session, ...options });
  tls.on('error', () => {});
  await once(tls, 'secureConnect');
  return { tcp, tls };
}

/** Ends the TCP connection after everything was sent, without TLS knowing of it. */
async function cut(tls: TLSSocket, tcp: ReturnType<typeof connectTcp>, content: Buffer): Promise<void> {
  await new Promise((resolve) => tls.write(content, resolve));
  tcp.end();
}

describe.each(versions)('an upload under %s', (version) => {
  const fixed = { minVersion: version, maxVersion: version };

  it('counts as cut where its TLS connection ends without close_notify, and as whole where it ends with it, whatever its size', async () => {
    const client = await RawClient.loggedIn(server, fixed);
    for (const size of [0, 1, 2, 3, 19, 5_000, 300_000]) {
      await writeFile(join(server.files, 'kept'), 'old');
      const port = await client.epsv();
      client.write('STOR kept\r\n');
      const { tls, tcp } = await dataOverTcp(client, port, fixed);
      await client.reply();
      await cut(tls, tcp, randomBytes(size));
      expect(await client.reply()).toBe('426 The upload was cut: its TLS connection ended without close_notify.');
      expect(await readFile(join(server.files, 'kept'), 'utf8')).toBe('old');
    }
    for (const size of [0, 2, 5_000]) {
      const content = randomBytes(size);
      const port = await client.epsv();
      client.write('STOR kept\r\n');
      const { tls } = await dataOverTcp(client, port, fixed);
      await client.reply();
      tls.end(content);
      expect(await client.reply()).toMatch(/^226 /);
      expect((await readFile(join(server.files, 'kept'))).equals(content)).toBe(true);
    }
    client.close();
  });

  it('without close_notify is taken from an account that is excused from it', async () => {
    const content = randomBytes(5_000);
    const client = await RawClient.loggedIn(server, fixed, 'legacy');
    const port = await client.epsv();
    client.write('STOR excused\r\n');
    const { tls, tcp } = await dataOverTcp(client, port, fixed);
    await client.reply();
    await cut(tls, tcp, content);
    expect(await client.reply()).toMatch(/^226 /);
    expect((await readFile(join(server.files, 'excused'))).equals(content)).toBe(true);
    client.close();
  });

  it('that is over and gone before it is believed, since it resumed nothing, is whole', async () => {
    const content = randomBytes(5_000);
    const client = await RawClient.loggedIn(server, fixed);
    const port = await client.epsv();
    client.write('STOR quick\r\n');
    await client.reply();
    const { tls } = await dataOverTcp(client, port, { ...fixed, session: undefined });
    tls.end(content);
    await once(tls.resume(), 'close');
    expect(await client.reply()).toMatch(/^226 /);
    expect((await readFile(join(server.files, 'quick'))).equals(content)).toBe(true);
    client.close();
  });

  it('whose client vanishes before it is believed fails, and the server serves on', async () => {
    const client = await RawClient.loggedIn(server, fixed);
    const port = await client.epsv();
    client.write('STOR vanished\r\n');
    await client.reply();
    const { tls, tcp } = await dataOverTcp(client, port, { ...fixed, session: undefined });
    tls.write('half');
    tcp.resetAndDestroy();
    expect(await client.reply()).toMatch(/^4(25|26) /);
    expect(await client.send('NOOP')).toMatch(/^200/);
    client.close();
  });
});

describe.each(versions)('a download under %s', (version) => {
  it('ends with close_notify', async () => {
    const content = randomBytes(100_000);
    await writeFile(join(server.files, 'download'), content);
    const fixed = { minVersion: version, maxVersion: version };
    const client = await RawClient.loggedIn(server, fixed);
    const port = await client.epsv();
    client.write('RETR download\r\n');
    const tcp = connectTcp(port, '127.0.0.1');
    const seen: Buffer[] = [];
    const through = new PassThrough();
    tcp.on('data', (chunk) => seen.push(chunk));
    tcp.pipe(through);
    const tls = connectTls({
      socket: Duplex.from({ readable: through, writable: tcp }) as never,
      ca: server.authority.pem,
      servername: 'localhost',
      session: client.session,
      ...fixed,
    });
    expect((await readAll(tls)).equals(content)).toBe(true);
    // The last record that came is an alert: openly one under TLS 1.2, of an alert's length under TLS 1.3.
    const last = recordsOf(Buffer.concat(seen)).at(-1)!;
    expect(version === 'TLSv1.2' ? last.type : last.length).toBe(version === 'TLSv1.2' ? 21 : 19);
    expect(await client.reply()).toMatch(/^150/);
    expect(await client.reply()).toMatch(/^226/);
    client.close();
  });
});

function recordsOf(bytes: Buffer): { type: number; length: number }[] {
  const records: { type: number; length: number }[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + records.at(-1)!.length) records.push({ type: bytes[at]!, length: bytes.readUInt16BE(at + 3) });
  return records;
}
