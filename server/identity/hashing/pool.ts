/** Checks passwords in threads of their own, in fair turns, and refuses what it could not answer in time. */
import { timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ServerConfig } from '../../config';
import { clientKey } from '../../limits/client-key';
import { blankHash, parseHash } from '../password';
import type { PasswordAnswer, PasswordChecks, PasswordQuestion } from './checks';
import { FairQueue } from './fair-queue';
import { HashThreads } from './threads';

/** More threads than that are of no use: what an honest login costs is remembered, and the memory of scrypt adds up. */
const MOST_THREADS_BY_ITSELF = 4;
/** However cheap a hash is. */
const MOST_WAITING = 2_000;
/** Until one was measured. Milliseconds. */
const FIRST_GUESS_MS = 200;

interface Waiting {
  readonly question: PasswordQuestion;
  readonly since: number;
  readonly answer: (answer: PasswordAnswer) => void;
}

/** How many threads the settings mean. */
export function hashThreads({ hashThreads: most }: ServerConfig['passwords']): number {
  return most === 'auto' ? Math.min(availableParallelism(), MOST_THREADS_BY_ITSELF) : most;
}

export class HashPool implements PasswordChecks {
  private readonly threads: Pick<HashThreads, 'most' | 'hasFree' | 'derive' | 'close'>;
  private readonly queue = new FairQueue<Waiting>();
  /** What one hash took lately. */
  private usualMs = FIRST_GUESS_MS;
  private readonly patienceMs: number;

  constructor(
    { passwords, limits }: Pick<ServerConfig, 'passwords' | 'limits'>,
    threads?: Pick<HashThreads, 'most' | 'hasFree' | 'derive' | 'close'>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.threads = threads ?? new HashThreads(hashThreads(passwords));
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

  /** Whether the last one would wait longer than is left to it. */
  private get isTooLong(): boolean {
    return this.queue.size > MOST_WAITING || this.queue.size * this.usualMs > this.patienceMs * this.threads.most;
  }

  private work(): void {
    while (this.threads.hasFree) {
      const next = this.queue.take();
      if (!next) return;
      if (this.now() - next.since > this.patienceMs) next.answer('busy');
      else void this.decide(next);
    }
  }

  private async decide({ question: { password, phc, isUnknown }, answer }: Waiting): Promise<void> {
    const begin = this.now();
    try {
      const hash = (phc === undefined ? undefined : parseHash(phc)) ?? blankHash();
      const key = await this.threads.derive(hash, password);
      const isRight = timingSafeEqual(key, hash.key);
      answer(isRight && !isUnknown ? 'right' : 'wrong');
    } catch {
      answer('busy');
    }
    this.usualMs += (this.now() - begin - this.usualMs) / 8;
    this.work();
  }
}
