/** Maps that strangers fill: an attacker with a million addresses or names pushes out the oldest. */

const MOST = 100_000;

/** Puts an entry last, and drops the first where there are too many. */
export function remember<T>(entries: Map<string, T>, key: string, value: T, most = MOST): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= most) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    break;
  }
}
