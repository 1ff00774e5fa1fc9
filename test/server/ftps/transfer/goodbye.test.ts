/** Node ends TCP without close_notify where `end` comes before its own write of the handshake's last part is over. */
import { once } from 'node:events';
import { read, stat } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { Progress } from '../../../../server/files/progress';
import { Outgoing } from '../../../../server/ftps/transfer/outgoing';
import { TestAuthority } from '../../support/authority';

/** A client beside us, behind a relay that notes the type and length of every record from the server. */
const client = `
const { workerData, parentPort } = require('node:worker_threads');
const net = require('node:net');
const records = [];
let rest = Buffer.alloc(0);
const relay = net.createServer({ allowHalfOpen: true }, (near) => {
  const far = net.connect({ port: workerData, allowHalfOpen: true });
  near.on('data', (data) => far.write(data)).on('end', () => far.end()).on('error', () => {});
  far.on('error', () => {}).on('data', (data) => {
    near.write(data);
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
      records.push([rest[0], rest.readUInt16BE(3)]);
      rest = rest.subarray(5 + rest.readUInt16BE(3));
    }
  });
  far.on('end', () => { near.end(); relay.close(); parentPort.postMessage(records); });
});
relay.listen(0, () => require('node:tls').connect({ port: relay.address().port, rejectUnauthorized: false }).on('error', () => {}).resume());
`;

const ALERT_UNDER_TLS13 = [23, 19];

function keepBusy(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

it('an empty download says goodbye, also where its end comes in the same turn of the event loop as the handshake', async () => {
  const { certificate, key } = await (await TestAuthority.create()).issue();
  const empty = await open('/dev/null');
  let ended: Promise<void> | undefined;
  const server = createTlsServer({ cert: certificate, key }, (socket) => {
    ended = new Promise((resolve, reject) => {
      // Answered by the thread pool in this very turn: another answer of it, which waits already, takes this one with it.
      read(empty.fd, Buffer.alloc(1), 0, 1, null, () => new Outgoing(socket, new Progress(), 30).end().then(resolve, reject));
      keepBusy(20);
    });
  });
  server.on('connection', (socket) => {
    const look = () => {
      if (socket.bytesWritten === 0) return void setImmediate(look);
      // Our part of the handshake is on its way: nothing is looked at until the client's has come.
      keepBusy(50);
      stat('/', () => {});
      keepBusy(50);
    };
    look();
  });
  await once(server.listen(0), 'listening');
  const worker = new Worker(client, { eval: true, workerData: (server.address() as { port: number }).port });
  try {
    const [records] = await once(worker, 'message');
    await ended;
    expect(records.at(-1)).toEqual(ALERT_UNDER_TLS13);
  } finally {
    await worker.terminate();
    await empty.close();
    server.close();
  }
});
