/** Agreeing on keys costs a signature: those who have not logged in take turns for it, by address. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Client } from 'ssh2';
import { WireWriter } from '../../../server/ssh/wire';
import { PASSWORD } from '../support/server';
import { type SftpServed, sftpServed } from './served';

let server: SftpServed;
beforeAll(async () => {
  server = await sftpServed({ sftp: { proxyProtocolFrom: ['127.0.0.0/8'], handshakeSeconds: 60 } });
});
afterAll(() => server.close());

/** A PROXY header of version 2 for a client of this address. */
function from(address: string): Buffer {
  const header = Buffer.from('0d0a0d0a000d0a515549540a2111000c00000000cb007101a1f40016', 'hex');
  address.split('.').forEach((part, index) => {
    header[16 + index] = Number(part);
  });
  return header;
}

function packet(payload: Buffer): Buffer {
  const padding = 8 + ((8 - ((5 + payload.length) % 8)) % 8);
  return Buffer.concat([
    new WireWriter()
      .uint32(1 + payload.length + padding)
      .byte(padding)
      .done(),
    payload,
    Buffer.alloc(padding),
  ]);
}

const names = [
  'curve25519-sha256',
  'ssh-ed25519',
  'aes256-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-256',
  'none',
  'none',
  '',
  '',
];
const offer = new WireWriter().byte(20).raw(randomBytes(16));
for (const name of names) offer.string(name);
const keyExchange = Buffer.concat([packet(offer.boolean(false).uint32(0).done()), packet(new WireWriter().byte(30).string(randomBytes(32)).done())]);

/** Whether a key exchange was answered: the third thing that a server says, behind its line and its offer. */
function isAnswered(received: Buffer): boolean {
  const offerAt = received.indexOf('\n') + 1;
  if (offerAt === 0 || received.length < offerAt + 6) return false;
  const replyAt = offerAt + 4 + received.readUInt32BE(offerAt);
  return received[replyAt + 5] === 31;
}

it('a flood of key exchanges from one address does not keep a client of another waiting', async () => {
  const MANY = 200;
  const answered = new Set<Socket>();
  let allAnswered!: () => void;
  const over = new Promise<void>((resolve) => {
    allAnswered = resolve;
  });
  const flood = await Promise.all(
    Array.from({ length: MANY }, async () => {
      const socket = connect({ port: server.sftpPort, host: '127.0.0.1' });
      socket.write(Buffer.concat([from('192.0.2.66'), Buffer.from('SSH-2.0-flood\r\n')]));
      let received = Buffer.alloc(0);
      socket.on('data', (bytes: Buffer) => {
        received = Buffer.concat([received, bytes]);
        if (!isAnswered(received)) return;
        answered.add(socket);
        if (answered.size === MANY) allAnswered();
      });
      await once(socket, 'data'); // it is called on
      return socket;
    }),
  );
  for (const socket of flood) socket.write(keyExchange);
  const socket = connect({ port: server.sftpPort, host: '127.0.0.1' });
  socket.write(from('192.0.2.5'));
  const client = new Client();
  client.connect({ sock: socket, username: 'demo', password: PASSWORD, algorithms: { kex: ['curve25519-sha256'] } });
  await once(client, 'handshake');
  // In the order in which they came, all of the flood would have been before it.
  expect(answered.size).toBeLessThan((MANY * 3) / 4);
  await once(client, 'ready');
  client.end();
  await over;
  for (const one of flood) one.destroy();
});
