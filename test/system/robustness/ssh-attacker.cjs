/**
 * One attacker of SSH, in a process of its own. usage: node ssh-attacker.cjs ATTACK PORT SECONDS [PASSWORD]
 * Attacks that begin with an account log in as `demo`.
 */
const { Client } = require('ssh2');
const { sendPacket } = require('ssh2/lib/protocol/utils.js');
const { connection, cost, flood, lanes, left, over, port, run } = require('./attacking.cjs');

const [attack, password] = [process.argv[2], process.argv[5]];

// What packets are made of.

const uint32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const string = (value) => Buffer.concat([uint32(Buffer.byteLength(value)), Buffer.from(value)]);
const bytes = (...parts) =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? string(part) : part)));
/** A packet before there are keys (RFC 4253 section 6). */
function plain(payload) {
  const padding = 8 - ((5 + payload.length) % 8) + (8 - ((5 + payload.length) % 8) < 4 ? 8 : 0);
  return Buffer.concat([uint32(1 + payload.length + padding), Buffer.from([padding]), payload, Buffer.alloc(padding)]);
}
const IDENTIFICATION = Buffer.from('SSH-2.0-attacker\r\n');
function kexinit(exchanges = 'curve25519-sha256', hostKey = 'ssh-ed25519,rsa-sha2-512', filling = '') {
  const ciphers = 'aes128-gcm@openssh.com';
  return bytes(20, Buffer.alloc(16, 7), exchanges, hostKey, ciphers, ciphers, 'hmac-sha2-256', 'hmac-sha2-256', 'none', 'none', filling, '', Buffer.alloc(5));
}
const IGNORE = bytes(2, '');

// Connections.

/** ssh2's client, up to where keys are agreed on or the login is done. `act` gets what sends a payload; fulfilled when the connection is over. */
function client(when, act, options = {}) {
  return new Promise((resolve) => {
    const one = new Client();
    cost.connections += 1;
    let socket;
    const timer = setTimeout(() => one.destroy(), left());
    one.on('error', () => (cost.refused += 1));
    one.on(when, () => {
      socket = one._sock;
      const send = (payload) => {
        const { write } = one._protocol._packetRW;
        const at = write.allocStart;
        const packet = write.alloc(payload.length);
        packet.set(payload, at);
        sendPacket(one._protocol, write.finalize(packet));
        return socket.writableLength < 256 * 1024;
      };
      act(send, one, socket);
    });
    one.on('close', () => {
      clearTimeout(timer);
      cost.bytes += one._sock?.bytesWritten ?? 0;
      resolve();
    });
    one.connect({
      host: '127.0.0.1',
      port,
      username: 'demo',
      readyTimeout: 0,
      algorithms: { cipher: ['aes128-gcm@openssh.com'] },
      ...(when === 'ready' ? { password } : { authHandler: () => {} }),
      ...options,
    });
  });
}

/** Sends what `next` makes, as fast as it is taken. */
function pour(next) {
  return (send, one, socket) => {
    const more = () => {
      if (socket.destroyed || over()) return void one.destroy();
      for (let count = 0; count < 200; count += 1) if (!send(next(count))) return void socket.once('drain', more);
      setImmediate(more);
    };
    more();
  };
}

/** Says who this is, and goes on. */
function introduced(act) {
  return (send, socket) => {
    send(IDENTIFICATION);
    act(send, socket);
  };
}

/** Asks to log in, and goes on. */
function asking(act) {
  return (send, one, socket) => {
    send(bytes(5, 'ssh-userauth'));
    act(send, one, socket);
  };
}

/** Sends so many, and waits. */
function several(count, make) {
  return (send) => {
    for (let index = 0; index < count; index += 1) send(make(index));
  };
}

/** A channel by hand: opened with this window and largest packet, and a subsystem on it. `act` gets its number at the server. */
function channel(act, { window = 2 ** 31, largest = 32_768, subsystem = 'sftp' } = {}) {
  return (send, one, socket) => {
    const handlers = one._protocol._handlers;
    handlers.CHANNEL_OPEN_CONFIRMATION = (_protocol, { sender }) => {
      send(bytes(98, uint32(sender), 'subsystem', 0, subsystem));
      send(bytes(94, uint32(sender), string(bytes(uint32(5), 1, uint32(3)))));
      act({ send, one, socket, sender });
    };
    handlers.CHANNEL_DATA = handlers.CHANNEL_WINDOW_ADJUST = handlers.CHANNEL_EOF = handlers.CHANNEL_CLOSE = () => {};
    handlers.CHANNEL_SUCCESS = handlers.CHANNEL_FAILURE = handlers.CHANNEL_OPEN_FAILURE = () => {};
    send(bytes(90, 'session', uint32(0), uint32(window), uint32(largest)));
  };
}

