/**
 * When somebody who has not logged in yet gets what costs the event loop most: a session, and a TLS handshake with its signature. One after the other,
 * with a turn of the event loop for everybody else after each; while transfers keep the server busy, a share of the time and no more. Addresses take
 * turns, so that nobody fills the queue alone.
 */

import type { Busyness } from './busyness';
import { clientKey } from './client-key';
import { FairQueue } from './fair-queue';
import { remember } from './remember';

/** The part of the event loop's time that newcomers have while transfers keep the server busy. */
const SHARE = 1 / 10;
/** A step and what follows from it (the rest of the handshake, password, audit, goodbye), to what can be measured of it. */
const WHOLE = 4;
/** The longest wait between two steps, however long the first seemed to take: a thread that did not run at all must not look like work. */
const LONGEST_MS = 50;

export class Newcomers {
  private readonly queue = new FairQueue<() => void>();
  private readonly known = new Map<string, true>();
  private isServing = false;

  constructor(private readonly busyness: Pick<Busyness, 'isBusy'>) {}

  /** Fulfilled when it is this address's turn. What is to be done then begins at once. */
  turn(address: string): Promise<void> {
    const lane = clientKey(address);
    return new Promise((resolve) => {
      this.queue.push(resolve, { lane, isPreferred: this.known.has(lane) });
      if (!this.isServing) void this.serve();
    });
  }

  /** Somebody has logged in from this address: it comes before those from where nobody has. */
  hasLoggedIn(address: string): void {
    remember(this.known, clientKey(address), true);
  }

  private async serve(): Promise<void> {
    this.isServing = true;
    for (let next = this.queue.take(); next; next = this.queue.take()) {
      const spent = await inOneTurn(next);
      if (this.busyness.isBusy) await pause(spent * WHOLE * (1 / SHARE - 1));
    }
    this.isServing = false;
  }
}

/** Lets somebody go on in a turn of the event loop. Answers how long he kept it, in milliseconds. */
function inOneTurn(goOn: () => void): Promise<number> {
  return new Promise((resolve) => {
    let begin = 0;
    setImmediate(() => {
      begin = performance.now();
      goOn();
    });
    // What goes on does so before the next of the same turn.
    setImmediate(() => resolve(performance.now() - begin));
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, LONGEST_MS)));
}
