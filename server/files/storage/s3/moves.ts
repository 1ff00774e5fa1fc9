/** Notes of folders that are being renamed, which takes long in S3: what a crash has cut can be told from a folder that is in the way. */
import { createHash } from 'node:crypto';
import type { Bucket } from './bucket';

export class Moves {
  constructor(
    private readonly bucket: Bucket,
    /** What every key of a note begins with; ends with a slash. */
    private readonly prefix: string,
  ) {}

  /** `from` and `to` are the keys of the folders. */
  async begin(from: string, to: string): Promise<void> {
    await this.bucket.put(this.keyOf(from, to), JSON.stringify({ from, to, at: new Date().toISOString() }));
  }

  async isUnderWay(from: string, to: string): Promise<boolean> {
    return (await this.bucket.find(this.keyOf(from, to))) !== undefined;
  }

  async end(from: string, to: string): Promise<void> {
    await this.bucket.remove(this.keyOf(from, to));
  }

  /** Removes notes from before then: nobody has asked to go on. */
  async *sweep(before: Date): AsyncGenerator<void> {
    for await (const { objects } of this.bucket.list(this.prefix, { folders: false })) {
      await this.bucket.removeAll(objects.filter(({ modified }) => modified < before).map(({ key }) => key));
      yield;
    }
  }

  private keyOf(from: string, to: string): string {
    return `${this.prefix}${createHash('sha256').update(`${from}\n${to}`).digest('hex')}.json`;
  }
}
