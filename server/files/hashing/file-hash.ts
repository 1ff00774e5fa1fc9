/**
 * The hash of a file, made while it moves, in a thread beside the one that encrypts and decrypts: SHA-256 takes half as long as everything else of a
 * large upload together.
 */
import { Worker } from 'node:worker_threads';
import { hashOf } from '../../text/hash-of';
import code from './digest.thread.js';

/** Up to so many bytes a file is hashed where it is: to hand it over would take as long. */
const SMALL = 64 * 1024;

/** The pieces lie outside of its heap. */
const HEAP = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

interface Answer {
  readonly id: number;
  readonly digest?: string;
}

/** One for the process, from the first file that is not small. */
let thread: Worker | undefined;
/** By the file's id, who waits for an answer, in the order in which they asked. */
const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }[]>();
let ids = 0;

function start(): Worker {
  const started = new Worker(code, { eval: true, name: 'hashes', resourceLimits: HEAP, execArgv: [], stdin: false });
  const lost = (error?: unknown) => {
    if (thread !== started) return;
    thread = undefined; // the next file has another one
    const all = [...waiting.values()].flat();
    waiting.clear();
    for (const { reject } of all) reject(error instanceof Error ? error : new Error('The thread that hashes files has ended'));
  };
  started.on('message', (answer: Answer) => {
    const askers = waiting.get(answer.id);
    const one = askers?.shift();
    if (askers?.length === 0) waiting.delete(answer.id);
    one?.resolve(answer);
  });
  started.on('error', lost).on('exit', lost);
  started.unref();
  return started;
}

export class FileHash {
  private readonly id = ids++;
  /** What came before it was known whether the file is small. */
  private small: Buffer[] = [];
  private bytes = 0;
  /** The thread that has begun with this file. */
  private by: Worker | undefined;

  constructor(private readonly algorithm: 'sha256' | 'sha384' | 'sha512') {}

  /**
   * Takes the next bytes; those before need not have been looked at. Fulfilled when these have been: until then they must not change. Those of the first 64 KiB must not
   * change before the digest. Without copying where the chunks lie in shared memory.
   */
  async update(chunks: readonly Buffer[]): Promise<void> {
    for (const { length } of chunks) this.bytes += length;
    if (this.bytes <= SMALL) {
      this.small.push(...chunks);
      return;
    }
    const all = [...this.small, ...chunks];
    this.small = [];
    if (!this.by) {
      thread ??= start();
      this.by = thread;
    }
    // Of what is not shared the whole buffer would be copied, however little of it is meant.
    const views = all.map((chunk) => (chunk.buffer instanceof SharedArrayBuffer || chunk.length === chunk.buffer.byteLength ? chunk : Uint8Array.from(chunk)));
    await this.ask({ id: this.id, algorithm: this.algorithm, chunks: views });
  }

  /** In hexadecimal digits. */
  async digest(): Promise<string> {
    if (this.by) return (await this.ask({ id: this.id, end: true })).digest!;
    return hashOf(this.algorithm, this.small.length === 1 ? this.small[0]! : Buffer.concat(this.small));
  }

  /** Forgets the file. */
  abandon(): void {
    this.small = [];
    this.by?.postMessage({ id: this.id });
  }

  private ask(message: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.by !== thread || !this.by) return reject(new Error('The thread that hashes files has ended'));
      const askers = waiting.get(this.id);
      if (askers) askers.push({ resolve, reject });
      else waiting.set(this.id, [{ resolve, reject }]);
      this.by.postMessage(message);
    });
  }
}
