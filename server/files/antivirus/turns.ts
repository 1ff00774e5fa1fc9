/** A number of places, and a queue of those who wait for one. */
export class Turns {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly places: number) {}

  /** Fulfilled when a place is had; rejected, without one, when the signal is aborted first. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.taken < this.places) {
      this.taken += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const given = () => {
        signal.removeEventListener('abort', givenUp);
        resolve();
      };
      const givenUp = () => {
        this.waiting.splice(this.waiting.indexOf(given), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', givenUp, { once: true });
      this.waiting.push(given);
    });
  }

  /** Gives a place to who has waited longest. */
  give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.taken -= 1;
  }
}
