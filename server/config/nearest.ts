/** The name that somebody will have meant: a list of names, and one that is not on it. */

/** The one name of a list that is nearest, undefined where none is near. Upper and lower case are the same. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const asked = name.slice(0, 64).toLowerCase(); // of an attacker's length, too
  const rated = known.map((one) => ({ one, edits: edits(asked, one.toLowerCase()), shares: shares(asked, one.toLowerCase()) }));
  const [best] = rated.filter(({ one, edits, shares }) => shares || edits <= Math.max(1, Math.floor(one.length / 3))).sort((a, b) => a.edits - b.edits);
  return best?.one;
}

/** Whether they begin alike for four letters or more and a third of the word, as `idleTimeout` and `idleSeconds` do. */
function shares(left: string, right: string): boolean {
  let length = 0;
  while (length < Math.min(left.length, right.length) && left[length] === right[length]) length++;
  return length >= 4 && length * 3 >= right.length;
}

/** Levenshtein's distance. */
function edits(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 0; at < left.length; at++) {
    const next = [at + 1];
    for (let to = 0; to < right.length; to++) next.push(Math.min(row[to + 1]! + 1, next[to]! + 1, row[to]! + (left[at] === right[to] ? 0 : 1)));
    row = next;
  }
  return row[right.length]!;
}
