/** Checks passwords in threads of their own, in fair turns, and refuses what it could not answer in time. */
import { timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as sleepNow } from 'node:timers/promises';
import type { ServerConfig } from '../../config';
import type { Busyness } from '../../limits/busyness';
import { clientKey } from '../../limits/client-key';
import { FairQueue } from '../../limits/fair-queue';
import { blankHash, parseHash } from '../password';
import { LocalSpentCodes, type SpentCodes } from '../spent-codes';
import type { PasswordAnswer, PasswordChecks, PasswordQuestion } from './checks';
import { HashThreads } from './threads';

/** More threads than that are of no use: what an honest login costs is remembered, and the memory of scrypt adds up. */
const MOST_THREADS_BY_ITSELF = 4;
/** However cheap a hash is. */
const MOST_WAITING = 2_000;
/**
 * While transfers keep the server busy, a thread rests after each hash, so many times as long as that took. A low priority alone still took two fifths from a
 * download: scrypt fills caches and the way to memory, which no priority shares out.
 */
const REST = 2;
const LONGEST_REST_MS = 1_000;
/** Until one was measured. Milliseconds. */
const FIRST_GUESS_MS = 200;

interface Waiting {
  readonly question: PasswordQuestion;
  readonly since: number;
  readonly answer: (answer: PasswordAnswer) => void;
}

export interface HashPoolParts {
  /** Waits, in milliseconds. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
  readonly threads?: Pick<HashThreads, 'most' | 'derive' | 'close'>;
  /** Whether transfers keep the server busy. */
  readonly busyness?: Pick<Busyness, 'isBusy'>;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** How many threads the settings mean. */
export function hashThreads({ hashThreads: most }: ServerConfig['passwords']): number {
  return most === 'auto' ? Math.min(availableParallelism(), MOST_THREADS_BY_ITSELF) : most;
}

export class HashPool implements PasswordChecks {
  private readonly threads: Pick<HashThreads, 'most' | 'derive' | 'close'>;
  private readonly busyness: Pick<Busyness, 'isBusy'>;
  private readonly now: () => number;
  private readonly rest: (tookMs: number) => Promise<unknown>;
  private readonly queue = new FairQueue<Waiting>();
  /** What one hash took lately, with the rest behind it. */
  private usualMs = FIRST_GUESS_MS;
  private hashing = 0;
  private readonly patienceMs: number;
  private readonly spent = new LocalSpentCodes();
  readonly spend: SpentCodes['spend'] = (user, step) => this.spent.spend(user, step);

  constructor(
    { passwords, limits }: Pick<ServerConfig, 'passwords' | 'limits'>,
    {
      threads = new HashThreads(hashThreads(passwords)),
      busyness = { isBusy: false },
      now = () => performance.now(),
      sleep = (milliseconds) => sleepNow(milliseconds, undefined, { ref: false }),
    }: HashPoolParts = {},
  ) {
    this.threads = threads;
    this.busyness = busyness;
    this.now = now;
    this.rest = (took) => sleep(Math.min(took * REST, LONGEST_REST_MS));
    // The other half is for the handshake before, and for the client to be told.
    this.patienceMs = (limits.loginSeconds * 1000) / 2;
  }

  check(question: PasswordQuestion): Promise<PasswordAnswer> {
    return new Promise((answer) => {
      this.queue.push({ question, since: this.now(), answer }, { lane: clientKey(question.address), isPreferred: question.isKnown });
      this.work();
      while (this.isTooLong) this.queue.dropLongest()?.answer('busy');
    });
  }

  async close(): Promise<void> {
    for (let left = this.queue.take(); left; left = this.queue.take()) left.answer('busy');
    await this.threads.close();
  }

  /** Threads that may hash now: half of them while transfers keep the server busy. */
  private get most(): number {
    return this.busyness.isBusy ? Math.ceil(this.threads.most / 2) : this.threads.most;
  }

  /** Whether the last one would wait longer than is left to it. */
  private get isTooLong(): boolean {
    return this.queue.size > MOST_WAITING || this.queue.size * this.usualMs > this.patienceMs * this.most;
  }

  private work(): void {
    while (this.hashing < this.most) {
      const next = this.queue.take();
      if (!next) return;
      if (this.now() - next.since > this.patienceMs) next.answer('busy');
      else void this.decide(next);
    }
  }

  private async decide({ question: { password, phc, isUnknown }, answer }: Waiting): Promise<void> {
    const begin = this.now();
    this.hashing += 1;
    try {
      const hash = (phc === undefined ? undefined : parseHash(phc)) ?? blankHash();
      const key = await this.threads.derive(hash, password);
      const isRight = timingSafeEqual(key, hash.key);
      answer(isRight && !isUnknown ? 'right' : 'wrong');
    } catch {
      answer('busy');
    }
    if (this.busyness.isBusy) await this.rest(this.now() - begin);
    this.hashing -= 1;
    this.usualMs += (this.now() - begin - this.usualMs) / 8;
    this.work();
  }
}
