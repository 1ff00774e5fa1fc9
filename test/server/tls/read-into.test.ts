import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { readInto } from '../../../server/tls/read-into';
import { Pieces } from '../support/pieces';
import { tlsPair } from '../support/tls-pair';

async function pair() {
  const { accepted, ...rest } = await tlsPair();
  return { ...rest, socket: accepted.socket };
}

/** As where Node keeps its `onread` elsewhere. */
function withoutParts(socket: TLSSocket): void {
  for (const symbol of Object.getOwnPropertySymbols(socket)) if (symbol.description === 'kBufferGen') Reflect.deleteProperty(socket, symbol);
}

it('lets Node fill the pieces itself: nothing comes as a stream', async () => {
  const { client, socket, close } = await pair();
  const pieces = new Pieces(10_000);
  const streamed = jest.fn();
  readInto(socket, pieces);
  socket.on('data', streamed);
  const content = randomBytes(300_000);
  client.end(content);
  await once(socket, 'end');
  expect(pieces.content.equals(content)).toBe(true);
  expect(streamed).not.toHaveBeenCalled();
  close();
});

describe.each([
  { parts: 'as Node has them', prepare: () => {} },
  { parts: 'where Node has other ones', prepare: withoutParts },
])('the parts of Node, $parts', ({ prepare }) => {
  it.each([1, 7, 16_384, 65_536])('fill pieces of %d bytes, what came before first', async (size) => {
    const { client, socket, close } = await pair();
    prepare(socket);
    const content = randomBytes(size === 1 ? 2_000 : 200_000);
    const early = content.subarray(0, 1_000);
    client.write(early);
    while (socket.readableLength < early.length) await once(socket, 'readable');
    const pieces = new Pieces(size);
    readInto(socket, pieces);
    client.end(content.subarray(early.length));
    await once(socket, 'end');
    expect(pieces.content.equals(content)).toBe(true);
    close();
  });

  it('read no more than one read of the transport after a pause, and all of it after its end', async () => {
    const { client, socket, close } = await pair();
    prepare(socket);
    const content = randomBytes(2_000_000);
    const pieces = new Pieces(16_384);
    pieces.goOn = false;
    readInto(socket, pieces);
    client.end(content);
    while (pieces.content.length === 0) await new Promise(setImmediate);
    const came = pieces.content.length;
    expect(came).toBeLessThanOrEqual(64 * 1024 + 16_384);
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    expect(pieces.content.length).toBe(came);
    pieces.goOn = true;
    socket.resume();
    await once(socket, 'end');
    expect(pieces.content.equals(content)).toBe(true);
    close();
  });

  it('leave an error to the socket', async () => {
    const { tcp, client, socket, close } = await pair();
    prepare(socket);
    readInto(socket, new Pieces(1_000));
    const failed = new Promise((resolve) => socket.once('error', resolve));
    client.write('some', () => tcp.write('what is no record of TLS'));
    expect(await failed).toMatchObject({ code: expect.stringMatching(/^ERR_SSL_/) });
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.readableEnded).toBe(false);
    close();
  });
});
