/**
 * The strict order of a session's commands: they run one at a time; while a transfer runs, only those that may be heard then are taken out of the
 * queue.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunningTransfer } from '../../sessions/session';
import type { ControlChannel } from './channel';
import type { Line } from './line-reader';
import { parseCommand } from './parse-command';

/** A client that pipelines more than this waits until its commands are worked off. */
const MOST_QUEUED = 64;

/** So many commands of a session run one behind the other before everybody else has a turn of the event loop: a packet can have thousands. */
const MOST_IN_A_ROW = 4;
/** What comes so soon after a command that works for long was sent without waiting for its reply. Seconds. */
const SENT_ALONG_SECONDS = 1;

/** Whose commands they are. */
export interface Worked {
  /** The transfer that is running. */
  readonly transfer: RunningTransfer | undefined;
  /** Whether the connection has gone. */
  readonly ended: boolean;
  /** Runs what a line says, replies and all. Never rejected. */
  execute(line: Line): Promise<void>;
  /** Whether a command is heard while a transfer runs. */
  hearsDuringTransfer(name: string): boolean;
}

export class CommandQueue {
  private readonly waiting: Line[] = [];
  /** What was sent along with a command that works for long: its replies keep their order, as clients that send ahead count on it. */
  private readonly sentAlong = new WeakSet<Line>();
  private working = false;
  /** Set while commands are heard beside a transfer. */
  private hearing: Promise<void> | undefined;

  constructor(
    private readonly session: Worked,
    private readonly channel: Pick<ControlChannel, 'pause' | 'resume' | 'more'>,
  ) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Lines that have come. */
  take(lines: readonly Line[]): void {
    this.waiting.push(...lines);
    const { transfer } = this.session;
    if (transfer?.needsNoData && transfer.progress.seconds < SENT_ALONG_SECONDS) for (const line of lines) this.sentAlong.add(line);
    if (this.waiting.length >= MOST_QUEUED) this.channel.pause();
    if (!this.working) void this.work();
    else if (transfer) this.hearDuringTransfer();
  }

  /** A transfer has begun: what the client has sent ahead and may be heard during it is heard now. */
  transferBegins(transfer: RunningTransfer): void {
    if (transfer.needsNoData) for (const line of this.waiting) this.sentAlong.add(line);
    this.hearDuringTransfer();
  }

  /** Forgets what has come. */
  clear(): void {
    this.waiting.length = 0;
  }

  private async work(): Promise<void> {
    this.working = true;
    let inARow = 0;
    for (let line = this.waiting.shift(); line && !this.session.ended; line = this.waiting.shift()) {
      await this.session.execute(line);
      if (++inARow % MOST_IN_A_ROW === 0) await nextTurn();
      await this.hearing; // ABOR replies after the transfer it ended, and before the next command
      if (this.waiting.length <= MOST_QUEUED / 2 && !this.session.ended) this.readOn();
    }
    this.working = false;
  }

  private readOn(): void {
    const more = this.channel.more();
    if (more.length > 0) this.waiting.push(...more);
    else this.channel.resume();
  }

  /** ABOR, STAT and NOOP don't wait for the transfer; anything else keeps its place in the queue. */
  private hearDuringTransfer(): void {
    this.hearing ??= this.hear().finally(() => {
      this.hearing = undefined;
    });
  }

  private async hear(): Promise<void> {
    while (this.session.transfer && this.waiting.length > 0) {
      const [next] = this.waiting;
      const parsed = next?.kind === 'line' ? parseCommand(next.text) : undefined;
      if (!parsed || !this.session.hearsDuringTransfer(parsed.name)) break;
      // ABOR ends what it waits for, so that its reply keeps its order by itself.
      if (this.session.transfer.needsNoData && parsed.name !== 'ABOR' && this.sentAlong.has(next!)) break;
      this.waiting.shift();
      await this.session.execute(next!);
    }
  }
}
