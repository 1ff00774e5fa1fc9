/** Whether transfers keep the server busy: found by what they move, and by what is left of the event loop. */

import { Pressure } from '../../../server/files/pressure';
import { Progress } from '../../../server/files/progress';
import { TransferLoad } from '../../../server/files/transfer-load';
import { SharedBusyness } from '../../../server/workers/shared-busyness';

const MIB = 1024 * 1024;

/** A transfer that moves so many bytes in 50 ms, and what is found beside it while so much of the event loop or of the processors is in use. The timers are the test's. */
function beside({ bytes, pressures }: { bytes: number; pressures: readonly number[] }): readonly (readonly [number, boolean])[] {
  const found: [number, boolean][] = [];
  let look = 0;
  const load = new TransferLoad({ isBusy: false, found: (isBusy) => found.push([look, isBusy]) }, { sample: () => pressures[look] ?? 0 });
  const progress = new Progress();
  const end = load.add(progress);
  for (look = 1; look < pressures.length; look += 1) {
    progress.bytes += bytes;
    jest.advanceTimersByTime(50);
  }
  end();
  jest.advanceTimersByTime(1_000);
  expect(jest.getTimerCount()).toBe(0);
  return found;
}

describe('whether transfers keep the server busy', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is found at once, and is over when it was not so for four looks', () => {
    expect(beside({ bytes: 10 * MIB, pressures: [0, 0.5, 0.9, 0.9, 0.4, 0.4, 0.4, 0.4, 0.4] })).toEqual([
      [2, true],
      [7, false],
    ]);
  });

  it('lasts while half of what there is stays in use: by then newcomers wait', () => {
    expect(beside({ bytes: 10 * MIB, pressures: [0, 0.9, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6] })[0]).toEqual([1, true]);
    expect(beside({ bytes: 10 * MIB, pressures: [0, 0.9, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6] })[1]?.[0]).toBe(9); // with the transfer
  });

  it('is not found where a transfer moves little, whatever else keeps the server busy', () => {
    expect(beside({ bytes: 100_000, pressures: [0, 1, 1, 1, 1, 1, 1, 1] })).toEqual([]);
  });
});

it('is measured as the share of the event loop that is in use', async () => {
  const pressure = new Pressure();
  const until = performance.now() + 50;
  while (performance.now() < until) await new Promise(setImmediate);
  expect(pressure.sample()).toBeGreaterThan(0.8);
});

it('of several processes counts for all as long as one of them is busy', () => {
  const told: boolean[] = [];
  const shared = new SharedBusyness((isBusy) => told.push(isBusy));
  const [one, other] = [{}, {}];
  shared.found(one, true);
  shared.found(other, true);
  shared.found(one, false);
  shared.found(one, false);
  expect([shared.isBusy, told]).toEqual([true, [true]]);
  shared.found(other, false); // it found so, or has ended
  expect([shared.isBusy, told]).toEqual([false, [true, false]]);
});
