/** What a stranger, and then a thief of an account, may try. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { UserAuthentication } from '../../../server/ssh/authentication/user-authentication';
import { messages } from '../../../server/ssh/connection/messages';
import { IncomingPackets, LONGEST_PACKET } from '../../../server/ssh/sftp/incoming';
import { WireWriter } from '../../../server/ssh/wire';
import { type SftpServed, sftpServed } from './served';

let server: SftpServed;
beforeAll(async () => {
  server = await sftpServed({ limits: { strangersPerAddress: 10_000, sessionsPerAddress: 10_000, connectionsPerMinutePerAddress: 1_000_000 } });
});
afterAll(() => server.close());

const dropped = async (socket: Socket) => {
  socket.on('error', () => {}).resume();
  await new Promise((resolve) => socket.on('close', resolve));
};

/** A random number generator that can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it('bytes of any kind before keys are agreed on cost their own connection alone', async () => {
  const next = random(7);
  const attempts = Array.from({ length: 200 }, async (_, index) => {
    const socket = connect({ port: server.sftpPort, host: '127.0.0.1' });
    const over = dropped(socket);
    const packet = Buffer.from(Array.from({ length: 1 + Math.floor(next() * 600) }, () => Math.floor(next() * 256)));
    // Every other one has a length that can be, and claims to be a KEXINIT.
    if (index % 2 === 0 && packet.length >= 24) {
      packet.writeUInt32BE((packet.length & ~7) - 4, 0);
      packet[4] = 4;
      packet[5] = 20;
    }
    socket.write('SSH-2.0-fuzz\r\n');
    socket.end(packet);
    await over;
  });
  await Promise.all(attempts);
  (await server.connect()).end();
}, 30_000);

it('packets of any kind before and after the login cost their own connection alone', async () => {
  const next = random(11);
  for (let round = 0; round < 30; round += 1) {
    const isIn = round % 2 === 1;
    const client = isIn ? await server.connect() : await server.connect({ authHandler: () => {}, readyTimeout: 300 } as never).catch(() => undefined);
    if (!client) continue;
    const closed = new Promise<void>((resolve) => client.on('close', resolve));
    const protocol = (
      client as unknown as {
        _protocol: { _packetRW: { write: { alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } }; _cipher: { encrypt(packet: Buffer): void } };
      }
    )._protocol;
    for (let count = 0; count < 100; count += 1) {
      const size = 1 + Math.floor(next() * 80);
      const packet = protocol._packetRW.write.alloc(size);
      for (let at = 0; at < size; at += 1) packet[5 + at] = Math.floor(next() * 256);
      packet[5] = [50, 61, 80, 90, 93, 94, 95, 96, 97, 98][Math.floor(next() * 10)]!;
      try {
        protocol._cipher.encrypt(protocol._packetRW.write.finalize(packet));
      } catch {
        break; // the connection is gone
      }
    }
    client.end();
    await closed;
  }
  (await server.connect()).end();
}, 60_000);

it('requests of SFTP of any kind are answered or end the channel, and nothing else', async () => {
  const next = random(13);
  for (let round = 0; round < 20; round += 1) {
    const client = await server.connect();
    const channel = await new Promise<import('ssh2').ClientChannel>((resolve, reject) =>
      client.subsys('sftp', (error, stream) => (error ? reject(error) : resolve(stream))),
    );
    channel.resume();
    channel.write(new WireWriter().uint32(5).byte(1).uint32(3).done());
    for (let count = 0; count < 200; count += 1) {
      const body = Buffer.from(Array.from({ length: 1 + Math.floor(next() * 60) }, () => Math.floor(next() * 256)));
      body[0] = 3 + Math.floor(next() * 19);
      if (next() < 0.5 && body.length > 9) body.writeUInt32BE(Math.floor(next() * 12), 5);
      channel.write(new WireWriter().string(body).done());
    }
    channel.end();
    await new Promise((resolve) => channel.on('close', resolve));
    client.end();
  }
  (await server.sftp()).client.end();
}, 60_000);

it('a client that sends more than it may is sent away', async () => {
  const client = await server.connect();
  const closed = new Promise<void>((resolve) => client.on('close', resolve));
  const channel = await new Promise<import('ssh2').ClientChannel>((resolve, reject) =>
    client.subsys('sftp', (error, stream) => (error ? reject(error) : resolve(stream))),
  );
  const outgoing = (channel as unknown as { outgoing: { window: number; packetSize: number } }).outgoing;
  outgoing.packetSize = 34_000;
  channel.write(Buffer.alloc(34_000));
  await closed;
});

it('a client that asks without reading is not listened to, and costs a bounded amount', async () => {
  const sftp = await server.sftp();
  await sftp.put('/big.bin', randomBytes(4_000_000));
  const handle = await sftp.call<Buffer>('open', '/big.bin', 'r');
  const socket = (sftp.client as unknown as { _sock: Socket })._sock;
  socket.pause();
  const before = process.memoryUsage().rss;
  const channel = sftp.raw as unknown as { _protocol: unknown };
  expect(channel).toBeDefined();
  for (let count = 0; count < 5_000; count += 1) sftp.raw.read(handle, Buffer.alloc(1), 0, 1, 0, () => {});
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  sftp.client.destroy();
});

it('pieces of a byte are put together, whatever their number', () => {
  const packets = new IncomingPackets();
  const content = randomBytes(5_000);
  const whole = Buffer.concat([new WireWriter().string(content).done(), new WireWriter().string('next').done()]);
  const out: string[] = [];
  for (const byte of whole) {
    packets.add(Buffer.from([byte]));
    const packet = packets.next();
    if (packet) out.push(packet.toString('hex'));
  }
  expect(out).toEqual([content.toString('hex'), Buffer.from('next').toString('hex')]);
  packets.add(new WireWriter().uint32(LONGEST_PACKET + 1).done());
  expect(() => packets.next()).toThrow('malformed');
});

it('what Terrapin leaves out is noticed: a message before keys are agreed on ends a strict exchange', async () => {
  const socket = connect({ port: server.sftpPort, host: '127.0.0.1' });
  const over = dropped(socket);
  await once(socket, 'connect');
  socket.write('SSH-2.0-terrapin\r\n');
  const list = (text: string) => new WireWriter().string(text).done();
  const kexinit = Buffer.concat([
    Buffer.from([20]),
    randomBytes(16),
    ...[
      'curve25519-sha256,kex-strict-c-v00@openssh.com',
      'ssh-ed25519',
      'aes256-ctr',
      'aes256-ctr',
      'hmac-sha2-256',
      'hmac-sha2-256',
      'none',
      'none',
      '',
      '',
    ].map(list),
    Buffer.from([0, 0, 0, 0, 0]),
  ]);
  const framed = (payload: Buffer) => {
    const padding = 8 - ((5 + payload.length) % 8) + (8 - ((5 + payload.length) % 8) < 4 ? 8 : 0);
    return Buffer.concat([
      new WireWriter()
        .uint32(1 + payload.length + padding)
        .byte(padding)
        .raw(payload)
        .raw(Buffer.alloc(padding))
        .done(),
    ]);
  };
  // An IGNORE first: without strict exchange it would be passed over, and the counts could be shifted.
  socket.write(framed(new WireWriter().byte(messages.ignore).string('').done()));
  socket.write(framed(kexinit));
  await over;
  expect(server.audit.of('handshake-failed').at(-1)?.detail).toMatch(/strict/i);
});

it('pieces of less than a kilobyte are not sent: an answer would cost a packet for each byte', async () => {
  const client = await server.connect();
  const protocol = (client as unknown as { _protocol: { session(channel: number, window: number, largest: number): void; _handlers: Record<string, unknown> } })
    ._protocol;
  const answered = new Promise<string>((resolve) => {
    protocol._handlers.CHANNEL_OPEN_FAILURE = (_protocol: unknown, _channel: number, _reason: number, text: string) => resolve(text);
    protocol._handlers.CHANNEL_OPEN_CONFIRMATION = () => resolve('opened');
  });
  protocol.session(0, 1_000_000, 1);
  expect(await answered).toMatch(/less than 1024 bytes/);
  client.end();
});

it('who asks for new keys again and again, and for nothing else, is sent away', async () => {
  const client = await server.connect();
  const protocol = (client as unknown as { _protocol: { rekey(): void } })._protocol;
  let rekeys = 0;
  client.on('handshake', () => {
    rekeys += 1;
    protocol.rekey();
  });
  const closed = new Promise<void>((resolve) => client.on('close', resolve));
  protocol.rekey();
  await closed;
  expect(rekeys).toBeGreaterThanOrEqual(5);
  expect(rekeys).toBeLessThan(20);
});

it('a key that is made to be slow to look at is refused unseen', async () => {
  const mpint = (length: number) => Buffer.concat([Buffer.from([1]), Buffer.alloc(length - 2), Buffer.from([1])]);
  const key = (exponent: number, modulus: number) => new WireWriter().string('ssh-rsa').string(mpint(exponent)).string(mpint(modulus)).done();
  const asked: unknown[] = [];
  const sent: Buffer[] = [];
  const door = new UserAuthentication(
    { send: (...parts) => sent.push(Buffer.concat(parts)), end: () => {}, sessionId: Buffer.alloc(32) },
    {
      ask: async (request) => {
        asked.push(request);
        return 'refused';
      },
    },
    { mostTries: 10, algorithms: ['rsa-sha2-512'] },
  );
  await door.packet(new WireWriter().byte(messages.serviceRequest).string('ssh-userauth').done());
  for (const blob of [key(7, 257), key(3, 2_049)]) {
    const request = new WireWriter().byte(messages.userAuthRequest).string('ann').string('ssh-connection').string('publickey').boolean(true);
    await door.packet(request.string('rsa-sha2-512').string(blob).string(Buffer.alloc(300)).done());
    expect(sent.at(-1)![0]).toBe(messages.userAuthFailure);
  }
  await door.packet(
    new WireWriter()
      .byte(messages.userAuthRequest)
      .string('ann')
      .string('ssh-connection')
      .string('publickey')
      .boolean(false)
      .string('rsa-sha2-512')
      .string(key(3, 257))
      .done(),
  );
  expect(asked).toHaveLength(1);
});
