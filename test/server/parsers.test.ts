/** What a stranger can make longer costs in proportion to its length: each parser that bytes from outside reach (the ClientHello and command lines have theirs beside them). */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { startAdmin } from '../../server/admin/admin';
import { patternOf } from '../../server/files/glob';
import { parseCommand } from '../../server/ftps/control/parse-command';
import { parseEprt, parsePort } from '../../server/ftps/data/port-arguments';
import { clientKey } from '../../server/limits/client-key';
import { parseProxyHeader } from '../../server/limits/proxy-header';
import { printable, printableText } from '../../server/text/printable';
import { askOcsp } from '../../server/tls/ocsp';
import { TestAuthority } from './support/authority';
import { growsTooFast } from './support/growth';

const LINE = 8_192;

it.each<[string, number, (length: number) => () => unknown]>([
  ['a command of one long word', LINE / 16, (length) => () => parseCommand('A'.repeat(length))],
  ['a command with a long argument', LINE / 16, (length) => () => parseCommand(`RETR ${' a'.repeat(length)}`)],
  ['PORT with many numbers', LINE / 16, (length) => () => parsePort('1,'.repeat(length))],
  ['EPRT with many delimiters', LINE / 16, (length) => () => parseEprt('|'.repeat(length))],
  ['EPRT with a long address', LINE / 16, (length) => () => parseEprt(`|2|${'1:'.repeat(length)}|21|`)],
  ['an address of many groups', LINE / 16, (length) => () => clientKey('1:'.repeat(length))],
  ['a pattern of open brackets', 16, (length) => () => patternOf('['.repeat(length))],
  ['a pattern of brackets that close late', 16, (length) => () => patternOf(`${'['.repeat(length - 1)}]`)],
  ['a long name against stars', 16, (length) => () => patternOf('*a*b*c*d')('a'.repeat(length))],
  ['text full of controls', 256, (length) => () => printable('\u001b'.repeat(length))],
  ['text full of half colours', 256, (length) => () => printableText('\u001b[1;'.repeat(length), { colour: true })],
])('%s', (_what, from, work) => {
  // Many times, so that short inputs can be measured.
  const repeated = (length: number) => {
    const once = work(length);
    return () => {
      for (let turn = 0; turn < 50; turn += 1) once();
    };
  };
  expect(growsTooFast({ from, work: repeated })).toBeUndefined();
});

it('a PROXY header says at once that it is too long, and never takes more than 1,024 bytes', () => {
  const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
  const header = (length: number) => Buffer.concat([signature, Buffer.from([0x21, 0x11, length >> 8, length & 255]), Buffer.alloc(4_096)]);
  for (const length of [1_009, 4_096, 65_535]) expect(parseProxyHeader(header(length).subarray(0, 16))).toBe('malformed');
  expect(parseProxyHeader(header(1_008))).toMatchObject({ length: 1_024 });
});

it('an authority that never stops answering is not listened to for long', async () => {
  let sent = 0;
  const responder = createServer((_request, response) => {
    const more = () => {
      while (!response.destroyed && sent < 256 * 1024 * 1024) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  responder.listen(0, '127.0.0.1');
  await once(responder, 'listening');
  const authority = await TestAuthority.create();
  const { X509Certificate } = await import('node:crypto');
  const certificate = new X509Certificate((await authority.issue()).certificate);
  const issuer = new X509Certificate(authority.pem);
  const { port } = responder.address() as { port: number };
  await expect(askOcsp(`http://127.0.0.1:${port}/`, certificate, issuer)).rejects.toThrow(/more than 16384 bytes/);
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  responder.closeAllConnections();
  responder.close();
});

it('the admin interface reads no headers beyond 16 KiB and no body at all', async () => {
  const asked: string[] = [];
  const source = new Proxy({} as Parameters<typeof startAdmin>[1], {
    get: (_target, name) => async () => {
      asked.push(String(name));
      return true;
    },
  });
  const admin = await startAdmin({ port: 0 }, source);
  const answer = async (request: string) => {
    const socket = connect(admin.port!, '127.0.0.1');
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.end(request);
    await once(socket, 'close');
    return text.split('\r\n', 1)[0];
  };
  expect(await answer(`GET /sessions HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/ 431 /);
  expect(asked).toEqual([]);
  expect(await answer(`POST /reload HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`)).toMatch(
    / 400 /,
  );
  expect(asked).toEqual([]);
  await admin.close();
});
