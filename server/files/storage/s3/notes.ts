/** Notes in S3: objects below `.ftps-notes/`. */
import { checkedName } from '../notes';
import type { Notes } from '../storage';
import type { Bucket } from './bucket';
import { createOnce } from './create-once';
import { isMissing, storageError } from './errors';

export class S3Notes implements Notes {
  constructor(
    private readonly bucket: Bucket,
    /** Ends with a slash. */
    private readonly prefix: string,
  ) {}

  async create(name: string, text: string): Promise<boolean> {
    const key = this.keyOf(name);
    return createOnce(() => this.bucket.put(key, text, { condition: { absent: true } }));
  }

  async replace(name: string, text: string): Promise<void> {
    await this.bucket.put(this.keyOf(name), text).catch(storageError);
  }

  async read(name: string): Promise<string | undefined> {
    const key = this.keyOf(name);
    try {
      return (await this.bucket.text(key)).text;
    } catch (error) {
      return isMissing(error) ? undefined : storageError(error);
    }
  }

  async remove(name: string): Promise<void> {
    await this.bucket.remove(this.keyOf(name)).catch(storageError);
  }

  async list(folder: string): Promise<string[]> {
    const before = `${this.keyOf(folder)}/`;
    const found: string[] = [];
    try {
      for await (const { objects } of this.bucket.list(before, { folders: false })) found.push(...objects.map(({ key }) => key.slice(before.length)));
    } catch (error) {
      storageError(error);
    }
    return found;
  }

  async clear(folder: string): Promise<void> {
    const names = await this.list(folder);
    await this.bucket.removeAll(names.map((name) => `${this.keyOf(folder)}/${name}`)).catch(storageError);
  }

  private keyOf(name: string): string {
    return this.prefix + checkedName(name);
  }
}