/** Requests of SFTP on such a channel, one packed behind the other, within the window that is given. */
function requests(make, options) {
  return channel(({ send, one, socket, sender }) => {
    let room = 2 * 1024 * 1024 - 100;
    let id = 0;
    one._protocol._handlers.CHANNEL_WINDOW_ADJUST = (_protocol, _channel, more) => {
      room += more;
      pump();
    };
    const pump = () => {
      for (;;) {
        if (socket.destroyed || over()) return void one.destroy();
        let pack = Buffer.alloc(0);
        while (pack.length < 16_000) {
          id += 1;
          const body = make(id);
          pack = Buffer.concat([pack, uint32(body.length), body]);
        }
        if (pack.length > room) return;
        room -= pack.length;
        if (!send(bytes(94, uint32(sender), uint32(pack.length), pack))) return void socket.once('drain', pump);
      }
    };
    pump();
    if (options?.paused) socket.pause();
  }, options);
}

const dear = {
  algorithms: {
    kex: ['diffie-hellman-group18-sha512', 'diffie-hellman-group16-sha512'],
    serverHostKey: ['rsa-sha2-512', 'ssh-ed25519'],
    cipher: ['aes128-gcm@openssh.com'],
  },
};
const wrong = (count) => bytes(50, 'demo', 'ssh-connection', 'password', 0, `wrong-${process.pid}-${count}`);

const strangers = {
  silent: () => lanes(200, () => connection(() => {})),
  'byte by byte': () =>
    lanes(16, () =>
      connection((send, socket) => {
        const all = Buffer.concat([IDENTIFICATION, plain(kexinit())]);
        let at = 0;
        const more = () => {
          if (socket.destroyed || at >= all.length || over()) return void socket.destroy();
          send(all.subarray(at, at + 1));
          at += 1;
          setImmediate(more);
        };
        more();
      }),
    ),
  'an identification without an end': () => lanes(16, () => connection(flood(Buffer.alloc(1_024, 'x')))),
  'an identification byte by byte': () =>
    lanes(16, () =>
      connection((send, socket) => {
        send(Buffer.from('SSH-2.0-'));
        const more = () => {
          if (socket.destroyed || over()) return;
          send(Buffer.from('x'));
          setImmediate(more);
        };
        more();
      }),
    ),
  'the longest KEXINIT': () =>
    lanes(16, () =>
      connection(
        (send) => send(Buffer.concat([IDENTIFICATION, plain(kexinit(`${'a,'.repeat(16_000)}curve25519-sha256`))])),
        (_chunk, _send, socket) => _chunk.length < 100 || socket.destroy(),
      ),
    ),
  'KEXINIT again and again': () => lanes(16, () => connection(introduced(flood(Buffer.concat(Array.from({ length: 50 }, () => plain(kexinit()))))))),
  'IGNORE before there are keys': () => lanes(8, () => connection(introduced(flood(Buffer.concat(Array.from({ length: 4_000 }, () => plain(IGNORE))))))),
  'key exchanges, the dearest': () => lanes(16, () => client('handshake', (_send, one) => one.destroy(), dear)),
  'key exchanges never finished': () =>
    lanes(64, () =>
      connection((send) => send(Buffer.concat([IDENTIFICATION, plain(kexinit()), plain(bytes(30, Buffer.concat([uint32(32), Buffer.alloc(32, 9)])))]))),
    ),
  'new keys before the login': () =>
    lanes(8, () =>
      client(
        'handshake',
        (_send, one) => {
          if (one.again) return;
          one.again = setInterval(() => (over() || one._sock.destroyed ? clearInterval(one.again) : one._protocol.rekey?.()), 1);
        },
        dear,
      ),
    ),
  'IGNORE before the login': () =>
    lanes(8, () =>
      client(
        'handshake',
        pour(() => IGNORE),
      ),
    ),
  'wrong passwords on one connection': () => client('handshake', asking(pour(wrong))),
  'wrong passwords on many connections': () => lanes(16, () => client('handshake', asking(several(4, wrong)))),
  'keys offered': () => {
    const blob = bytes('ssh-rsa', string(Buffer.from([1, 0, 1])), string(Buffer.concat([Buffer.from([0]), Buffer.alloc(512, 0xff)])));
    const offer = bytes(50, 'demo', 'ssh-connection', 'publickey', 0, 'rsa-sha2-512', string(blob));
    return lanes(16, () => client('handshake', asking(several(20, () => offer))));
  },
  'signatures that are wrong': () => {
    const n = Buffer.concat([Buffer.from([0]), Buffer.alloc(2_048, 0xff)]);
    const blob = bytes('ssh-rsa', string(Buffer.concat([Buffer.from([1]), Buffer.alloc(6), Buffer.from([1])])), string(n));
    const signature = bytes('rsa-sha2-512', string(Buffer.alloc(2_048, 0x11)));
    const offer = bytes(50, 'demo', 'ssh-connection', 'publickey', 1, 'rsa-sha2-512', string(blob), string(signature));
    return lanes(16, () => client('handshake', asking(several(20, () => offer))));
  },
  'keyboard-interactive asked for and never answered': () =>
    lanes(8, () => client('handshake', asking(pour(() => bytes(50, 'demo', 'ssh-connection', 'keyboard-interactive', '', ''))))),
  'channels before the login': () =>
    lanes(8, () =>
      client(
        'handshake',
        pour(() => bytes(90, 'session', uint32(0), uint32(1_000_000), uint32(32_768))),
      ),
    ),
};

