/** A number of places for slow work. Who waits for one is served by turns among owners, so that nobody fills the queue alone. */

interface Waiting {
  readonly given: () => void;
}

export class FairTurns {
  private taken = 0;
  /** Places that each owner has. */
  private readonly held = new Map<string, number>();
  /** Who waits, by owner; the owner whose turn is next comes first. */
  private readonly waiting = new Map<string, Waiting[]>();

  constructor(
    private readonly places: number,
    /** Most of them that one owner may have at once. */
    private readonly placesPerOwner = 1,
  ) {}

  /** Fulfilled with what gives the place back, to be called once; rejected, without a place, when the signal is aborted first. */
  async take(owner: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.taken < this.places && this.mayHave(owner)) this.occupy(owner);
    else await this.wait(owner, signal);
    let had = true;
    return () => {
      if (had) this.giveBack(owner);
      had = false;
    };
  }

  private wait(owner: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.waiting.get(owner) ?? [];
      this.waiting.set(owner, queue);
      const one: Waiting = {
        given: () => {
          signal.removeEventListener('abort', givenUp);
          resolve();
        },
      };
      const givenUp = () => {
        queue.splice(queue.indexOf(one), 1);
        if (queue.length === 0 && this.waiting.get(owner) === queue) this.waiting.delete(owner);
        reject(signal.reason);
      };
      signal.addEventListener('abort', givenUp, { once: true });
      queue.push(one);
    });
  }

  private giveBack(owner: string): void {
    this.taken -= 1;
    const left = (this.held.get(owner) ?? 1) - 1;
    if (left > 0) this.held.set(owner, left);
    else this.held.delete(owner);
    const own = this.waiting.get(owner);
    if (own) this.placeLast(owner, own);
    for (const [next, queue] of this.waiting) {
      if (!this.mayHave(next)) continue;
      const one = queue.shift()!;
      if (queue.length > 0) this.placeLast(next, queue);
      else this.waiting.delete(next);
      this.occupy(next);
      one.given();
      return;
    }
  }

  private placeLast(owner: string, queue: Waiting[]): void {
    this.waiting.delete(owner);
    this.waiting.set(owner, queue);
  }

  private mayHave(owner: string): boolean {
    return (this.held.get(owner) ?? 0) < this.placesPerOwner;
  }

  private occupy(owner: string): void {
    this.taken += 1;
    this.held.set(owner, (this.held.get(owner) ?? 0) + 1);
  }
}
