import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BandwidthLimits, LocalBandwidth, paceOf } from '../../../server/limits/bandwidth';
import { RawClient, readAll, testServer } from '../support/server';

/** Several transfers that move pieces one after the other, on a clock that only their waits move. Answers with the milliseconds each took. */
async function simulate(limits: BandwidthLimits | undefined, transfers: readonly { user: string; own?: number; pieces: number; bytes: number }[]) {
  let now = 1_000_000;
  const bandwidth = new LocalBandwidth(limits, () => now);
  const left = transfers.map(({ pieces }) => pieces);
  const readyAt = transfers.map(() => now);
  const begin = now;
  for (;;) {
    const next = readyAt.reduce((best, at, index) => (left[index]! > 0 && (best < 0 || at < readyAt[best]!) ? index : best), -1);
    if (next < 0) return readyAt.map((at) => at - begin);
    now = Math.max(now, readyAt[next]!);
    const { user, own, bytes } = transfers[next]!;
    readyAt[next] = now + (await bandwidth.take(user, 'upload', own ?? null, bytes));
    left[next]! -= 1;
  }
}

/** Unused time of that length may be caught up on. Milliseconds. */
const SLACK = 250;
const near = (milliseconds: number | undefined, seconds: number) => {
  expect(milliseconds).toBeGreaterThanOrEqual(seconds * 1000 - SLACK - 600);
  expect(milliseconds).toBeLessThanOrEqual(seconds * 1000);
};

describe('a bandwidth limit', () => {
  it('of an account holds for all of its transfers together, and for nobody else', async () => {
    const [first, second, other] = await simulate(undefined, [
      { user: 'ann', own: 1_000_000, pieces: 100, bytes: 100_000 },
      { user: 'ann', own: 1_000_000, pieces: 100, bytes: 100_000 },
      { user: 'bob', pieces: 100, bytes: 100_000 },
    ]);
    near(first, 20);
    near(second, 20);
    expect(other).toBe(0);
  });

  it('of the server holds for all accounts together, beside their own', async () => {
    const [ann, bob] = await simulate({ uploadBytesPerSecond: 2_000_000 }, [
      { user: 'ann', own: 1_000_000, pieces: 200, bytes: 100_000 },
      { user: 'bob', own: 8_000_000, pieces: 200, bytes: 100_000 },
    ]);
    near(Math.max(ann!, bob!), 20);
  });

  it('of one way leaves the other alone', () => {
    const bandwidth = new LocalBandwidth({ uploadBytesPerSecond: 4_096 });
    expect(paceOf(bandwidth, { uploadBytesPerSecond: 4_096 }, { user: 'ann' }, 'download')).toBeUndefined();
    expect(paceOf(bandwidth, { uploadBytesPerSecond: 4_096 }, { user: 'ann' }, 'upload')?.piece).toBe(1_024);
    expect(paceOf(bandwidth, undefined, { user: 'ann', bandwidth: { downloadBytesPerSecond: 80_000 } }, 'download')?.piece).toBe(10_000);
  });

  it('slows real transfers down to it, both ways, and changes no byte', async () => {
    const rate = 400_000;
    const server = await testServer({ limits: { bandwidth: { downloadBytesPerSecond: rate } } }, [{ user: 'demo', bandwidth: { uploadBytesPerSecond: rate } }]);
    await mkdir(server.files, { recursive: true });
    const content = randomBytes(rate);
    await writeFile(join(server.files, 'down'), content);
    const client = await RawClient.loggedIn(server);
    const transfer = async (command: string) => {
      const port = await client.epsv();
      client.write(`${command}\r\n`);
      const data = await client.data(server, port);
      expect(await client.reply()).toMatch(/^150 /);
      return data;
    };
    expect((await readAll(await transfer('RETR down'))).equals(content)).toBe(true);
    expect(await client.reply()).toMatch(/^226 /);
    (await transfer('STOR up')).end(content);
    expect(await client.reply()).toMatch(/^226 /);
    expect((await readFile(join(server.files, 'up'))).equals(content)).toBe(true);
    // What was moved before the limit says wait is the slack and one piece.
    const slowest = (1000 - SLACK - 125) / 1000;
    const seconds = server.audit.of('transfer').map((event) => event.seconds);
    expect(seconds).toEqual([expect.any(Number), expect.any(Number)]);
    for (const took of seconds) expect(took).toBeGreaterThan(slowest);
    client.close();
    await server.close();
  });
});
