/** A record that can't be decrypted, on a data connection that nobody looks at yet. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { RawClient, testServer } from '../../support/server';

/** Lies beneath a TLS client, so that a test can send bytes that TLS knows nothing of. */
function beneath(socket: Socket): Duplex {
  const between = new Duplex({
    read() {
      socket.resume();
    },
    write(chunk, _encoding, done) {
      socket.write(chunk, done);
    },
  });
  socket.on('data', (chunk) => between.push(chunk));
  socket.on('close', () => between.destroy());
  return between;
}

it.each(['resumed', 'unproven'])('ends that connection, %s, and nothing else', async (kind) => {
  const server = await testServer();
  const raw = await RawClient.loggedIn(server);
  await raw.send('NOOP'); // by now the client has its session
  const port = await raw.epsv();
  const socket = connectTcp(port, '127.0.0.1').on('error', () => {});
  const session = kind === 'resumed' ? raw.session : undefined;
  const data = connectTls({ socket: beneath(socket), ca: server.authority.pem, servername: 'localhost', session }).on('error', () => {});
  await once(data, 'secureConnect');
  socket.write(Buffer.concat([Buffer.from([23, 3, 3, 0, 64]), Buffer.alloc(64, 7)]));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  expect(await raw.send('NOOP')).toMatch(/^200 /);
  raw.close();
  await server.close();
});
