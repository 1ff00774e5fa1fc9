/** Whoever writes a piece and whoever hashes it do not wait for each other, and nothing is told before both are done with all of them. */
import { createHash, randomBytes } from 'node:crypto';
import { sharedPieces } from '../../../server/files/buffers';
import { takeAll } from '../../../server/files/intake';
import { Progress } from '../../../server/files/progress';
import type { Sink, Source } from '../../../server/files/source';
import type { WriteHandle } from '../../../server/files/storage/storage';
import type { Pace } from '../../../server/limits/bandwidth';

const MIB = 1024 * 1024;

/** A source that gives what it has as long as it is let. */
class Given implements Source {
  sink!: Sink;
  at = 0;
  paused = false;
  isGone: boolean | undefined;

  constructor(readonly content: Buffer) {}

  flowInto(sink: Sink): void {
    this.sink = sink;
    this.resume();
  }

  resume(): void {
    this.paused = false;
    while (!this.paused && this.at < this.content.length) {
      const bytes = this.content.copy(this.sink.space(), 0, this.at, this.at + 16_384);
      this.at += bytes;
      this.paused = !this.sink.took(bytes);
    }
    if (this.at === this.content.length) this.sink.end();
  }

  async letGo(failed: boolean): Promise<void> {
    this.isGone = failed;
  }
}

/** Writes when it is told to. */
class Slow {
  readonly written: Buffer[] = [];
  private readonly waiting: ((error?: Error) => void)[] = [];
  stopped = false;

  write(chunks: readonly Buffer[]): Promise<void> {
    this.written.push(...chunks.map((chunk) => Buffer.from(chunk)));
    return new Promise((resolve, reject) => this.waiting.push((error) => (error ? reject(error) : resolve())));
  }

  stop(): void {
    this.stopped = true;
  }

  async next(error?: Error): Promise<void> {
    while (this.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.waiting.shift()!(error);
  }

  get isWriting(): boolean {
    return this.waiting.length > 0;
  }
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

it('an upload is written and hashed whole, though its pieces are used again, and its source waits while too many are under way', async () => {
  const source = new Given(randomBytes(40 * MIB + 17));
  const target = new Slow();
  let isOver = false;
  const received = takeAll(source, target as unknown as WriteHandle, new Progress(), { hash: true }).finally(() => {
    isOver = true;
  });
  // Nothing is written yet, and so it pauses.
  expect(source.paused).toBe(true);
  expect(source.at).toBeLessThan(12 * MIB);
  while (!isOver) {
    if (target.isWriting) await target.next();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await received).sha256).toBe(sha256(source.content));
  expect(sha256(Buffer.concat(target.written))).toBe(sha256(source.content));
  await new Promise((resolve) => setImmediate(resolve));
  expect(sharedPieces().lent).toBe(0);
});

it('one that can not be written fails with why, not before nobody looks at its pieces any more', async () => {
  const source = new Given(randomBytes(20 * MIB));
  const target = new Slow();
  const received = takeAll(source, target as unknown as WriteHandle, new Progress(), { hash: true });
  const failed = expect(received).rejects.toThrow('full');
  await target.next(new Error('full'));
  await failed;
  expect(target.stopped).toBe(true);
  expect(source.isGone).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sharedPieces().lent).toBe(0);
});

it('one that is given up while it is written waits for what is under way', async () => {
  const progress = new Progress();
  const source = new Given(randomBytes(3 * MIB));
  const target = new Slow();
  let isTold = false;
  const received = takeAll(source, target as unknown as WriteHandle, progress, { hash: true }).catch((error: Error) => {
    isTold = true;
    return error;
  });
  progress.abort();
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(isTold).toBe(false);
  await target.next();
  expect(await received).toBe(progress.signal.reason);
});

it('a small file is hashed before its piece is used again', async () => {
  const contents = Array.from({ length: 8 }, (_, index) => Buffer.alloc(4096, index));
  const at = async (content: Buffer) => {
    const target = { write: async () => {}, stop() {} } as unknown as WriteHandle;
    return (await takeAll(new Given(content), target, new Progress(), { hash: true })).sha256;
  };
  for (let turn = 0; turn < 3; turn += 1) expect(await Promise.all(contents.map(at))).toEqual(contents.map(sha256));
});

it('a small file that a limit of bandwidth lets come in pieces is hashed whole, though others come beside it', async () => {
  const pace: Pace = { piece: 4096, before: () => new Promise((resolve) => setImmediate(resolve)) };
  const contents = Array.from({ length: 8 }, (_, index) => Buffer.alloc(60_000, index));
  const at = async (content: Buffer) => {
    const target = { write: async () => {}, stop() {} } as unknown as WriteHandle;
    return (await takeAll(new Given(content), target, new Progress(), { hash: true, pace })).sha256;
  };
  const begun: Promise<string | undefined>[] = [];
  for (const content of contents) {
    begun.push(at(content));
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await Promise.all(begun)).toEqual(contents.map(sha256));
});
