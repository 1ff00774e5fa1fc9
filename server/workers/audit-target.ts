/** The audit's lines of a worker on their way to the primary, which writes them. */
import type { Target } from '../audit/target';
import type { Link } from './link';
import type { PrimaryMethods } from './methods';

/** So many characters of lines are handed over without an answer: each answer wakes this process once more, which costs as much as the lines. */
const MOST_UNANSWERED = 64 * 1024;

/** The primary writes lines in the order in which they come, and takes all workers down by itself when it can't. So an answer to some is one to all before. */
export class AuditTarget implements Target {
  private unanswered = 0;

  constructor(private readonly primary: Pick<Link<PrimaryMethods>, 'call' | 'tell'>) {}

  /** Fulfilled when the lines are handed over; once there are many, when these and all before are written. */
  async write(lines: string): Promise<void> {
    this.unanswered += lines.length;
    if (this.unanswered > MOST_UNANSWERED) await this.ask(lines);
    else this.primary.tell('writeAudit', lines);
  }

  async settled(): Promise<void> {
    if (this.unanswered > 0) await this.ask('');
  }

  async reopen(): Promise<void> {}

  async close(): Promise<void> {}

  private async ask(lines: string): Promise<void> {
    this.unanswered = 0;
    await this.primary.call('writeAudit', lines);
  }
}
