import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { checkServerConfig } from '../../../server/config';
import { LocalLimits } from '../../../server/listener/local-limits';
import { parseProxyHeader } from '../../../server/listener/proxy-header';
import { RawClient, testServer } from '../support/server';

function limitsOf(limits: object, clock: () => number) {
  const { limits: checked } = checkServerConfig({
    listeners: [{ mode: 'implicit', port: 0 }],
    tls: { certificates: [{ kind: 'file', certificate: 'c', key: 'k' }] },
    storage: { kind: 'local', root: '/' },
    identity: [{ kind: 'file', file: 'a' }],
    limits,
  });
  return new LocalLimits(checked, clock);
}

describe('limits', () => {
  let time = 0;
  const clock = () => time;

  it('bound sessions in all and per address, and give places back', async () => {
    const limits = limitsOf({ sessions: 3, sessionsPerAddress: 2 }, clock);
    expect(await limits.admitConnection('a')).toBeUndefined();
    expect(await limits.admitConnection('a')).toBeUndefined();
    expect(await limits.admitConnection('a')).toBe('too-many-sessions-for-address');
    expect(await limits.admitConnection('b')).toBeUndefined();
    expect(await limits.admitConnection('c')).toBe('too-many-sessions');
    limits.releaseConnection('a');
    expect(await limits.admitConnection('c')).toBeUndefined();
  });

  it('bound connections in a minute', async () => {
    const limits = limitsOf({ connectionsPerMinutePerAddress: 2 }, clock);
    expect([await limits.admitConnection('a'), await limits.admitConnection('a'), await limits.admitConnection('a')]).toEqual([
      undefined,
      undefined,
      'too-many-connections',
    ]);
    time += 60_000;
    expect(await limits.admitConnection('a')).toBeUndefined();
  });

  it('lock an account out for longer each time, and forget it after a good login', async () => {
    const limits = limitsOf({ lockout: { failuresPerAccount: 2, firstSeconds: 30, longestSeconds: 100 } }, clock);
    const lockout = async () => {
      await limits.loginFailed('x', 'eve');
      return (await limits.loginFailed('y', 'eve')).map(({ seconds }) => seconds);
    };
    for (const seconds of [30, 60, 100, 100]) {
      expect(await lockout()).toEqual([seconds]);
      expect(await limits.isLockedOut('z', 'eve')).toBe(true);
      expect(await limits.isLockedOut('z', 'adam')).toBe(false);
      time += seconds * 1000;
      expect(await limits.isLockedOut('z', 'eve')).toBe(false);
    }
    await limits.loginSucceeded('x', 'eve');
    expect(await lockout()).toEqual([30]);
  });

  it('lock an address out whatever names it tries', async () => {
    const limits = limitsOf({ lockout: { failuresPerAddress: 5 } }, clock);
    for (let count = 0; count < 5; count += 1) await limits.loginFailed('attacker', `user${count}`);
    expect(await limits.admitConnection('attacker')).toBe('locked-out');
    expect(await limits.admitConnection('somebody')).toBeUndefined();
  });
});

describe('a client over a limit', () => {
  it('is told 421, and the audit says why', async () => {
    const server = await testServer({ limits: { sessionsPerAddress: 1 } });
    const first = await RawClient.explicit(server);
    await first.reply();
    const second = await RawClient.explicit(server);
    expect(await second.rest()).toMatch(/^421 /);
    expect(await server.audit.next('refused')).toMatchObject({ reason: 'too-many-sessions-for-address' });
    first.close();
    await server.close();
  });

  it('is locked out with the right password, too', async () => {
    const server = await testServer({ limits: { loginAttempts: 10, lockout: { failuresPerAccount: 2 } } });
    const raw = await RawClient.explicit(server);
    await raw.reply();
    await raw.upgrade(server);
    for (let count = 0; count < 2; count += 1) {
      await raw.send('USER demo');
      expect(await raw.send('PASS wrong')).toMatch(/^530 /);
    }
    await raw.send('USER demo');
    expect(await raw.send('PASS correct horse "battery" -x staple')).toMatch(/^530 /);
    expect(await server.audit.next('lockout')).toMatchObject({ scope: 'account' });
    expect(await server.audit.next('login', ({ reason }) => reason === 'locked-out')).toMatchObject({ login: 'demo' });
    raw.close();
    await server.close();
  });
});

describe('the PROXY protocol', () => {
  const header = (source: string, port: number) =>
    Buffer.concat([
      Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
      Buffer.from(source.split('.').map(Number)),
      Buffer.from([192, 0, 2, 9]),
      Buffer.from([port >> 8, port & 255, 0, 21]),
    ]);

  it('is read in full or not at all, and never throws', () => {
    const whole = header('203.0.113.7', 5000);
    for (let length = 0; length < whole.length; length += 1) expect(parseProxyHeader(whole.subarray(0, length))).toBe('incomplete');
    expect(parseProxyHeader(whole)).toMatchObject({
      header: { source: { address: '203.0.113.7', port: 5000 }, destination: { address: '192.0.2.9', port: 21 } },
      length: whole.length,
    });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void parseProxyHeader(Buffer.from(bytes))));
    fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => void parseProxyHeader(Object.assign(Buffer.from(whole), { [at]: value }))));
  });

  it('names the client to a listener that trusts the balancer', async () => {
    const server = await testServer({ listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, proxyProtocolFrom: ['127.0.0.0/8'] }] });
    const socket = connect(server.explicit, '127.0.0.1');
    socket.write(header('203.0.113.7', 5000));
    const [greeting] = await once(socket, 'data');
    expect(String(greeting)).toMatch(/^220 /);
    expect(await server.audit.next('connection-opened')).toMatchObject({ client: { address: '203.0.113.7', port: 5000 } });
    socket.destroy();
    const liar = connect(server.explicit, '127.0.0.1').on('error', () => {});
    liar.write('USER demo\r\n');
    await server.audit.next('refused', ({ reason }) => reason === 'proxy-header');
    liar.destroy();
    await server.close();
  });
});
