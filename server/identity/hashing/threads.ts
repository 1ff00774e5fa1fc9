/** A few threads that do nothing but hash passwords, below everything else in priority: the thread pool of Node is for files. */
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Hash, MOST_SCRYPT_MEMORY } from '../password';
import code from './derive.thread.js';

/**
 * As nice(1) has it, below the rest of the process. Beside one thread that takes all of a processor, hashing gets a seventh of it (sched(7), "The nice
 * value"): transfers lose little, and a login that comes for the first time still gets through in seconds.
 */
const NICE = 8;
/** A thread holds one password at a time; what scrypt needs lies outside of its heap. */
const HEAP = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

export class HashThreads {
  private readonly idle: Worker[] = [];
  private readonly all = new Set<Worker>();

  constructor(readonly most: number) {}

  /** Derives the key of a password in a thread that is free, or a new one: `most` at once is the caller's to keep. Rejected where the thread is lost. */
  async derive(hash: Hash, password: string): Promise<Buffer> {
    const thread = this.idle.pop() ?? this.start();
    const key = await new Promise<Buffer>((resolve, reject) => {
      const done = (message: Uint8Array) => {
        thread.off('error', lost).off('exit', lost);
        resolve(Buffer.from(message));
      };
      const lost = (error: unknown) => {
        thread.off('message', done);
        reject(error instanceof Error ? error : new Error('a thread that hashes passwords has ended'));
      };
      thread.once('message', done).once('error', lost).once('exit', lost);
      const { key: _, ...parameters } = hash;
      thread.postMessage({ hash: { ...parameters, bytes: hash.key.length }, password, maxmem: 2 * MOST_SCRYPT_MEMORY });
    });
    this.idle.push(thread);
    return key;
  }

  async close(): Promise<void> {
    await Promise.all([...this.all].map((thread) => thread.terminate()));
  }

  private start(): Worker {
    const thread = new Worker(code, {
      eval: true,
      name: 'passwords',
      workerData: { nice: Math.min(19, getPriority() + NICE) },
      resourceLimits: HEAP,
      execArgv: [],
      stdin: false,
    });
    this.all.add(thread);
    thread.once('exit', () => {
      this.all.delete(thread);
      const at = this.idle.indexOf(thread);
      if (at >= 0) this.idle.splice(at, 1);
    });
    thread.on('error', () => {}); // who waits for it is told; it is replaced by the next
    thread.unref();
    return thread;
  }
}
