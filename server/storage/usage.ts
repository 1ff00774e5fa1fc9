/** How much a home holds, for quotas: counted once, then kept up by this process's own changes. */
import type { AccountRules } from '../config';
import { StorageError } from './storage';

export interface Held {
  readonly bytes: number;
  readonly files: number;
}

export class Usage {
  private bytes = 0;
  private files = 0;
  private counted: Promise<void> | undefined;

  constructor(
    private readonly quota: NonNullable<AccountRules['quota']>,
    private readonly count: () => Promise<Held>,
  ) {}

  /** Takes room before it is used, so that uploads side by side can't overrun the quota together. */
  async take(bytes: number, files: number): Promise<void> {
    this.counted ??= this.begin();
    await this.counted;
    if (this.quota.bytes !== undefined && bytes > 0 && this.bytes + bytes > this.quota.bytes)
      throw new StorageError('quota', `The quota of ${this.quota.bytes} bytes is used up.`);
    if (this.quota.files !== undefined && files > 0 && this.files + files > this.quota.files)
      throw new StorageError('quota', `The quota of ${this.quota.files} files is used up.`);
    this.bytes += bytes;
    this.files += files;
  }

  /** Gives room back: of what was removed, replaced, or never finished. */
  give(bytes: number, files: number): void {
    this.bytes -= bytes;
    this.files -= files;
  }

  private async begin(): Promise<void> {
    try {
      const { bytes, files } = await this.count();
      this.bytes += bytes;
      this.files += files;
    } catch (error) {
      this.counted = undefined; // counted again for the next upload
      throw error;
    }
  }
}
