/** A directory server that answers without an end. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { DirectoryConnection } from '../../../../server/identity/directory/connection';

it('an answer without an end is cut off after 4 MiB, with the reason', async () => {
  let sent = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      // A sequence that says it is 2 GiB long.
      socket.write(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]));
      const piece = Buffer.alloc(64 * 1024);
      const more = () => {
        while (!socket.destroyed && sent < 32 * 1024 * 1024) {
          sent += piece.length;
          if (!socket.write(piece)) return void socket.once('drain', more);
        }
      };
      more();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const connection = new DirectoryConnection('ldaps://directory', socket as TLSSocket, 5);
  await expect(connection.search('dc=x', { filter: '(uid=ann)' })).rejects.toThrow('ldaps://directory answered with more than 4194304 bytes');
  expect(connection.alive).toBe(false);
  expect(sent).toBeLessThan(32 * 1024 * 1024);
  server.close();
});
