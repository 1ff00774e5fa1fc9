/** A ClientHello is read to its last byte, however it comes, and the engine that is handed it reads as much at a time as where it reads it itself. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { type Accepted, acceptTls } from '../../../server/tls/accept';
import { type HelloRead, readClientHello } from '../../../server/tls/read-hello';
import { readInto } from '../../../server/tls/read-into';
import { TestAuthority } from '../support/authority';
import { Pieces } from '../support/pieces';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A connection, of which the server's end has read nothing, and what is read of it as a hello. */
async function arriving(seconds = 60) {
  const server = createServer({ noDelay: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const read = new Promise<{ socket: Socket; result: ReturnType<typeof readClientHello> }>((resolve) => {
    server.once('connection', (socket) => {
      socket.on('error', () => {});
      resolve({ socket, result: readClientHello(socket, seconds) });
    });
  });
  const client = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', noDelay: true });
  client.on('error', () => {});
  const { socket, result } = await read;
  closers.push(() => {
    for (const one of [client, socket]) one.destroy();
    server.close();
  });
  return { client, socket, result };
}

/** The hello of a client of this Node. */
async function someHello(): Promise<Buffer> {
  const { client, result } = await arriving();
  connectTls({ socket: client, servername: 'partner.example' }).on('error', () => {});
  return ((await result) as HelloRead).bytes!;
}

/** The same message in records of so many bytes. */
function cut(hello: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 5; at < hello.length; at += size) {
    const part = hello.subarray(at, at + size);
    const head = Buffer.from(hello.subarray(0, 5));
    head.writeUInt16BE(part.length, 3);
    records.push(head, part);
  }
  return Buffer.concat(records);
}

it('is kept with all of its bytes, in one record and in many', async () => {
  const hello = await someHello();
  for (const sent of [hello, cut(hello, 100)]) {
    const { client, result } = await arriving();
    client.write(sent);
    const { hello: parsed, bytes } = (await result) as HelloRead;
    expect([parsed.serverName, bytes!.equals(sent)]).toEqual(['partner.example', true]);
  }
});

it('is kept where it comes byte by byte', async () => {
  const hello = await someHello();
  const { client, socket, result } = await arriving();
  for (const byte of hello) {
    const came = socket.bytesRead;
    client.write(Buffer.from([byte]));
    while (socket.bytesRead === came) await new Promise(setImmediate);
  }
  expect(((await result) as HelloRead).bytes!.equals(hello)).toBe(true);
});

it.each([
  ['of HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'malformed'],
  ['of a record that is too long', Buffer.from([22, 3, 1, 0x40, 1]), 'malformed'],
  ['of nothing, and then left', undefined, 'closed'],
])('is not found in the bytes %s', async (_what, bytes, expected) => {
  const { client, result } = await arriving();
  if (bytes) client.write(bytes);
  else client.end();
  expect(await result).toBe(expected);
});

it('is not waited for longer than it may take, whatever came of it', async () => {
  const { client, result } = await arriving(0.1);
  client.write(Buffer.from([22, 3, 1, 2, 0, 1]));
  expect(await result).toBe('timeout');
});

it('has nothing behind it: who goes on before an answer is dropped', async () => {
  const hello = await someHello();
  const { client, result } = await arriving();
  client.write(Buffer.concat([hello, Buffer.from('more')]));
  expect(await result).toMatchObject({ hello: { serverName: 'partner.example' } });
  if (!client.closed) await new Promise((resolve) => client.once('close', resolve));
});

describe('a handshake with it', () => {
  let ca: string;
  let context: ReturnType<typeof createSecureContext>;
  beforeAll(async () => {
    const authority = await TestAuthority.create();
    const { certificate, key } = await authority.issue({ names: ['localhost'] });
    ca = authority.pem;
    context = createSecureContext({ cert: certificate, key });
  });

  const shaken = async (wait: () => Promise<void> = async () => {}) => {
    const { client: tcp, socket, result } = await arriving();
    const client = connectTls({ socket: tcp, ca, servername: 'localhost' });
    client.on('error', () => {});
    const accepting = result.then(async (read) => {
      await wait();
      return acceptTls(socket, { context, clientCertificate: 'off', seconds: 60, onSession: () => {}, hello: (read as HelloRead).bytes });
    });
    await once(client, 'secureConnect');
    return { client, accepted: (await accepting) as Accepted };
  };

  it('leaves the engine 64 KiB of room for what comes, and not 16', async () => {
    const { client, accepted } = await shaken();
    const pieces = new Pieces(16_384);
    readInto(accepted.socket, pieces);
    // The first piece pauses it: what comes nevertheless came by the same read.
    pieces.goOn = false;
    client.end(Buffer.alloc(400_000));
    while (pieces.content.length === 0) await new Promise(setImmediate);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(pieces.content.length).toBeGreaterThan(2 * 16_384);
  });

  it('is made where it begins later as well', async () => {
    const { client, accepted } = await shaken(() => new Promise((resolve) => setTimeout(resolve, 50)));
    const pieces = new Pieces(16_384);
    readInto(accepted.socket, pieces);
    client.end(Buffer.alloc(100_000, 'x'));
    await once(accepted.socket, 'end');
    expect(pieces.content.equals(Buffer.alloc(100_000, 'x'))).toBe(true);
  });
});
