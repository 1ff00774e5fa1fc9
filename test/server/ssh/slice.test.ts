import { Slice } from '../../../server/limits/slice';

const turn = () => new Promise((resolve) => setImmediate(resolve));
function work(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
}

it('a connection is told when it has kept everybody waiting for long enough, until the next turn', async () => {
  const slice = new Slice();
  expect(slice.isUsedUp).toBe(false);
  work(3);
  expect(slice.isUsedUp).toBe(true);
  // Another connection has a part of its own.
  expect(new Slice().isUsedUp).toBe(false);
  await turn();
  await turn();
  expect(slice.isUsedUp).toBe(false);
});

it('who waits goes on one in each turn, in order, and others are heard between', async () => {
  const slice = new Slice();
  const order: string[] = [];
  const all = ['first', 'second', 'third'].map(async (name) => {
    await slice.next();
    order.push(name);
  });
  void (async () => {
    while (order.length < 10) {
      await turn();
      order.push('turn');
    }
  })();
  await Promise.all(all);
  expect(order.filter((name) => name !== 'turn')).toEqual(['first', 'second', 'third']);
  expect(order.slice(order.indexOf('first'), order.indexOf('second'))).toContain('turn');
  expect(order.slice(order.indexOf('second'), order.indexOf('third'))).toContain('turn');
});
