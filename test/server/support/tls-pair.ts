/** Both ends of an encrypted connection whose server's end is accepted as the server does it, and does not read yet. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { type EndWatch, watchEnd } from '../../../server/ftps/tls/end-watch';
import { type Accepted, acceptTls } from '../../../server/tls/accept';
import { TestAuthority } from './authority';

export interface TlsPair {
  readonly tcp: Socket;
  readonly client: TLSSocket;
  readonly accepted: Accepted;
  readonly end: EndWatch;
  /** Beneath `accepted`. */
  readonly transport: Socket;
  close(): void;
}

export interface TlsPairOptions {
  /** Both where it is absent. */
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
  /** What the client's TLS is to run over, instead of the connection itself. */
  readonly over?: (tcp: Socket) => Duplex;
}

async function identity() {
  const authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue({ names: ['localhost'] });
  return { ca: authority.pem, context: createSecureContext({ cert: certificate, key }) };
}
let made: ReturnType<typeof identity> | undefined;

export async function tlsPair({ version, over = (tcp) => tcp }: TlsPairOptions = {}): Promise<TlsPair> {
  made ??= identity();
  const { ca, context } = await made;
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const tcp = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [transport] = await arrived;
  let end!: EndWatch;
  const accepting = acceptTls(transport, {
    context,
    clientCertificate: 'off',
    seconds: 60,
    onSession: () => {},
    holdSessions: true,
    onSocket: (socket) => {
      end = watchEnd(socket, transport);
    },
  });
  const client = connectTls({ socket: over(tcp), ca, servername: 'localhost', ...(version && { minVersion: version, maxVersion: version }) });
  client.on('error', () => {});
  await once(client, 'secureConnect');
  const accepted = (await accepting) as Accepted;
  const close = () => {
    for (const end of [accepted.socket, transport, client, tcp]) end.destroy();
    server.close();
  };
  return { tcp, client, accepted, end, transport, close };
}
