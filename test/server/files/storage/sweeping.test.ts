/** What a crash left is removed beside everything else. */
import { sweepOn } from '../../../../server/files/storage/sweeping';

it('goes on to its end, step by step', async () => {
  const steps: number[] = [];
  let over!: () => void;
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  async function* sweep() {
    for (const step of [1, 2, 3]) {
      steps.push(step);
      yield;
    }
    over();
  }
  const close = sweepOn(sweep(), fail);
  await ended;
  await close();
  expect(steps).toEqual([1, 2, 3]);
});

it('a server that goes down waits for the step that it is at, and no longer', async () => {
  let steps = 0;
  let closed = false;
  async function* sweep() {
    try {
      for (;;) {
        steps += 1;
        await new Promise(setImmediate);
        yield;
      }
    } finally {
      closed = true;
    }
  }
  const close = sweepOn(sweep(), fail);
  await new Promise(setImmediate);
  await close();
  const then = steps;
  await new Promise(setImmediate);
  expect([steps, closed]).toEqual([then, true]);
});

it('tells what ends it', async () => {
  const told: string[] = [];
  const sweep = (async function* () {
    yield;
    throw new Error('no disk');
  })();
  await sweep.next();
  const close = sweepOn(sweep, ({ message }) => told.push(message));
  await new Promise(setImmediate);
  await close();
  expect(told).toEqual(['no disk']);
});

function fail(error: Error): void {
  throw error;
}
