import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import { isSignedBy, publicKeyBlob, readPublicKey } from '../../../../server/ssh/public-key';
import { HostKey } from '../../../../server/ssh/transport/host-keys';
import { PacketCipher } from '../../../../server/ssh/transport/packet-cipher';
import { ML_KEM, sshPolicies } from '../../../../server/ssh/transport/policy';
import { WireReader, WireWriter } from '../../../../server/ssh/wire';
import { type EchoServer, echoed, echoServer } from '../support';

const version = require('ssh2/package.json').version;

describe('what is relied on in ssh2', () => {
  let server: EchoServer;
  beforeAll(async () => {
    server = await echoServer();
  });
  afterAll(() => server.close());

  test('it is the version whose internals were read', () => {
    expect(version).toBe('1.17.0');
  });

  test('packets are made by the ciphers of this server', async () => {
    const seal = jest.spyOn(PacketCipher.prototype, 'seal');
    await echoed(server.port, Buffer.from('hello'));
    expect(seal).toHaveBeenCalled();
    seal.mockRestore();
  });

  const sample = randomBytes(3_000_000);
  const { modern } = sshPolicies;

  test.each(modern.keyExchanges.filter((name) => name !== ML_KEM))('agrees on keys by %s', async (name) => {
    expect((await echoed(server.port, Buffer.from('hello'), { algorithms: { kex: [name as KexAlgorithm] } })).toString()).toBe('hello');
    expect(server.negotiated.at(-1)?.kex).toBe(name);
  });

  test.each(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'])('proves itself by %s', async (name) => {
    await echoed(server.port, Buffer.from('hello'), { algorithms: { serverHostKey: [name as ServerHostKeyAlgorithm] } });
    expect(server.negotiated.at(-1)?.serverHostKey).toBe(name);
  });

  const macs = modern.ciphers.flatMap((cipher) => (cipher.includes('gcm') ? [[cipher, '']] : modern.macs.map((mac) => [cipher, mac])));
  test.each(macs)('carries megabytes both ways by %s %s', async (cipher, mac) => {
    const algorithms = { cipher: [cipher as CipherAlgorithm], ...(mac ? { hmac: [mac as MacAlgorithm] } : {}) };
    expect((await echoed(server.port, sample, { algorithms })).equals(sample)).toBe(true);
    expect(server.negotiated.at(-1)?.sc).toMatchObject({ cipher, mac });
  });

  test('takes nothing by SHA-1, CBC or zlib', async () => {
    for (const algorithms of [
      { kex: ['diffie-hellman-group14-sha1'] },
      { serverHostKey: ['ssh-rsa'] },
      { cipher: ['aes128-cbc'] },
      { cipher: ['aes128-ctr'], hmac: ['hmac-sha1'] },
      { compress: ['zlib@openssh.com'] },
    ])
      await expect(echoed(server.port, sample, { algorithms: algorithms as never })).rejects.toThrow(/no matching/i);
    // Both ends notice by themselves; the client says so first.
    while (server.log.at(-1) !== 'closed') await new Promise((resolve) => setImmediate(resolve));
    expect(server.log.filter((line) => line.startsWith('failed no-shared-cipher'))).toHaveLength(5);
  });

  test('new keys are agreed on in the middle, and nothing is lost', async () => {
    const short = await echoServer({ rekeyBytes: 300_000 });
    try {
      const more = Buffer.concat([sample, sample, sample]);
      expect((await echoed(short.port, more)).equals(more)).toBe(true);
      expect(short.log.filter((line) => line === 'established')).toHaveLength(1);
      expect(short.agreed()).toBeGreaterThan(2);
    } finally {
      await short.close();
    }
  });

  test('an identification in single bytes is read', async () => {
    const socket = connect({ port: server.port, noDelay: true });
    await once(socket, 'connect');
    for (const byte of Buffer.from('SSH-2.0-slow client\r\n')) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // The server's KEXINIT follows only once the line was understood.
    let got = Buffer.alloc(0);
    while (got.length < 60) got = Buffer.concat([got, (await once(socket, 'data'))[0] as Buffer]);
    expect(got.toString('latin1', 0, 14)).toBe('SSH-2.0-test\r\n');
    expect(got[14 + 5]).toBe(20);
    expect(got.includes('kex-strict-s-v00@openssh.com')).toBe(true);
    socket.destroy();
  });

  describe('the offer of the server', () => {
    const LINE = 'SSH-2.0-test\r\n';
    const said = async (software: string) => {
      const socket = connect({ port: server.port });
      const got: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => got.push(chunk));
      const text = () => Buffer.concat(got).toString('latin1');
      const offered = async () => {
        while (!text().includes('kex-strict-s-v00@openssh.com')) await once(socket, 'data');
      };
      await once(socket, 'connect');
      socket.write(`SSH-2.0-${software}\r\n`);
      while (!text().includes('\n')) await once(socket, 'data');
      return { socket, text, offered };
    };

    // Its key, which it sends next, waits in its kernel until its own offer is acknowledged: 40 ms, where nothing is left to be said.
    test('takes the acknowledgement of that of OpenSSH along', async () => {
      const openSsh = await said('OpenSSH_9.2p1');
      const other = await said('paramiko_3.4.0');
      await other.offered();
      expect(openSsh.text()).toBe(LINE);
      openSsh.socket.write('\0');
      await openSsh.offered();
      for (const { socket } of [openSsh, other]) socket.destroy();
    });

    test('comes by itself to one that waits for it', async () => {
      const { socket, offered } = await said('OpenSSH_0.1');
      await offered();
      socket.destroy();
    });
  });

  test.each([
    ['GET / HTTP/1.1\r\n', 'plain-text'],
    [`SSH-2.0-${'a'.repeat(300)}`, 'malformed'],
    ['SSH-1.5-old\r\n', 'unsupported-protocol'],
    ['SSH-2.0-client\r\nno packet, but more text than fits', 'malformed'],
  ])('what is no SSH 2 is dropped at once: %j', async (text, reason) => {
    const socket = connect({ port: server.port });
    socket.resume().write(text);
    await once(socket, 'close');
    expect(server.log.filter((line) => line.startsWith('failed')).at(-1)).toContain(reason);
  });

  test('who never agrees on keys is dropped in time', async () => {
    const impatient = await echoServer({ handshakeSeconds: 0.2 });
    try {
      const socket = connect({ port: impatient.port });
      socket.resume();
      await once(socket, 'close');
      expect(impatient.log[0]).toBe('failed timeout: no keys were agreed on in time');
    } finally {
      await impatient.close();
    }
  });
});

