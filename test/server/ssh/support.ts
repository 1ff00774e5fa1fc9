/** A server of SSH without accounts or files behind it: one name and password may come in, and `echo` sends back what comes. */
// Before ssh2 itself, which takes the ciphers that are there when it is loaded.
import '../../../server/ssh/transport/ssh2-ciphers';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Client, type ConnectConfig } from 'ssh2';
import { UserAuthentication } from '../../../server/ssh/authentication/user-authentication';
import type { Channel, ChannelUser } from '../../../server/ssh/connection/channel';
import { Channels } from '../../../server/ssh/connection/channels';
import { byAlgorithm, HostKey } from '../../../server/ssh/transport/host-keys';
import { type SshPolicy, sshPolicies } from '../../../server/ssh/transport/policy';
import type { Negotiated } from '../../../server/ssh/transport/ssh2';
import { Transport } from '../../../server/ssh/transport/transport';

export const hostKeys = [
  HostKey.read(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
  HostKey.read(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }) as string),
  HostKey.read(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }) as string),
];

export interface EchoServer {
  readonly port: number;
  /** How connections have gone: `established`, what was negotiated, `failed`, `refused`. */
  readonly log: string[];
  readonly negotiated: Negotiated[];
  /** How often keys were agreed on, on all connections together. */
  agreed(): number;
  close(): Promise<void>;
}

export async function echoServer(
  options: { readonly policy?: SshPolicy; readonly rekeyBytes?: number; readonly handshakeSeconds?: number } = {},
): Promise<EchoServer> {
  const log: string[] = [];
  const negotiated: Negotiated[] = [];
  const transports: Transport[] = [];
  const sockets = new Set<Socket>();
  const policy = options.policy ?? sshPolicies.modern;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    let isIn = false;
    const link = {
      send: (...parts: readonly Uint8Array[]) => transport.send(...parts),
      room: () => transport.room(),
      get isFull() {
        return transport.isFull;
      },
      broken: () => transport.disconnect(2),
      refused: (what: string) => log.push(`refused ${what}`),
    };
    const channels = new Channels(link, {
      command: () => undefined,
      subsystem: (name, channel) => (name === 'echo' ? echo(channel, () => log.push('channel closed')) : undefined),
    });
    const authentication = new UserAuthentication(
      {
        send: link.send,
        end: (reason) => {
          log.push(`ended ${reason}`);
          transport.disconnect(2);
        },
        get sessionId() {
          return transport.sessionId;
        },
      },
      { ask: async ({ password }) => (password === 'secret' ? 'accepted' : 'refused') },
      { mostTries: 6, algorithms: policy.userKeys },
    );
    const transport: Transport = new Transport(
      socket,
      { hostKeys: byAlgorithm(hostKeys), policy, software: 'test', handshakeSeconds: options.handshakeSeconds ?? 10, rekeyBytes: options.rekeyBytes },
      {
        established: (what) => {
          log.push('established');
          negotiated.push(what);
        },
        packet: (payload) => {
          if (isIn) channels.packet(payload);
          else
            void authentication.packet(payload).then(
              (entered) => {
                isIn ||= entered;
              },
              () => transport.disconnect(2),
            );
        },
        failed: (reason, detail) => log.push(`failed ${reason}: ${detail}`),
        closed: () => {
          channels.closeAll();
          log.push('closed');
        },
      },
    );
    transports.push(transport);
    transport.start();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    log,
    negotiated,
    agreed: () => transports.reduce((sum, { agreements }) => sum + agreements, 0),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function echo(channel: Channel, closed: () => void): ChannelUser {
  let sent: Promise<unknown> = Promise.resolve();
  return {
    data: (bytes) => {
      sent = sent.then(() => channel.send(bytes)).then(() => channel.workedOff(bytes.length));
      return true;
    },
    ended: () => {
      void sent.then(() => channel.close(0));
    },
    closed,
  };
}

/** Logs in, sends the bytes to `echo`, answers what came back. */
export async function echoed(port: number, bytes: Buffer, options: ConnectConfig = {}): Promise<Buffer> {
  const client = new Client();
  client.connect({ host: '127.0.0.1', port, username: 'ann', password: 'secret', ...options });
  await once(client, 'ready');
  const back = await new Promise<Buffer>((resolve, reject) => {
    client.subsys('echo', (error, stream) => {
      if (error) return reject(error);
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('close', () => resolve(Buffer.concat(chunks)));
      stream.end(bytes);
    });
  });
  client.end();
  await once(client, 'close');
  return back;
}
