/** Stretches in S3: objects below `.ftps-notes/`, as notes are. */
import { checkedName } from '../notes';
import type { Stretch, Stretches } from '../storage';
import type { Bucket } from './bucket';
import { createOnce } from './create-once';
import { isMissing, storageError } from './errors';

export class S3Stretches implements Stretches {
  constructor(
    private readonly bucket: Bucket,
    /** Ends with a slash. */
    private readonly prefix: string,
  ) {}

  async create(name: string, bytes: Buffer): Promise<boolean> {
    const key = this.keyOf(name);
    return createOnce(() => this.bucket.putWhole(key, [bytes], {}, { absent: true }));
  }

  async read(name: string): Promise<Buffer | undefined> {
    const key = this.keyOf(name);
    try {
      return await this.bucket.whole(key);
    } catch (error) {
      return isMissing(error) ? undefined : storageError(error);
    }
  }

  async list(folder: string): Promise<Stretch[]> {
    const before = `${this.keyOf(folder)}/`;
    const found: Stretch[] = [];
    try {
      for await (const { objects } of this.bucket.list(before, { folders: false }))
        found.push(...objects.map(({ key, size, modified }) => ({ name: key.slice(before.length), bytes: size, modified })));
    } catch (error) {
      storageError(error);
    }
    return found;
  }

  async clear(folder: string): Promise<void> {
    const names = (await this.list(folder)).map(({ name }) => `${this.keyOf(folder)}/${name}`);
    await this.bucket.removeAll(names).catch(storageError);
  }

  async room(): Promise<undefined> {
    return undefined;
  }

  private keyOf(name: string): string {
    return this.prefix + checkedName(name);
  }
}
