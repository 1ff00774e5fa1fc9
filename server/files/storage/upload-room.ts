/** What one upload takes of the quota: all of its bytes from the first on, but for the room that the file has which it replaces. */
import type { Held, Reserved } from './usage-counts';

export class UploadRoom {
  private bytes = 0;
  private files = 0;
  private lent = 0;

  constructor(
    private readonly take: ((bytes: number, files: number) => Promise<void>) | undefined,
    private readonly settle: (reserved: Reserved, change: Held | undefined) => void,
  ) {}

  /** Whether a quota counts: then what is replaced must be known. */
  get counts(): boolean {
    return this.take !== undefined;
  }

  async open(known: number | undefined, lend: (bytes: number) => Promise<number>): Promise<void> {
    const files = known === undefined ? 1 : 0;
    await this.take!(0, files);
    this.files = files;
    if (known !== undefined) this.lent = await lend(known);
  }

  /** Takes room before it is used, so that uploads side by side can't overrun the quota together. */
  async grow(size: number): Promise<void> {
    const more = size - this.lent - this.bytes;
    if (!this.take || more <= 0) return;
    await this.take(more, 0);
    this.bytes += more;
  }

  /** Takes what is missing where the file that is replaced is smaller than it was, or gone. To be called while its name is held. */
  async cover(size: number, replaced: number | undefined): Promise<void> {
    if (!this.take) return;
    const bytes = Math.max(0, size - (replaced ?? 0) - this.bytes);
    const files = Math.max(0, (replaced === undefined ? 1 : 0) - this.files);
    if (bytes === 0 && files === 0) return;
    await this.take(bytes, files);
    this.bytes += bytes;
    this.files += files;
  }

  /** The upload is in place. */
  filled(size: number, replaced: number | undefined): void {
    this.end({ bytes: size - (replaced ?? 0), files: replaced === undefined ? 1 : 0 });
  }

  /** The upload came to nothing. */
  give(): void {
    this.end(undefined);
  }

  private end(change: Held | undefined): void {
    this.settle({ bytes: this.bytes, files: this.files, lent: this.lent }, change);
    this.bytes = 0;
    this.files = 0;
    this.lent = 0;
  }
}
