import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { HelloReader, LONGEST_CLIENT_HELLO, parseClientHello } from '../../../server/tls/client-hello';
import { growsTooFast } from '../support/growth';

/** The first bytes that Node's own TLS client sends. */
async function realHello(version: 'TLSv1.2' | 'TLSv1.3', servername: string): Promise<Buffer> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const raw = connectTcp((server.address() as { port: number }).port, '127.0.0.1');
  const client = connect({ socket: raw, servername, minVersion: version, maxVersion: version, rejectUnauthorized: false });
  client.on('error', () => {});
  const [socket] = await arrived;
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  raw.destroy();
  socket.destroy();
  server.close();
  return hello;
}

describe('reading a ClientHello', () => {
  it('finds the name that a real client asks for, under TLS 1.2 and 1.3', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const hello = parseClientHello(await realHello(version, 'ftp.example.com'));
      expect(hello).toMatchObject({ serverName: 'ftp.example.com' });
    }
  });

  it('says that more is needed for every beginning of a hello, and never more than that', async () => {
    const hello = await realHello('TLSv1.3', 'ftp.example.com');
    for (let length = 0; length < hello.length; length += 1) expect(parseClientHello(hello.subarray(0, length))).toBe('incomplete');
  });

  it('joins a hello that is cut into several records', async () => {
    const hello = await realHello('TLSv1.3', 'ftp.example.com');
    const message = hello.subarray(5);
    const records: Buffer[] = [];
    for (let at = 0; at < message.length; at += 50) {
      const part = message.subarray(at, at + 50);
      records.push(Buffer.from([22, 3, 1, 0, part.length]), part);
    }
    expect(parseClientHello(Buffer.concat(records))).toMatchObject({ serverName: 'ftp.example.com' });
  });

  it('reads the same from a hello that comes in two pieces, cut at any byte, or byte by byte', async () => {
    const hello = await realHello('TLSv1.3', 'ftp.example.com');
    const whole = parseClientHello(hello);
    const slow = new HelloReader();
    for (let at = 0; at < hello.length; at += 1) {
      const reader = new HelloReader();
      expect(reader.push(hello.subarray(0, at))).toBe('incomplete');
      expect(reader.push(hello.subarray(at))).toEqual(whole);
      expect(reader.all.equals(hello)).toBe(true);
      const last = at === hello.length - 1;
      expect(slow.push(hello.subarray(at, at + 1))).toEqual(last ? whole : 'incomplete');
    }
    expect(slow.all.equals(hello)).toBe(true);
  });

  it('refuses at once a hello of no length, and one that is cut into more records than any client makes', () => {
    expect(parseClientHello(inRecords(Buffer.from([1, 0, 0, 0, 0]), 1))).toBe('malformed');
    expect(parseClientHello(inRecords(Buffer.from([1, 0, 0, 40]), 4))).toBe('malformed');
    const largest = Buffer.concat([Buffer.from([1, 0, 0x3f, 0x00]), Buffer.alloc(0x3f00)]);
    expect(parseClientHello(inRecords(largest, 1).subarray(0, 32 * 6))).toBe('incomplete');
    expect(parseClientHello(inRecords(largest, 1).subarray(0, 33 * 6))).toBe('malformed');
  });

  it('takes time in proportion to the length of a hello, in small pieces and in small records', () => {
    const pieces = (length: number) => () => {
      const reader = new HelloReader();
      const bytes = Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0]);
      reader.push(bytes);
      for (let sent = bytes.length; sent < length; sent += 1) reader.push(Buffer.alloc(1));
    };
    expect(growsTooFast({ from: LONGEST_CLIENT_HELLO / 16, work: pieces })).toBeUndefined();
    const records = (length: number) => {
      const bytes = inRecords(Buffer.concat([Buffer.from([1, 0, 0, 0]), Buffer.alloc(length)]), 1);
      return () => {
        const reader = new HelloReader();
        for (let at = 0; at < bytes.length; at += 6) reader.push(bytes.subarray(at, at + 6));
      };
    };
    expect(growsTooFast({ from: LONGEST_CLIENT_HELLO / 6 / 16, work: records })).toBeUndefined();
  });

  it('finds the sessions that a client wants to resume', () => {
    const identity = randomBytes(32);
    const sessionId = randomBytes(32);
    const psk = Buffer.concat([Buffer.from([0, 41]), u16(2 + 2 + 32 + 4), u16(2 + 32 + 4), u16(32), identity, Buffer.alloc(4)]);
    const body = Buffer.concat([
      Buffer.from([3, 3]),
      randomBytes(32),
      Buffer.from([32]),
      sessionId,
      u16(2),
      Buffer.from([0x13, 0x02, 1, 0]),
      u16(psk.length),
      psk,
    ]);
    const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
    const hello = parseClientHello(Buffer.concat([Buffer.from([22, 3, 1]), u16(message.length), message]));
    expect(hello).toMatchObject({ sessionId, identities: [identity] });
  });

  it('calls FTP commands, HTTP and noise malformed', () => {
    for (const text of ['USER demo\r\n', 'GET / HTTP/1.1\r\n', 'SSH-2.0-x\r\n']) expect(parseClientHello(Buffer.from(text))).toBe('malformed');
  });

  it('answers to any bytes, and throws at none', async () => {
    const hello = await realHello('TLSv1.3', 'ftp.example.com');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
        const changed = Buffer.from(hello);
        for (const [at, value] of changes) changed[at] = value;
        const parsed = parseClientHello(changed);
        expect(parsed === 'incomplete' || parsed === 'malformed' || Buffer.isBuffer(parsed.sessionId)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

/** A handshake message, or its beginning, in records of that many bytes. */
function inRecords(message: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, 0, part.length]), part);
  }
  return Buffer.concat(records);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
