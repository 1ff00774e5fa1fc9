/** HTTP as S3 speaks it, over real sockets. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTcp } from 'node:net';
import { Wire, type WireRequest } from '../../../../../server/files/storage/s3/wire';
import { TestAuthority } from '../../../support/authority';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({ close: () => server.close() });
  return (server.address() as AddressInfo).port;
}

function wireWith(more: Partial<ConstructorParameters<typeof Wire>[0]> = {}): Wire {
  const wire = new Wire({ connections: 2, connectMs: 2_000, silentMs: 2_000, ...more });
  opened.push(wire);
  return wire;
}

const to = (port: number, more: Partial<WireRequest> = {}): WireRequest => ({
  isSecure: false,
  host: '127.0.0.1',
  port,
  method: 'GET',
  target: '/',
  headers: { host: 'localhost' },
  body: [],
  ...more,
});

/** Puts what comes into one buffer. */
function into(buffer: Buffer) {
  let filled = 0;
  return {
    space: () => buffer.subarray(filled),
    took: (bytes: number) => {
      filled += bytes;
    },
    get filled() {
      return filled;
    },
  };
}

const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  response.writeHead(200, { 'content-length': body.length }).end(body);
};

describe('the wire to S3', () => {
  it('sends a body out of several buffers and lands the answer in the memory that was meant for it, on one connection', async () => {
    const server = createServer(echo);
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const port = await listening(server);
    const wire = wireWith();
    for (let turn = 0; turn < 3; turn += 1) {
      const body = [Buffer.alloc(300_000, 1), Buffer.alloc(500_000, 2)];
      const landing = into(Buffer.alloc(800_000));
      const answer = await wire.send(to(port, { method: 'PUT', headers: { host: 'localhost', 'content-length': '800000' }, body, landing }));
      await answer.landed;
      expect(answer.status).toBe(200);
      expect(landing.filled).toBe(800_000);
      expect(landing.space()).toHaveLength(0);
    }
    expect(connections).toBe(1);
  });

  it('does the same over TLS, and trusts nobody it was not told to', async () => {
    const authority = await TestAuthority.create();
    const { certificate, key } = await authority.issue({ names: ['localhost'] });
    const port = await listening(createSecure({ cert: certificate, key }, echo));
    const request = to(port, { isSecure: true, host: 'localhost', method: 'PUT', headers: { host: 'localhost', 'content-length': '100000' } });
    const landing = into(Buffer.alloc(100_000));
    const answer = await wireWith({ ca: authority.pem }).send({ ...request, body: [Buffer.alloc(100_000, 3)], landing });
    await answer.landed;
    expect(landing.filled).toBe(100_000);
    await expect(wireWith().send({ ...request, body: [Buffer.alloc(100_000)] })).rejects.toThrow(/certificate|issuer/i);
  });

  it('reads refusals with their text, in chunks or not, and lands nothing of them', async () => {
    const port = await listening(
      createServer((request, response) => {
        response.writeHead(404, request.url === '/chunks' ? {} : { 'content-length': 14 });
        response.write('<Error>');
        response.end('</Error');
      }),
    );
    const wire = wireWith();
    for (const target of ['/chunks', '/whole']) {
      const landing = into(Buffer.alloc(10));
      const answer = await wire.send(to(port, { target, landing }));
      expect([answer.status, answer.body.toString().slice(0, 14), landing.filled]).toEqual([404, '<Error></Error'.slice(0, 14), 0]);
    }
  });

  it('sends again what a connection did not take that was closed while it was idle', async () => {
    let last: Socket | undefined;
    const server = createServer(echo);
    server.on('connection', (socket: Socket) => {
      last = socket;
    });
    const port = await listening(server);
    const wire = wireWith();
    await wire.send(to(port));
    last!.destroy();
    expect((await wire.send(to(port))).status).toBe(200);
  });

  it('hears a refusal that comes before the body was sent, and does not use that connection again', async () => {
    let connections = 0;
    const port = await listening(
      createTcp((socket) => {
        connections += 1;
        socket.on('error', () => {});
        socket.once('data', () => socket.write('HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n')).pause();
        socket.resume();
      }),
    );
    const wire = wireWith();
    const body = [Buffer.alloc(20 * 1024 * 1024)];
    const put = to(port, { method: 'PUT', headers: { host: 'localhost', 'content-length': String(body[0]!.length) }, body });
    expect((await wire.send(put)).status).toBe(503);
    expect((await wire.send(put)).status).toBe(503);
    expect(connections).toBe(2);
  });

  it('gives up on silence, on a body that breaks off, and when it is told to', async () => {
    const port = await listening(
      createServer((request, response) => {
        if (request.url === '/silent') return;
        response.writeHead(200, { 'content-length': 1_000 });
        response.write('some');
        if (request.url === '/broken') setImmediate(() => response.destroy());
      }),
    );
    await expect(wireWith({ silentMs: 100 }).send(to(port, { target: '/silent' }))).rejects.toMatchObject({ code: 'ECONNRESET' });
    const broken = await wireWith().send(to(port, { target: '/broken', landing: into(Buffer.alloc(1_000)) }));
    await expect(broken.landed).rejects.toMatchObject({ code: 'ECONNRESET' });
    const stop = new AbortController();
    const stopped = await wireWith().send(to(port, { landing: into(Buffer.alloc(1_000)), signal: stop.signal }));
    stop.abort(new Error('enough'));
    await expect(stopped.landed).rejects.toThrow('enough');
  });

  it('has no more connections than it may, and serves who waits', async () => {
    let [open, most] = [0, 0];
    const server = createServer((_request, response) => setTimeout(() => response.end('ok'), 10));
    server.on('connection', (socket: Socket) => {
      open += 1;
      most = Math.max(most, open);
      socket.once('close', () => {
        open -= 1;
      });
    });
    const port = await listening(server);
    const wire = wireWith();
    const answers = await Promise.all(Array.from({ length: 20 }, () => wire.send(to(port))));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(most).toBe(2);
  });
});