describe('keys', () => {
  const pairs = {
    'ssh-ed25519': generateKeyPairSync('ed25519'),
    'ecdsa-sha2-nistp256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'ecdsa-sha2-nistp384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    'ecdsa-sha2-nistp521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    'ssh-rsa': generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };

  test.each(Object.entries(pairs))('%s is written and read as SSH has it', (type, { publicKey }) => {
    const blob = publicKeyBlob(publicKey);
    expect(new WireReader(blob).text()).toBe(type);
    expect(readPublicKey(blob).equals(publicKey)).toBe(true);
  });

  test('what a host key signs is proven by its public half', () => {
    const key = new HostKey(pairs['ssh-ed25519'].privateKey);
    const signature = new WireWriter()
      .string('ssh-ed25519')
      .string(key.sign(Buffer.from('data')))
      .done();
    const publicKey = createPublicKey(pairs['ssh-ed25519'].privateKey);
    expect(isSignedBy(publicKey, 'ssh-ed25519', Buffer.from('data'), signature)).toBe(true);
    expect(isSignedBy(publicKey, 'ssh-ed25519', Buffer.from('other'), signature)).toBe(false);
  });

  test('a short RSA key is no host key', () => {
    expect(() => new HostKey(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)).toThrow('1024 bits');
  });
});
