/**
 * What strangers and accounts can do to everybody over HTTPS. How long, how many workers: attacked.ts.
 *
 * HALF_OPEN  how many requests are begun at once and never ended, 500 by default
 */
import { Client } from 'basic-ftp';
import { fill, WORKERS, withstands } from './attacked';
import { HttpWire } from './http-wire';
import { PASSWORD, watched } from './watched';

withstands(
  'https-attacker.cjs',
  async () => {
    const https = {
      host: '127.0.0.1',
      port: 0,
      headSeconds: 4,
      keepAliveSeconds: 4,
      uploadIdleSeconds: 4,
      signInIdleSeconds: 600,
      requestsPerMinute: 1_000_000_000,
    };
    const server = await watched({ workers: WORKERS, https });
    fill(server);
    const wire = await HttpWire.open(server);
    const body = JSON.stringify({ user: 'demo', password: PASSWORD });
    wire.write(`POST /api/v1/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const cookie = /^set-cookie: ([^;]+)/m.exec((await wire.answer(false))!.headers)![1]!;
    wire.destroy();
    const client = new Client(60_000);
    const secureOptions = { ca: server.authority.pem, servername: 'localhost' };
    await client.access({ host: '127.0.0.1', port: server.ports.explicit, user: 'demo', password: PASSWORD, secure: true, secureOptions });
    return { server, port: server.ports.https, secret: cookie, ask: () => client.send('NOOP'), leave: () => client.close() };
  },
  {
    p99: 2_000,
    memory: 150,
    wanted: [
      'archives that nobody reads',
      'ranges of one byte',
      'a large folder listed again and again',
      'a large folder searched, the answers never read',
      'moves that are refused',
    ],
    auditOfConnection: 6_000,
    thorough: ['uploads that stall', 'archives that nobody reads'],
  },
);
