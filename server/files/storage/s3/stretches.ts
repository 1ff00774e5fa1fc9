/** Stretches in S3, where notes are. */
import type { Stretch, Stretches } from '../storage';
import type { Bucket } from './bucket';
import { createOnce } from './create-once';
import { Hidden } from './hidden';

export class S3Stretches implements Stretches {
  private readonly objects: Hidden;

  /** `prefix` ends with a slash. */
  constructor(
    private readonly bucket: Bucket,
    prefix: string,
  ) {
    this.objects = new Hidden(bucket, prefix);
  }

  async create(name: string, bytes: Buffer): Promise<boolean> {
    const key = this.objects.keyOf(name);
    return createOnce(() => this.bucket.putWhole(key, [bytes], {}, { absent: true }));
  }

  read(name: string): Promise<Buffer | undefined> {
    return this.objects.read(name, (key) => this.bucket.whole(key));
  }

  list(folder: string): Promise<Stretch[]> {
    return this.objects.list(folder);
  }

  clear(folder: string): Promise<void> {
    return this.objects.clear(folder);
  }

  async room(): Promise<undefined> {
    return undefined;
  }
}
