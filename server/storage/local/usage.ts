/** How much a home holds, for quotas: counted once, then kept up by this process's own changes. */
import type { AccountRules } from '../../config';
import { StorageError } from '../storage';
import { isReserved } from '../virtual-path';
import { Folder } from './folder';

export class Usage {
  private bytes = 0;
  private files = 0;
  private counted: Promise<void> | undefined;

  constructor(
    private readonly root: string,
    private readonly home: readonly string[],
    private readonly quota: NonNullable<AccountRules['quota']>,
  ) {}

  /** Takes room before it is used, so that uploads side by side can't overrun the quota together. */
  async take(bytes: number, files: number): Promise<void> {
    this.counted ??= this.count(this.home);
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

  private async count(parts: readonly string[]): Promise<void> {
    const folder = await Folder.walk(this.root, parts);
    try {
      for await (const { name } of await folder.entries()) {
        if (isReserved(name)) continue;
        const found = await folder.stat(name).catch(() => undefined);
        if (found?.isDirectory()) await this.count([...parts, name]);
        else if (found?.isFile()) {
          this.bytes += found.size;
          this.files += 1;
        }
      }
    } finally {
      await folder.close().catch(() => {}); // iterating the entries may have closed what it opened
    }
  }
}
