/** Pieces of memory come back however a transfer ends, and there are never more than so many of those that threads share. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { borrowBuffer, returnBuffer, SHARED_PIECES, sharedPieces } from '../../../server/files/buffers';
import { RawClient, type TestServer, testServer } from '../support/server';

const MIB = 1024 * 1024;
const content = Buffer.alloc(3 * MIB, 'x');

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ passive: { ports: 'any:8', connectSeconds: 1 } });
  (await RawClient.loggedIn(server)).close(); // makes the home
  await writeFile(join(server.files, 'file'), Buffer.alloc(8 * MIB));
});
afterAll(() => server.close());

async function nothingLent(): Promise<void> {
  for (const deadline = Date.now() + 5_000; sharedPieces().lent > 0; await sleep(5))
    if (Date.now() > deadline) throw new Error(`${sharedPieces().lent} pieces of ${sharedPieces().made} did not come back`);
}

type End = 'comes to its end' | 'is cut' | 'is aborted' | 'loses its session';

it.each<End>(['comes to its end', 'is cut', 'is aborted', 'loses its session'])('an upload that %s gives its pieces back', async (end) => {
  for (let count = 0; count < 6; count += 1) {
    const client = await RawClient.loggedIn(server);
    const port = await client.epsv();
    client.write('STOR upload\r\n');
    expect(await client.reply()).toContain('150');
    const data = await client.data(server, port);
    data.on('error', () => {}).resume();
    // Cut at another place each time: while a piece is filled, written or hashed.
    await new Promise((resolve) => data.write(content.subarray(0, MIB / 2 + count * 400_000), resolve));
    if (end === 'comes to its end') data.end();
    else if (end === 'is cut') data.destroy();
    else if (end === 'is aborted') client.write('ABOR\r\n');
    else client.close();
    if (end !== 'loses its session') expect(await client.reply()).toMatch(end === 'comes to its end' ? /^226/ : /^426/);
    client.close();
    data.destroy();
  }
  await nothingLent();
  expect(sharedPieces().made).toBeGreaterThan(0);
});

it('a download that is cut gives its pieces back', async () => {
  for (let count = 0; count < 4; count += 1) {
    const client = await RawClient.loggedIn(server);
    const port = await client.epsv();
    client.write('RETR file\r\n');
    expect(await client.reply()).toContain('150');
    const data = await client.data(server, port);
    await once(
      data.on('error', () => {}),
      'data',
    );
    data.pause();
    data.destroy();
    expect(await client.reply()).toMatch(/^426/);
    client.close();
  }
  await nothingLent();
});

it('no more than so many are made; beyond them memory is the ordinary one, which is not kept', async () => {
  await nothingLent();
  const lent = Array.from({ length: SHARED_PIECES + 8 }, () => borrowBuffer(MIB));
  expect(new Set(lent.map(({ buffer }) => buffer)).size).toBe(lent.length);
  expect(sharedPieces()).toEqual({ made: SHARED_PIECES, lent: SHARED_PIECES });
  for (const piece of lent) returnBuffer(piece.subarray(0, 17));
  expect(sharedPieces()).toEqual({ made: SHARED_PIECES, lent: 0 });
  const again = borrowBuffer(MIB);
  expect(again.length).toBe(MIB);
  returnBuffer(again);
});
