/**
 * One `nft -i` kept open, which saves starting it for every change. What is asked for while it works goes into its next
 * transaction together.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** nft is silent about success, so every transaction is followed by a question that has an answer on one line. */
const QUESTION = 'describe tcp dport';
const ANSWER = 'payload expression';

/** The most changes in one transaction; they stand on one line. */
const MOST_TOGETHER = 64;
/** nft remembers every line that it was given, so it is replaced after so many. */
const MOST_TRANSACTIONS = 20_000;

interface Change {
  readonly text: string;
  readonly subject: string | undefined;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

export class Nft {
  private process: ChildProcess | undefined;
  private transactions = 0;
  private readonly waiting: Change[] = [];
  private running: Change[] = [];
  private complaints: string[] = [];

  /**
   * Makes the change, together with others that wait. Of several that wait for one subject (an element of a set) only the last is made:
   * the kernel takes an element in and out of a set only so often in one transaction. A change without a subject has a transaction of
   * its own. Throws an Error with nft's words where the change can't be made.
   */
  run(text: string, subject?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ text, subject, done: resolve, failed: reject });
      this.next();
    });
  }

  close(): void {
    this.process?.stdin?.end();
  }

  private next(): void {
    if (this.running.length > 0 || this.waiting.length === 0) return;
    const alone = this.waiting.slice(0, MOST_TOGETHER).findIndex(({ subject }) => subject === undefined);
    this.running = this.waiting.splice(0, alone === 0 ? 1 : alone > 0 ? alone : MOST_TOGETHER);
    this.complaints = [];
    this.transactions += 1;
    this.process ??= this.start();
    const last = new Map(this.running.map(({ subject, text }) => [subject, text]));
    this.process.stdin?.write(`${[...last.values()].join('; ')}\n${QUESTION}\n`);
  }

  private start(): ChildProcess {
    this.transactions = 0;
    // One pipe for both outputs keeps them in order. No home: nft would keep a history of its lines there.
    const process = spawn('/bin/sh', ['-c', 'exec nft -i 2>&1'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/nonexistent', LC_ALL: 'C' },
    });
    process.stdin.on('error', () => {}); // `close` follows
    createInterface({ input: process.stdout }).on('line', (line) => {
      if (line.includes(ANSWER)) this.settle();
      else if (/^(\w+: )?Error: |not found/.test(line)) this.complaints.push(line);
    });
    process.once('close', () => this.ended(process));
    return process;
  }

  private settle(): void {
    const { running, complaints } = this;
    this.running = [];
    if (this.transactions >= MOST_TRANSACTIONS) this.retire();
    for (const { done, failed } of running) {
      if (complaints.length === 0) done();
      else failed(new Error(complaints.join(' ')));
    }
    this.next();
  }

  private retire(): void {
    this.process?.stdin?.end();
    this.process = undefined;
  }

  private ended(process: ChildProcess): void {
    if (process !== this.process) return;
    this.process = undefined;
    const { running } = this;
    this.running = [];
    for (const { failed } of running) failed(new Error(this.complaints.join(' ') || 'nft ended'));
    this.next();
  }
}
