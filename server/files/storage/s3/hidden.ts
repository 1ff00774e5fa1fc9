/** Objects of the server's own in S3, below `.ftps-notes/`. */
import { checkedName } from '../notes';
import type { Stretch } from '../storage';
import type { Bucket } from './bucket';
import { isMissing, storageError } from './errors';

export class Hidden {
  constructor(
    private readonly bucket: Bucket,
    /** Ends with a slash. */
    private readonly prefix: string,
  ) {}

  /** What `read` makes of the object; undefined where there is none. */
  async read<T>(name: string, read: (key: string) => Promise<T>): Promise<T | undefined> {
    const key = this.keyOf(name);
    try {
      return await read(key);
    } catch (error) {
      return isMissing(error) ? undefined : storageError(error);
    }
  }

  /** What is in a folder, and in those below it. */
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
    const keys = (await this.list(folder)).map(({ name }) => `${this.keyOf(folder)}/${name}`);
    await this.bucket.removeAll(keys).catch(storageError);
  }

  keyOf(name: string): string {
    return this.prefix + checkedName(name);
  }
}
