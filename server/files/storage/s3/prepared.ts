/** Uploads that are about to appear, all of whose parts S3 has: they appear with the request that puts the parts together, which ends the upload in parts. */
import type { Prepared } from '../storage';
import type { Bucket, MultipartUpload } from './bucket';
import { isMissing, storageError } from './errors';

export class S3Prepared implements Prepared {
  /** Of files, and of what waits for a scanner's word. */
  constructor(private readonly buckets: readonly Bucket[]) {}

  async isWaiting(id: string): Promise<boolean> {
    const known = partsOf(id);
    if (!known) return false;
    try {
      for await (const { key, id: one } of this.bucketOf(known).openParts(known.key)) if (key === known.key && one === known.id) return true;
      return false;
    } catch (error) {
      storageError(error);
    }
  }

  async withdraw(id: string): Promise<boolean> {
    const known = partsOf(id);
    if (!known || !(await this.isWaiting(id))) return false;
    return this.bucketOf(known)
      .abortParts(known)
      .then(
        () => true,
        (error: unknown) => (isMissing(error) ? false : storageError(error)),
      );
  }

  private bucketOf({ bucket }: Known): Bucket {
    return this.buckets.find(({ name }) => name === bucket)!;
  }
}

interface Known extends MultipartUpload {
  readonly bucket: string;
}

export function preparedId({ name }: Bucket, { key, id }: MultipartUpload): string {
  return Buffer.from(JSON.stringify([name, key, id])).toString('base64url');
}

function partsOf(prepared: string): Known | undefined {
  try {
    const [bucket, key, id] = JSON.parse(Buffer.from(prepared, 'base64url').toString()) as [string, string, string];
    return { bucket, key, id };
  } catch {
    return undefined; // of another storage
  }
}
