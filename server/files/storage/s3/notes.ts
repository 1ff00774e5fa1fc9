/** Notes in S3. */
import type { Notes } from '../storage';
import type { Bucket } from './bucket';
import { createOnce } from './create-once';
import { storageError } from './errors';
import { Hidden } from './hidden';

export class S3Notes implements Notes {
  private readonly objects: Hidden;

  /** `prefix` ends with a slash. */
  constructor(
    private readonly bucket: Bucket,
    prefix: string,
  ) {
    this.objects = new Hidden(bucket, prefix);
  }

  async create(name: string, text: string): Promise<boolean> {
    const key = this.objects.keyOf(name);
    return createOnce(() => this.bucket.put(key, text, { condition: { absent: true } }));
  }

  async replace(name: string, text: string): Promise<void> {
    await this.bucket.put(this.objects.keyOf(name), text).catch(storageError);
  }

  read(name: string): Promise<string | undefined> {
    return this.objects.read(name, async (key) => (await this.bucket.text(key)).text);
  }

  async remove(name: string): Promise<void> {
    await this.bucket.remove(this.objects.keyOf(name)).catch(storageError);
  }

  async list(folder: string): Promise<string[]> {
    return (await this.objects.list(folder)).map(({ name }) => name);
  }

  clear(folder: string): Promise<void> {
    return this.objects.clear(folder);
  }
}
