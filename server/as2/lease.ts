/**
 * Who of several processes, on any instance, does what is to be done once: it holds a lease that it renews. A lease is a note with a number; who finds the
 * last one out of date makes the next, and of several who try one gets it. Whoever stalls for longer than his lease finds a later one, and lets go.
 */
import { randomUUID } from 'node:crypto';
import type { Notes } from '../files/files';

const FOLDER = 'as2/lease';
/** A process that dies keeps the next one waiting that long. */
const LEASE_MS = 20_000;
const RENEW_MS = 5_000;

interface Term {
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export class Lease {
  private readonly holder = randomUUID();
  private number = 0;
  private timer: NodeJS.Timeout | undefined;
  private isClosing = false;
  private trying: Promise<void> = Promise.resolve();
  private until = 0;

  /** `changed`: called when the lease was got, or lost. */
  constructor(
    private readonly notes: Notes,
    private readonly changed: (isHeld: boolean) => void,
    private readonly times: { readonly leaseMs: number; readonly renewMs: number } = { leaseMs: LEASE_MS, renewMs: RENEW_MS },
  ) {}

  /** Whether it is held now, whatever has stalled meanwhile. */
  get isHeld(): boolean {
    return Date.now() < this.until;
  }

  async start(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => {
      this.trying = this.trying.then(() => this.look());
    }, this.times.renewMs).unref();
  }

  /** Gives it back, so that another process need not wait. */
  async close(): Promise<void> {
    this.isClosing = true;
    clearInterval(this.timer);
    await this.trying;
    if (!this.isHeld) return;
    this.until = 0;
    await this.notes.replace(noteOf(this.number), JSON.stringify({ holder: this.holder, until: 0 } satisfies Term)).catch(() => {}); // it runs out by itself
  }

  private async look(): Promise<void> {
    if (this.isClosing) return;
    const was = this.until !== 0;
    try {
      const last = await this.last();
      if (was && last === this.number) await this.hold();
      else if (last === 0 || (await this.isOver(last))) await this.take(last);
      else this.until = 0;
    } catch {
      // The storage does not answer: what is held runs out by itself.
      if (!this.isHeld) this.until = 0;
    }
    const is = this.until !== 0;
    if (was !== is) this.changed(is);
  }

  private async hold(): Promise<void> {
    const until = Date.now() + this.times.leaseMs;
    await this.notes.replace(noteOf(this.number), JSON.stringify({ holder: this.holder, until } satisfies Term));
    this.until = until;
  }

  private async take(last: number): Promise<void> {
    const until = Date.now() + this.times.leaseMs;
    const isMine = await this.notes.create(noteOf(last + 1), JSON.stringify({ holder: this.holder, until } satisfies Term));
    this.until = isMine ? until : 0;
    if (!isMine) return;
    this.number = last + 1;
    if (last > 0) await this.notes.remove(noteOf(last));
  }

  private async isOver(number: number): Promise<boolean> {
    const text = await this.notes.read(noteOf(number));
    return text !== undefined && (JSON.parse(text) as Term).until <= Date.now();
  }

  private async last(): Promise<number> {
    let last = 0;
    for (const name of await this.notes.list(FOLDER)) last = Math.max(last, Number.parseInt(name, 10) || 0);
    return last;
  }
}

function noteOf(number: number): string {
  return `${FOLDER}/${String(number).padStart(12, '0')}`;
}
