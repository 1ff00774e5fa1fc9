/** The transfers of a session whose protocol has several at once. */
import type { RunningTransfer, TransferProgress } from './session';

export class RunningTransfers {
  private readonly running = new Set<RunningTransfer>();

  /** The one that has run longest. */
  get first(): RunningTransfer | undefined {
    return this.running.values().next().value;
  }

  /** Says that something is being done; the returned function that it is over. */
  begins(command: string, path: string, progress: TransferProgress): () => void {
    let over!: () => void;
    const done = new Promise<void>((resolve) => {
      over = resolve;
    });
    const transfer = { command, path, progress, done };
    this.running.add(transfer);
    return () => {
      this.running.delete(transfer);
      over();
    };
  }

  abort(): void {
    for (const { progress } of this.running) progress.abort();
  }

  /** Fulfilled when none is left. */
  async over(): Promise<void> {
    while (this.first) await this.first.done;
  }
}
