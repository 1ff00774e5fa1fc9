/** Sorts what may be long, without keeping the event loop from others for as long as that takes. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Compared and moved in one turn: a millisecond or two. */
const RUN = 1_000;

export type Compare<T> = (one: T, other: T) => number;

/** Stable, as `sort` is. */
export async function sortedInTurns<T>(all: readonly T[], compare: Compare<T>): Promise<readonly T[]> {
  let runs: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += RUN) {
    if (at > 0) await nextTurn();
    runs.push(all.slice(at, at + RUN).sort(compare));
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(await mergedInTurns(runs[at]!, runs[at + 1] ?? [], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergedInTurns<T>(one: readonly T[], other: readonly T[], compare: Compare<T>): Promise<readonly T[]> {
  if (other.length === 0) return one;
  const all: T[] = [];
  for (let first = 0, second = 0; all.length < one.length + other.length; ) {
    const isFirst = second === other.length || (first < one.length && compare(one[first]!, other[second]!) <= 0);
    all.push(isFirst ? one[first++]! : other[second++]!);
    if (all.length % RUN === 0) await nextTurn();
  }
  return all;
}
