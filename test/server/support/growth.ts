/**
 * How work grows with its input. What a stranger can make expensive by a longer input must cost in proportion to it, or a few kilobytes
 * stall everybody. Not speed is measured but a ratio of two times taken side by side, each the least of several, and of the processor's time alone, so that
 * a busy machine only makes it take longer to be sure.
 */

/** Times that the longer input is as long. In proportion the ratio is about this; with the square, its square. */
const LONGER = 16;
/** Half-way between both on the scale of powers. */
const MOST_RATIO = LONGER ** 1.5;
const MOST_ROUNDS = 40;

export interface Growth {
  /** Length of the shorter input, long enough to be measured. */
  readonly from: number;
  /** Work on an input of that length: prepared first, so that only the work is timed. */
  readonly work: (length: number) => () => unknown;
}

/** What is wrong with the growth, in words, or undefined where the work grows in proportion to its input. */
export function growsTooFast({ from, work }: Growth): string | undefined {
  const [short, long] = [work(from), work(from * LONGER)];
  const least = { short: Number.POSITIVE_INFINITY, long: Number.POSITIVE_INFINITY };
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    least.short = Math.min(least.short, timed(short));
    least.long = Math.min(least.long, timed(long));
    if (round >= 4 && least.long <= least.short * MOST_RATIO) return undefined;
    if (least.long > 2_000) break; // nothing in proportion takes seconds here
  }
  return `${LONGER} times the input takes ${Math.round(least.long / least.short)} times as long (${least.short.toFixed(2)} and ${least.long.toFixed(2)} ms)`;
}

/** Milliseconds that processors work at it. */
function timed(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
