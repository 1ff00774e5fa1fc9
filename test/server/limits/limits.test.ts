import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { checkServerConfig } from '../../../server/config';
import { hashPassword } from '../../../server/identity/password';
import { clientKey } from '../../../server/limits/client-key';
import type { Limits } from '../../../server/limits/limits';
import { LocalLimits } from '../../../server/limits/local-limits';
import { parseProxyHeader } from '../../../server/limits/proxy-header';
import { PASSWORD, RawClient, testServer } from '../support/server';

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

/** Begins a login and ends it undecided. */
async function isLockedOut(limits: Limits, address: string, login: string): Promise<boolean> {
  if ((await limits.beginLogin(address, login)) === 'locked-out') return true;
  limits.loginUndecided(address, login);
  return false;
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
    limits.releaseConnection('a', 'served');
    expect(await limits.admitConnection('c')).toBeUndefined();
  });

  it('bound connections in a minute', async () => {
    const limits = limitsOf({ connectionsPerMinutePerAddress: 2 }, clock);
    expect([await limits.admitConnection('a'), await limits.admitConnection('a'), await limits.admitConnection('a')]).toEqual([
      undefined,
      undefined,
      'too-many-connections',
    ]);
    time += 120_000;
    expect(await limits.admitConnection('a')).toBeUndefined();
  });

  it('bound them across the turn of a minute as well', async () => {
    time = 59_000;
    const limits = limitsOf({ connectionsPerMinutePerAddress: 10, strangersPerAddress: 10 }, clock);
    for (let count = 0; count < 10; count += 1) {
      expect(await limits.admitConnection('a')).toBeUndefined();
      limits.releaseConnection('a', 'fruitless');
    }
    time = 61_000;
    expect(await limits.admitConnection('a')).toBe('too-many-connections');
    time = 90_000;
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
      expect(await isLockedOut(limits, 'z', 'eve')).toBe(true);
      expect(await isLockedOut(limits, 'z', 'adam')).toBe(false);
      time += seconds * 1000;
      expect(await isLockedOut(limits, 'z', 'eve')).toBe(false);
    }
    await limits.loginSucceeded('x', 'eve', true);
    expect(await lockout()).toEqual([30]);
  });

  it('look at no more passwords side by side than may still be wrong, and at the next when one of them was right', async () => {
    const limits = limitsOf({ lockout: { failuresPerAccount: 3 } }, clock);
    const attempts = Array.from({ length: 5 }, () => limits.beginLogin('x', 'eve'));
    const granted: number[] = [];
    attempts.forEach((attempt, index) => void attempt.then(() => granted.push(index)));
    await new Promise(setImmediate);
    expect(granted).toEqual([0, 1, 2]);
    await limits.loginFailed('x', 'eve');
    await new Promise(setImmediate);
    expect(granted).toEqual([0, 1, 2]);
    expect(await limits.loginSucceeded('x', 'eve', true)).toBe(true);
    await Promise.all(attempts);
  });

  it('count nothing during a lock-out, so that a burst locks no longer than its first failures', async () => {
    const limits = limitsOf({ lockout: { failuresPerAccount: 2, firstSeconds: 30 } }, clock);
    const seconds = (await Promise.all(Array.from({ length: 100 }, (_, index) => limits.loginFailed(`address ${index % 7}`, 'eve')))).flat();
    expect(seconds).toEqual([{ scope: 'account', seconds: 30 }]);
    time += 30_000;
    expect(await isLockedOut(limits, 'z', 'eve')).toBe(false);
  });

  it('give back what an address failed when it succeeds, and leave what others failed', async () => {
    const limits = limitsOf({ lockout: { failuresPerAccount: 4, failuresPerAddress: 4 } }, clock);
    for (const address of ['x', 'y', 'y']) await limits.loginFailed(address, 'eve');
    expect(await limits.loginSucceeded('x', 'eve', true)).toBe(true);
    expect(await limits.loginFailed('z', 'eve')).toEqual([]);
    expect(await limits.loginFailed('z', 'eve')).toMatchObject([{ scope: 'account' }]);
    for (const login of ['a', 'b', 'c']) expect(await limits.loginFailed('x', login)).toEqual([]);
    expect(await limits.loginFailed('x', 'd')).toMatchObject([{ scope: 'address' }]);
  });

  it('keep an account from where it logs in, whoever guesses at it elsewhere', async () => {
    const limits = limitsOf({ lockout: { failuresPerAccount: 2 } }, clock);
    expect(await limits.beginLogin('home', 'ann')).toBe('stranger');
    await limits.loginSucceeded('home', 'ann', true);
    for (let count = 0; count < 2; count += 1) await limits.loginFailed(`elsewhere ${count}`, 'ann');
    expect(await limits.beginLogin('elsewhere 3', 'ann')).toBe('locked-out');
    expect(await limits.beginLogin('home', 'ann')).toBe('known');
    expect(await limits.loginSucceeded('home', 'ann', true)).toBe(true);
    expect(await limits.beginLogin('elsewhere 3', 'ann')).toBe('locked-out');
  });

  it('lock out an account at an address before the address, and not its neighbours', async () => {
    const limits = limitsOf({ lockout: { failuresPerAccount: 3, failuresPerAddress: 4, firstSeconds: 1 } }, clock);
    for (let round = 0; round < 20; round += 1) {
      await limits.loginFailed('office', 'stale-script');
      time += 1_000;
    }
    expect(await limits.beginLogin('office', 'neighbour')).toBe('stranger');
    expect(await limits.admitConnection('office')).toBeUndefined();
  });

  it('bound connections that have not logged in, those included that ended so within the minute', async () => {
    time = 0;
    const limits = limitsOf({ strangersPerAddress: 3 }, clock);
    for (let count = 0; count < 3; count += 1) expect(await limits.admitConnection('a')).toBeUndefined();
    expect(await limits.admitConnection('a')).toBe('too-many-connections');
    await limits.loginSucceeded('a', 'ann', true);
    expect(await limits.admitConnection('a')).toBeUndefined();
    limits.releaseConnection('a', 'fruitless');
    expect(await limits.admitConnection('a')).toBe('too-many-connections');
    limits.releaseConnection('a', 'served');
    limits.releaseConnection('a', 'lost');
    expect(await limits.admitConnection('a')).toBeUndefined();
    expect(await limits.admitConnection('b')).toBeUndefined();
    time += 120_000;
    expect(await limits.admitConnection('a')).toBeUndefined();
  });

  it('leave an address few places without a login when strangers hold half of all', async () => {
    const limits = limitsOf({ sessions: 40 }, clock);
    for (let count = 0; count < 20; count += 1) expect(await limits.admitConnection('crowd')).toBeUndefined();
    expect(await limits.admitConnection('crowd')).toBe('too-many-connections');
    for (let count = 0; count < 8; count += 1) expect(await limits.admitConnection('partner')).toBeUndefined();
    expect(await limits.admitConnection('partner')).toBe('too-many-connections');
  });

  it('lock an address out whatever names it tries', async () => {
    const limits = limitsOf({ lockout: { failuresPerAddress: 5 } }, clock);
    for (let count = 0; count < 5; count += 1) await limits.loginFailed('attacker', `user${count}`);
    expect(await limits.admitConnection('attacker')).toBe('locked-out');
    expect(await limits.admitConnection('somebody')).toBeUndefined();
  });
});

