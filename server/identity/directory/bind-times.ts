/** How long binds took lately. An unknown user is refused after as long, so that nobody can tell the two apart by time. */
import { randomInt } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';

const KEPT = 64;
/** Until the first bind was seen. */
const FIRST_GUESS_MS = 20;

export class BindTimes {
  private readonly times: number[] = [];

  async measure<T>(bind: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    const result = await bind();
    this.times.push(performance.now() - begin);
    if (this.times.length > KEPT) this.times.shift();
    return result;
  }

  /** Waits as long as one of the last binds took. */
  async pretend(): Promise<void> {
    await after(this.times.length === 0 ? FIRST_GUESS_MS : this.times[randomInt(this.times.length)]);
  }
}
