/** One line on a terminal that says how far long work is, and is gone when it is over. Files, pipes and logs never see it. */

const EVERY_MS = 100;
const CLEAR = '\r\u001b[2K';

/** The part of a stream that is used. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class ProgressLine {
  private shownAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly terminal: Terminal = process.stderr) {}

  /** Shows how far it is, ten times a second at most; `text` is only called when it is shown. */
  show(text: () => string): void {
    const now = performance.now();
    if (!this.terminal.isTTY || now - this.shownAt < EVERY_MS) return;
    this.shownAt = now;
    this.terminal.write(`${CLEAR}${text().slice(0, (this.terminal.columns ?? 80) - 1)}`);
  }

  /** Takes the line away, before anything else is written. */
  clear(): void {
    if (this.shownAt === Number.NEGATIVE_INFINITY) return;
    this.shownAt = Number.NEGATIVE_INFINITY;
    this.terminal.write(CLEAR);
  }
}

/** `████████░░░░  66 %` */
export function bar(done: number, total: number, width = 24): string {
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.round(part * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(part * 100)).padStart(3)} %`;
}