describe('one client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:0db8:0001:2::', '2001:db8:1:2::/64'],
  ])('%s counts as %s', (address, key) => {
    expect(clientKey(address)).toBe(key);
  });

  it('can not get round a lock-out by another address of its own network', async () => {
    const limits = limitsOf({ sessionsPerAddress: 2, lockout: { failuresPerAddress: 4 } }, () => 0);
    expect(await limits.admitConnection('2001:db8::1')).toBeUndefined();
    expect(await limits.admitConnection('2001:db8::2')).toBeUndefined();
    expect(await limits.admitConnection('2001:db8::3')).toBe('too-many-sessions-for-address');
    limits.releaseConnection('2001:db8::1', 'served');
    for (let count = 0; count < 4; count += 1) await limits.loginFailed(`2001:db8::${count}`, `user${count}`);
    expect(await limits.admitConnection('2001:db8::9')).toBe('locked-out');
    expect(await limits.admitConnection('2001:db8:0:1::9')).toBeUndefined();
  });
});

describe('a client over a limit', () => {
  it('is told so in implicit mode, too', async () => {
    const server = await testServer({ limits: { sessionsPerAddress: 1 } });
    const first = await RawClient.explicit(server);
    await first.reply();
    const second = connectTls({ host: '127.0.0.1', port: server.implicit, ca: server.authority.pem, servername: 'localhost' });
    expect(String((await once(second, 'data'))[0])).toMatch(/^421 Too many sessions from your address/);
    await once(second, 'close');
    first.close();
    await server.close();
  });

  it('hears 421 when its account has all its sessions', async () => {
    const server = await testServer({}, [{ user: 'demo', maxSessions: 1 }]);
    const first = await RawClient.loggedIn(server);
    await expect(RawClient.loggedIn(server)).rejects.toThrow(/421 Too many sessions of this account/);
    first.close();
    await server.audit.next('connection-closed', ({ user }) => user === 'demo');
    (await RawClient.loggedIn(server)).close();
    await server.close();
  });

  it('gives the place of its account back when it leaves while its password is checked', async () => {
    const server = await testServer({}, [{ user: 'demo', maxSessions: 1, passwordHash: await hashPassword(PASSWORD) }]);
    for (let count = 0; count < 3; count += 1) {
      const raw = await RawClient.explicit(server);
      await raw.reply();
      await raw.upgrade(server);
      await raw.send('USER demo');
      const closed = server.audit.of('connection-closed').length;
      raw.write(`PASS ${PASSWORD}\r\n`);
      setTimeout(() => raw.close(), 20);
      await server.audit.next('connection-closed', (event) => server.audit.of('connection-closed').indexOf(event) >= closed);
    }
    (await RawClient.loggedIn(server)).close();
    await server.close();
  });

  it('must come from a network of the account, and not from one it was denied', async () => {
    const server = await testServer({}, [
      { user: 'elsewhere', allowedNetworks: ['192.0.2.0/24'] },
      { user: 'denied', deniedNetworks: ['127.0.0.0/8'] },
      { user: 'both', allowedNetworks: ['127.0.0.0/8'], deniedNetworks: ['127.0.0.1'] },
      { user: 'here', allowedNetworks: ['127.0.0.1'], deniedNetworks: ['192.0.2.0/24'] },
    ]);
    for (const user of ['elsewhere', 'denied', 'both']) await expect(RawClient.loggedIn(server, {}, user)).rejects.toThrow('530 Login incorrect.');
    expect(server.audit.of('login').map(({ reason }) => reason)).toEqual(Array(3).fill('address-not-allowed'));
    (await RawClient.loggedIn(server, {}, 'here')).close();
    await server.close();
  });

  it('is dropped without a word where its network may not connect at all', async () => {
    const server = await testServer({ listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, allow: ['127.0.0.0/8'], deny: ['127.0.0.1'] }] });
    expect(await (await RawClient.explicit(server)).rest()).toBe('');
    expect(await server.audit.next('refused')).toMatchObject({ reason: 'network-not-allowed' });
    await server.close();
  });
});