const accounts = {
  'new keys again and again': () =>
    lanes(4, () =>
      client(
        'ready',
        (_send, one) => {
          const again = setInterval(() => (over() || one._sock.destroyed ? clearInterval(again) : one._protocol.rekey()), 1);
        },
        dear,
      ),
    ),
  'keys that are never agreed on': () => lanes(8, () => client('ready', (send) => send(kexinit()))),
  'IGNORE after the login': () =>
    lanes(8, () =>
      client(
        'ready',
        pour(() => IGNORE),
      ),
    ),
  'requests without end': () =>
    lanes(8, () =>
      client(
        'ready',
        requests((id) => bytes(16, uint32(id), '/')),
      ),
    ),
  'requests of which nobody reads the answers': () =>
    lanes(16, () =>
      client(
        'ready',
        requests((id) => bytes(16, uint32(id), '/'), { paused: true }),
      ),
    ),
  'reads without end': () =>
    lanes(8, () =>
      client(
        'ready',
        requests((id) =>
          id === 1 ? bytes(3, uint32(id), '/small', uint32(1), uint32(0)) : bytes(5, uint32(id), string(uint32(1)), uint32(0), uint32(0), uint32(1)),
        ),
      ),
    ),
  'reads of which nobody reads the answers': () =>
    lanes(16, () =>
      client(
        'ready',
        requests(
          (id) =>
            id === 1
              ? bytes(3, uint32(id), '/huge', uint32(1), uint32(0))
              : bytes(5, uint32(id), string(uint32(1)), uint32(0), uint32(id * 10_000), uint32(261_120)),
          { paused: true },
        ),
      ),
    ),
  'one byte a packet': () =>
    lanes(8, () =>
      client(
        'ready',
        requests(
          (id) =>
            id === 1 ? bytes(3, uint32(id), '/huge', uint32(1), uint32(0)) : bytes(5, uint32(id), string(uint32(1)), uint32(0), uint32(id), uint32(261_120)),
          { largest: 1 },
        ),
      ),
    ),
  'a window of one byte at a time': () =>
    lanes(8, () =>
      client(
        'ready',
        channel(
          ({ send, one, socket, sender }) => {
            const open = bytes(3, uint32(1), '/huge', uint32(1), uint32(0));
            send(bytes(94, uint32(sender), string(bytes(uint32(open.length), open))));
            for (let id = 2; id < 1_000; id += 1) {
              const read = bytes(5, uint32(id), string(uint32(1)), uint32(0), uint32(id), uint32(261_120));
              send(bytes(94, uint32(sender), string(bytes(uint32(read.length), read))));
            }
            pour(() => bytes(93, uint32(sender), uint32(1)))(send, one, socket);
          },
          { window: 0 },
        ),
      ),
    ),
  'files opened and never closed': () =>
    lanes(8, () =>
      client(
        'ready',
        requests((id) => bytes(3, uint32(id), '/huge', uint32(1), uint32(0))),
      ),
    ),
  'folders opened and never closed': () =>
    lanes(8, () =>
      client(
        'ready',
        requests((id) => bytes(11, uint32(id), '/many')),
      ),
    ),
  'folders listed again and again': () =>
    lanes(8, () =>
      client(
        'ready',
        requests((id) =>
          id % 100 === 1
            ? bytes(11, uint32(id), '/many')
            : id % 100 === 0
              ? bytes(4, uint32(id), string(uint32(Math.floor(id / 100))))
              : bytes(12, uint32(id), string(uint32(Math.floor(id / 100) + 1))),
        ),
      ),
    ),
  'names that are attacks': () => {
    const names = [
      `${'../'.repeat(5_000)}etc/passwd`,
      'a\0b',
      '/.ftps-staging/x',
      '/\u001b[2J',
      'x'.repeat(30_000),
      '/a/'.repeat(8_000),
      '\u202egnp.exe',
      '//..//..//',
      '.',
      '',
    ];
    return lanes(4, () =>
      client(
        'ready',
        requests((id) => bytes(id % 3 ? 17 : 13, uint32(id), names[id % names.length], ...(id % 3 ? [] : [uint32(0)]))),
      ),
    );
  },
  'names that are not there removed': () =>
    lanes(4, () =>
      client(
        'ready',
        requests((id) => bytes(13, uint32(id), `/none/${id}`)),
      ),
    ),
  'channels opened and closed': () =>
    lanes(8, () =>
      client('ready', (send, one, socket) => {
        const handlers = one._protocol._handlers;
        for (const name of Object.keys(handlers)) if (name.startsWith('CHANNEL')) handlers[name] = () => {};
        let count = 0;
        pour((index) =>
          index % 3 === 0
            ? bytes(90, 'session', uint32(0), uint32(1_000), uint32(32_768))
            : index % 3 === 1
              ? bytes(98, uint32(count), 'subsystem', 0, 'sftp')
              : bytes(97, uint32(count++)),
        )(send, one, socket);
      }),
    ),
  'programs, tunnels and agents asked for': () =>
    lanes(4, () =>
      client('ready', (send, one, socket) => {
        const handlers = one._protocol._handlers;
        for (const name of Object.keys(handlers)) if (name.startsWith('CHANNEL') || name.startsWith('REQUEST')) handlers[name] = () => {};
        send(bytes(90, 'session', uint32(0), uint32(1_000), uint32(32_768)));
        const asked = [
          bytes(98, uint32(0), 'shell', 1),
          bytes(98, uint32(0), 'exec', 1, 'id'),
          bytes(98, uint32(0), 'subsystem', 1, 'netconf'),
          bytes(98, uint32(0), 'env', 1, 'LD_PRELOAD', '/tmp/x.so'),
          bytes(98, uint32(0), 'x11-req', 1, 0, 'MIT-MAGIC-COOKIE-1', '00', uint32(0)),
          bytes(98, uint32(0), 'auth-agent-req@openssh.com', 1),
          bytes(98, uint32(0), 'pty-req', 1, 'xterm', uint32(80), uint32(24), uint32(0), uint32(0), ''),
          bytes(90, 'direct-tcpip', uint32(1), uint32(1_000), uint32(32_768), '169.254.169.254', uint32(80), '127.0.0.1', uint32(1)),
          bytes(90, 'x11', uint32(1), uint32(1_000), uint32(32_768), '127.0.0.1', uint32(1)),
          bytes(80, 'tcpip-forward', 1, '0.0.0.0', uint32(8_080)),
          bytes(80, 'streamlocal-forward@openssh.com', 1, '/tmp/x'),
          bytes(80, 'keepalive@openssh.com', 1),
        ];
        pour((index) => asked[index % asked.length])(send, one, socket);
      }),
    ),
  'more than the window allows': () =>
    lanes(8, () =>
      client(
        'ready',
        channel(({ send, one, socket, sender }) => {
          // A request that is never whole, so that nothing is worked off and no window given.
          send(bytes(94, uint32(sender), string(bytes(uint32(262_000), 6))));
          pour(() => bytes(94, uint32(sender), string(Buffer.alloc(32_768))))(send, one, socket);
        }),
      ),
    ),
};

const all = { ...strangers, ...accounts };
if (attack === 'list') {
  process.stdout.write(`${JSON.stringify({ strangers: Object.keys(strangers), accounts: Object.keys(accounts) })}\n`);
  process.exit(0);
}
run(all);
