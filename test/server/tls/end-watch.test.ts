import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { type Accepted, acceptTls } from '../../../server/tls/accept';
import { TestAuthority } from '../support/authority';

let authority: TestAuthority;
let context: ReturnType<typeof createSecureContext>;
beforeAll(async () => {
  authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue({ names: ['localhost'] });
  context = createSecureContext({ cert: certificate, key });
});

/** Both ends of an encrypted connection whose server does not read yet. */
async function pair(version: 'TLSv1.2' | 'TLSv1.3') {
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const tcp = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = await arrived;
  const accepting = acceptTls(socket, { context, clientCertificate: 'off', seconds: 60, onSession: () => {}, holdSessions: true });
  const client = connectTls({ socket: tcp, ca: authority.pem, servername: 'localhost', minVersion: version, maxVersion: version });
  client.on('error', () => {});
  await once(client, 'secureConnect');
  const accepted = (await accepting) as Accepted;
  accepted.socket.pause();
  return { tcp, client, accepted, close: () => [accepted.socket.destroy(), client.destroy(), tcp.destroy(), server.close()] };
}

/** Reads with long breaks, so that the end comes while Node has stopped reading. */
async function readSlowly({ socket }: Accepted): Promise<Buffer> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    socket.pause();
    setImmediate(() => socket.resume());
  });
  await once(socket.resume(), 'end');
  return Buffer.concat(pieces);
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('what arrives slowly under %s', (version) => {
  // Not more than fits into the window: a reset throws away what the client's kernel has not sent yet.
  it.each([0, 1, 24, 16_384, 50_000])('and ends by close_notify is whole, also where a reset follows: %d bytes', async (size) => {
    const { client, tcp, accepted, close } = await pair(version);
    const content = randomBytes(size);
    const reading = readSlowly(accepted);
    client.end(content, () => tcp.resetAndDestroy());
    expect((await reading).equals(content)).toBe(true);
    expect(accepted.end.byCloseNotify()).toBe(true);
    close();
  });

  it.each([0, 1, 24, 16_384, 300_000])('and merely ends is cut: %d bytes', async (size) => {
    const { client, tcp, accepted, close } = await pair(version);
    const content = randomBytes(size);
    const reading = readSlowly(accepted);
    client.write(content, () => tcp.end());
    expect((await reading).equals(content)).toBe(true);
    expect(accepted.end.byCloseNotify()).toBe(false);
    close();
  });
});
