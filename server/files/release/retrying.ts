/** What waits to be handed to somebody, by its names: tried again and again, at longer and longer waits while nothing is taken. */

const FIRST_WAIT_MS = 1_000;

export abstract class Retrying {
  protected readonly waiting: string[] = [];
  private running: Promise<void> | undefined;
  private failures = 0;
  private hurry: (() => void) | undefined;
  private closing = false;

  constructor(
    private readonly longestWaitMs: number,
    /** Told when nothing begins to be taken, and when something is again. */
    private readonly state: (state: 'up' | 'down', why?: string) => void,
  ) {}

  get size(): number {
    return this.waiting.length;
  }

  add(...names: readonly string[]): void {
    this.waiting.push(...names);
    if (this.waiting.length === 0 || this.closing) return;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      this.add(); // what came while it ended
    });
  }

  /** Goes on as long as something is taken, and answers with what is left and why. */
  async close(): Promise<{ readonly left: readonly string[]; readonly why: string | undefined }> {
    this.closing = true;
    this.hurry?.();
    await this.running;
    let why: string | undefined;
    while (this.waiting.length > 0 && why === undefined) why = await this.round();
    return { left: this.waiting, why };
  }

  /** Hands over some of those that wait. Answers, by `ended`, why the next round has to wait, if it has. Never throws. */
  protected abstract round(): Promise<string | undefined>;

  /** What a round came to, noted and told. */
  protected ended(why: string | undefined): string | undefined {
    if (why === undefined && this.failures > 0) this.state('up');
    if (why !== undefined && this.failures === 0) this.state('down', why);
    this.failures = why === undefined ? 0 : this.failures + 1;
    return why;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0 && !this.closing) {
      if ((await this.round()) === undefined || this.closing) continue;
      const wait = Math.min(this.longestWaitMs, FIRST_WAIT_MS * 2 ** Math.min(this.failures - 1, 10));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait * (0.5 + Math.random() / 2)).unref();
        this.hurry = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
