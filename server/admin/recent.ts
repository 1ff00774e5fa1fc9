/** The last lines of the audit, for somebody who looks. They are kept as they were written, and read only when they are asked for. */
import type { AuditLine } from '../audit/schema';
import type { Target } from '../audit/target';

/** Characters kept, in whole writes: some hundred lines. */
const MOST = 256 * 1024;

export class RecentLines {
  private writes: string[] = [];
  private length = 0;

  /** Remembers what is written to the target. */
  beside(target: Target): Target {
    return {
      write: async (text) => {
        await target.write(text);
        this.keep(text);
      },
      reopen: () => target.reopen(),
      close: () => target.close(),
    };
  }

  /** The newest first. */
  last(count: number): AuditLine[] {
    const lines = this.writes.join('').split('\n').filter(Boolean);
    return lines
      .slice(-count)
      .reverse()
      .map((line) => JSON.parse(line));
  }

  private keep(text: string): void {
    this.writes.push(text);
    this.length += text.length;
    while (this.writes.length > 1 && this.length > MOST) this.length -= this.writes.shift()!.length;
  }
}
