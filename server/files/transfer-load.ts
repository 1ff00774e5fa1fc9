/** Whether transfers have to share what there is to run on: then who has not logged in yet is served at a pace (`Newcomers`), and fewer passwords are hashed. */
import type { Busyness } from '../limits/busyness';
import { Pressure } from './pressure';
import type { Progress } from './progress';

/** How often it is looked at while transfers run. */
const LOOK_MS = 50;
/** The share in use of the event loop or of all processors at which newcomers begin to wait, and the one below which they no longer do. */
const BUSY = { from: 0.8, until: 0.5 };
/** What transfers move at least to count, in bytes between two looks: 10 MB/s. Less costs the event loop nearly nothing, however many they are. */
const MUCH = (10_000_000 * LOOK_MS) / 1000;
/** Looks that find nothing before it is believed: a client takes a breath between two files. */
const LOOKS_UNTIL_QUIET = 4;

export class TransferLoad {
  private readonly running = new Set<Progress>();
  /** Moved since the last look by transfers that are over. */
  private moved = 0;
  /** What those that run had moved at the last look. */
  private seen = 0;
  private quiet = 0;
  private isBusy = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly busyness: Busyness,
    private readonly pressure: Pick<Pressure, 'sample'> = new Pressure(),
  ) {}

  /** Notes a transfer that begins; the returned function, called once, that it is over. */
  add(progress: Progress): () => void {
    this.running.add(progress);
    if (!this.timer) {
      this.pressure.sample();
      this.timer = setInterval(() => this.look(), LOOK_MS).unref();
    }
    return () => {
      this.running.delete(progress);
      this.moved += progress.bytes;
    };
  }

  private look(): void {
    let sum = this.moved;
    for (const { bytes } of this.running) sum += bytes;
    const moved = sum - this.seen;
    this.seen = sum - this.moved;
    this.moved = 0;
    const pressure = this.pressure.sample();
    this.quiet = moved >= MUCH && pressure >= (this.isBusy ? BUSY.until : BUSY.from) ? 0 : this.quiet + 1;
    this.conclude(this.quiet === 0 || (this.isBusy && this.quiet < LOOKS_UNTIL_QUIET));
    if (this.running.size > 0 || this.isBusy) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private conclude(isBusy: boolean): void {
    if (isBusy === this.isBusy) return;
    this.isBusy = isBusy;
    this.busyness.found(isBusy);
  }
}
