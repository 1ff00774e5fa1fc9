/** Those who have not logged in yet, beside those who have: their turns, and their share of the event loop. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { LocalLimits } from '../../../server/limits/local-limits';
import { Newcomers } from '../../../server/limits/newcomers';
import { testServer } from '../support/server';

/** Keeps the event loop for so long. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Takes turns for addresses in this order, and answers with the order in which they came. `each`: what is done in a turn. */
async function turns(newcomers: Newcomers, addresses: readonly string[], each: () => void = () => {}): Promise<string[]> {
  const order: string[] = [];
  await Promise.all(
    addresses.map(async (address, index) => {
      await newcomers.turn(address);
      order.push(`${address}#${index}`);
      each();
    }),
  );
  return order;
}

it.each([false, true])('take turns by address, those first from where somebody has logged in (transfers run: %s)', async (isBusy) => {
  const newcomers = new Newcomers({ isBusy });
  newcomers.hasLoggedIn('10.0.0.9');
  const order = await turns(newcomers, ['10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.9', '10.0.0.9']);
  // The first is taken before others have come; of four turns, one is for those who never logged in.
  expect(order).toEqual(['10.0.0.1#0', '10.0.0.9#4', '10.0.0.9#5', '10.0.0.1#1', '10.0.0.2#3', '10.0.0.1#2']);
});

it('of one /64 network are one client', async () => {
  const newcomers = new Newcomers({ isBusy: false });
  expect(await turns(newcomers, ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:1::1'])).toEqual([
    '2001:db8::1#0',
    '2001:db8::2#1',
    '2001:db8:1::1#3',
    '2001:db8::3#2',
  ]);
});

it('leave a turn of the event loop to everybody else after each', async () => {
  const newcomers = new Newcomers({ isBusy: false });
  let over = false;
  let others = 0;
  const count = () => {
    others += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await turns(
    newcomers,
    Array.from({ length: 20 }, () => '10.0.0.1'),
  );
  over = true;
  expect(others).toBeGreaterThanOrEqual(20);
});

it('rest after each while transfers keep the server busy, for many times as long as it took and never for long, and not at all otherwise', async () => {
  const busyness = { isBusy: true };
  const newcomers = new Newcomers(busyness);
  const rests = jest.spyOn(global, 'setTimeout');
  await turns(newcomers, ['a', 'a', 'a'], () => work(1));
  await turns(newcomers, ['a', 'a'], () => work(20));
  const lengths = rests.mock.calls.map(([, milliseconds]) => milliseconds!);
  expect(lengths.length).toBeGreaterThanOrEqual(4); // that after the last may come later
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(36);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(50);
  busyness.isBusy = false;
  await newcomers.turn('a'); // the rest after the last of before is over
  rests.mockClear();
  await turns(newcomers, ['a', 'a', 'a'], () => work(1));
  expect(rests).not.toHaveBeenCalled();
  rests.mockRestore();
});

describe('of a server', () => {
  /** Turns that are given by hand. */
  function heldTurns() {
    const waiting: { readonly address: string; give(): void }[] = [];
    jest.spyOn(Newcomers.prototype, 'turn').mockImplementation(
      (address) =>
        new Promise((give) => {
          waiting.push({ address, give });
          asked?.();
        }),
    );
    let asked: (() => void) | undefined;
    return async () => {
      if (waiting.length === 0)
        await new Promise<void>((resolve) => {
          asked = resolve;
        });
      return waiting.shift()!;
    };
  }
  afterEach(() => jest.restoreAllMocks());

  it('wait for a turn before they are greeted, and for another before the handshake', async () => {
    const server = await testServer();
    const next = heldTurns();
    const client = server.client();
    const greeting = await next();
    expect([greeting.address, server.audit.of('connection-opened')]).toEqual(['127.0.0.1', []]);
    greeting.give();
    const handshake = await next();
    expect(server.audit.of('connection-opened').length).toBe(1);
    expect(server.audit.of('tls-established')).toEqual([]);
    handshake.give();
    (await client).close();
    await server.close();
  });

  it('give back their place where they leave meanwhile, and hear it where the server goes down', async () => {
    const released = jest.spyOn(LocalLimits.prototype, 'releaseConnection');
    const server = await testServer();
    const next = heldTurns();
    const gone = connect(server.explicit, '127.0.0.1');
    const { give } = await next();
    gone.resetAndDestroy();
    await once(gone, 'close');
    await new Promise((resolve) => setTimeout(resolve, 20)); // until the server has seen it
    give();
    const late = connect(server.explicit, '127.0.0.1');
    const turn = await next();
    const closed = server.close();
    turn.give();
    expect(String(await once(late, 'data'))).toMatch(/^421 The server is going down/);
    late.destroy();
    await closed;
    expect(released.mock.calls).toEqual([
      ['127.0.0.1', 'fruitless'],
      ['127.0.0.1', 'lost'],
    ]);
    expect(server.audit.of('connection-opened')).toEqual([]);
  });
});
