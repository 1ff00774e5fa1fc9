/**
 * What all transfers together hold in memory, in slabs that are lent again and again: nothing waits for a collection of garbage, and the bound is
 * one of the process. Every transfer may have one slab, so that none waits for another's client; more of them come out of the budget.
 */

/** Bytes of a slab. */
export const SLAB = 1024 * 1024;
/** Slabs that are kept when nothing has been transferred for a while. */
const KEPT = 16;
/** That while. New memory is cleared by the system and counted by V8, which costs a transfer more than its bytes do. Milliseconds. */
const QUIET_MS = 60_000;
/** Most parts of one upload under way to S3. */
const MOST_FLYING = 8;
/** While less than this share of the budget is on its way out, uploads may go beyond it, the one whose part is fullest first: a full part frees memory. */
const ENOUGH_FLYING = 1 / 4;
/** Whoever may go beyond the budget does so alone until its part is full, unless its client has sent nothing for so long. Milliseconds. */
const TURN_MS = 200;

/** Who takes slabs one by one. */
export interface Taker {
  /** How much it holds. */
  readonly filled: number;
}

export class Memory {
  private readonly idle: Buffer[] = [];
  private readonly waiting: { readonly taker: Taker; readonly grant: (slab: Buffer) => void }[] = [];
  private lent = 0;
  private flying = 0;
  private transfers = 0;
  private readonly budget: number;
  private favourite: Taker | undefined;
  private turnEnds = 0;
  private timer: NodeJS.Timeout | undefined;
  /** Until the slabs of the last transfers are given up. */
  private quiet: NodeJS.Timeout | undefined;

  constructor(
    /** What may be held for S3 and for clients at once. Bytes. */
    budget: number,
    /** Size of a part of an upload, and of a range of a download. Bytes. */
    readonly piece: number,
  ) {
    this.budget = Math.max(1, Math.floor(budget / SLAB));
  }

  /** Counts a transfer; the answer, called once, says that it is over. */
  enter(): () => void {
    this.transfers += 1;
    clearTimeout(this.quiet);
    return () => {
      this.transfers -= 1;
      if (this.transfers > 0) return;
      this.quiet = setTimeout(() => {
        for (const slab of this.idle.splice(KEPT)) free(slab);
      }, QUIET_MS).unref();
    };
  }

  /** How many slabs are lent. */
  get held(): number {
    return this.lent;
  }

  /** Whether there is too little for every transfer to fill one piece and send another. */
  get isScarce(): boolean {
    return 2 * this.transfers * this.piece > this.budget * SLAB;
  }

  /** What one transfer may hold where all hold as much; two slabs at least. Bytes. */
  get share(): number {
    return Math.max(2, Math.floor(this.budget / Math.max(1, this.transfers))) * SLAB;
  }

  /** How many parts of that size one upload may have under way to S3 now; at least one. */
  ahead(part: number): number {
    const share = Math.floor((this.budget * SLAB) / (part * Math.max(1, this.transfers)));
    return Math.max(1, Math.min(MOST_FLYING, share - 1));
  }

  /** A slab, also beyond the budget: the one that every transfer may have. */
  own(): Buffer {
    this.lent += 1;
    return this.idle.pop() ?? Buffer.allocUnsafeSlow(SLAB);
  }

  /** Slabs within the budget, or none of them. */
  spare(count: number): Buffer[] | undefined {
    if (this.waiting.length > 0 || this.lent + count > this.budget) return undefined;
    return Array.from({ length: count }, () => this.own());
  }

  /** One more slab for whoever has some; fulfilled when there is one. The signal ends the wait. */
  async take(taker: Taker, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    if (this.waiting.length === 0 && this.lent < this.budget) return this.own();
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter = {
        taker,
        grant: (slab: Buffer) => {
          signal.removeEventListener('abort', giveUp);
          resolve(slab);
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(waiter);
      this.serve();
    });
  }

  /** So many slabs are on their way to S3, and come back without anybody's doing. */
  fly(taker: Taker, slabs: number): void {
    this.flying += slabs;
    if (taker === this.favourite) this.favourite = undefined;
    this.serve();
  }

  land(slabs: number): void {
    this.flying -= slabs;
    this.serve();
  }

  /** Gives back what nobody reads or writes any more. */
  giveBack(slabs: readonly Buffer[]): void {
    this.lent -= slabs.length;
    for (const slab of slabs)
      if (this.idle.length < this.budget) this.idle.push(slab);
      else free(slab);
    this.serve();
  }

  private serve(): void {
    clearTimeout(this.timer);
    while (this.waiting.length > 0) {
      const next =
        this.waiting.find(({ taker }) => taker === this.favourite) ??
        this.waiting.reduce((one, other) => (other.taker.filled > one.taker.filled ? other : one));
      if (this.lent >= this.budget) {
        if (this.flying > this.budget * ENOUGH_FLYING) return;
        const now = performance.now();
        if (this.favourite && next.taker !== this.favourite && now < this.turnEnds) {
          this.timer = setTimeout(() => this.serve(), this.turnEnds - now);
          return;
        }
        this.favourite = next.taker;
        this.turnEnds = now + TURN_MS;
      }
      this.waiting.splice(this.waiting.indexOf(next), 1);
      next.grant(this.own());
    }
  }
}

/** Gives the memory back to the system at once, where Node can (22 and later); else with the next collection of garbage. */
function free({ buffer }: Buffer): void {
  (buffer as { transfer?(bytes: number): unknown }).transfer?.(0);
}