describe('a slow or greedy client', () => {
  it('is closed when it has not logged in in time, however busy it keeps the line', async () => {
    const server = await testServer({ limits: { loginSeconds: 0.4 } });
    const raw = await RawClient.explicit(server);
    await raw.reply();
    await raw.upgrade(server);
    const busy = setInterval(() => raw.write('NOOP\r\nREIN\r\nUSER de'), 50);
    expect(await raw.rest()).toMatch(/421 The login took too long\.\r\n$/);
    clearInterval(busy);
    expect(await server.audit.next('connection-closed')).toMatchObject({ reason: 'login-timeout' });
    await server.close();
  });

  it('is closed when it begins a handshake and does not finish it', async () => {
    const server = await testServer({ tls: { handshakeSeconds: 0.2 } });
    const silent = connect(server.implicit, '127.0.0.1').on('error', () => {});
    silent.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]));
    await once(silent, 'close');
    expect(await server.audit.next('handshake-failed')).toMatchObject({ reason: 'timeout' });
    await server.close();
  });

  it('has to read its replies before more of its commands are worked off', async () => {
    const server = await testServer({ limits: { idleSeconds: 1 } });
    const raw = await RawClient.loggedIn(server);
    raw.socket.pause();
    const flood = Buffer.from('HELP\r\n'.repeat(100_000));
    raw.write(flood);
    expect(await server.audit.next('connection-closed')).toMatchObject({ reason: 'idle' });
    raw.socket.resume();
    // What the kernel holds on the way, and not the 150 MB that all the replies would be.
    expect((await raw.rest()).length).toBeLessThan(20_000_000);
    await server.close();
  });
});

describe('a refused client', () => {
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

  it('may come in pieces, each longer after a while, with commands right behind it, and every later command is heard', async () => {
    const server = await testServer({ listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, proxyProtocolFrom: ['127.0.0.0/8'] }] });
    const bytes = Buffer.concat([header('203.0.113.7', 5000), Buffer.from('FEAT\r\n')]);
    for (const cuts of [[], [1], [13], [20], [28], [5, 20], [16, 30], [1, 2, 3, 27, 29, 31]]) {
      const socket = connect({ port: server.explicit, host: '127.0.0.1', noDelay: true });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      await once(socket, 'connect');
      for (const [index, cut] of [0, ...cuts].entries()) {
        socket.write(bytes.subarray(cut, cuts[index] ?? bytes.length));
        await new Promise((resolve) => setTimeout(resolve, 20)); // pieces of their own on the other side
      }
      while (!text.includes('211 End')) await once(socket, 'data');
      for (let more = 0; more < 3; more += 1) {
        text = '';
        socket.write('SYST\r\n');
        while (!/^(215|530) .*\r\n/m.test(text)) await once(socket, 'data');
      }
      socket.destroy();
    }
    await server.close();
  }, 10_000);
});
