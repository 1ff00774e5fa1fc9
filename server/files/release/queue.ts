/** Runs what is added in order, some at once. */
export class Queue {
  private readonly waiting: (() => Promise<void>)[] = [];
  private running = 0;
  private readonly whenIdle: (() => void)[] = [];

  constructor(private readonly atOnce: number) {}

  /** `task` must not fail. */
  add(task: () => Promise<void>): void {
    this.waiting.push(task);
    this.next();
  }

  /** Fulfilled when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.running === 0 ? Promise.resolve() : new Promise((resolve) => this.whenIdle.push(resolve));
  }

  private next(): void {
    while (this.running < this.atOnce) {
      const task = this.waiting.shift();
      if (!task) break;
      this.running += 1;
      void task().finally(() => {
        this.running -= 1;
        this.next();
      });
    }
    if (this.running === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
  }
}
