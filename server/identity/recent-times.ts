/** How long something took lately, so that what was not done can be made to look as if it had been. */
import { randomInt } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';

const KEPT = 64;
/** Until the first time was seen. */
const FIRST_GUESS_MS = 20;

export class RecentTimes {
  private readonly times: number[] = [];

  /** Does it and remembers how long it took, unless `counts` says that the result is none to go by. */
  async measure<T>(work: () => Promise<T>, counts: (result: T) => boolean = () => true): Promise<T> {
    const begin = performance.now();
    const result = await work();
    if (counts(result)) {
      this.times.push(performance.now() - begin);
      if (this.times.length > KEPT) this.times.shift();
    }
    return result;
  }

  /** Waits as long as one of the last times. */
  async pretend(): Promise<void> {
    await after(this.times.length === 0 ? FIRST_GUESS_MS : this.times[randomInt(this.times.length)]);
  }
}
