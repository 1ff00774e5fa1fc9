/**
 * What one connection may take of the event loop before everybody else has a turn. A few kilobytes can hold thousands of packets or requests; without a
 * bound on time, whoever sends them keeps all others waiting for as long as they last.
 */

/** What a connection does in a row. Milliseconds. */
const LONGEST_MS = 1;

/** Counts turns of the event loop as long as somebody asks. */
let turn = 0;
let isCounting = false;
function thisTurn(): number {
  if (!isCounting) {
    isCounting = true;
    setImmediate(() => {
      isCounting = false;
      turn += 1;
    });
  }
  return turn;
}

/** Who goes on later, one in each turn: between two of them, what has come for others is read. */
const waiting: (() => void)[] = [];
function goOnLater(goOn: () => void): void {
  waiting.push(goOn);
  if (waiting.length === 1) setImmediate(next);
}
function next(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(next);
}

/** One for each connection. */
export class Slice {
  private turn = -1;
  private begin = 0;

  /** Whether the connection has had its part of this turn. */
  get isUsedUp(): boolean {
    const now = performance.now();
    if (this.turn !== thisTurn()) {
      this.turn = turn;
      this.begin = now;
    }
    return now - this.begin > LONGEST_MS;
  }

  /** Fulfilled in a later turn, when those who have waited longer have had theirs. */
  next(): Promise<void> {
    return new Promise(goOnLater);
  }
}
