/** One account's use of its home, against its quota. */
import { StorageError } from './storage';
import { UploadRoom } from './upload-room';
import type { Held, Quota, Reserved, UsageCounts } from './usage-counts';

const NOTHING: Held = { bytes: 0, files: 0 };

export class Usage {
  constructor(
    /** Path of the home below the root, without a slash at its ends; empty for the root. */
    private readonly home: string,
    /** The quota as it is now; undefined where there is none. */
    private readonly quota: () => Promise<Quota | undefined>,
    private readonly counts: UsageCounts,
    /** Counts what is there, and tells the counts. One count for all who ask in this process at the same time. */
    private readonly count: () => Promise<void>,
  ) {}

  /** Opens the account of one upload into a folder of the home; `known` is the size of the file that it is to replace. */
  async begin(folder: readonly string[], known: number | undefined): Promise<UploadRoom> {
    const quota = await this.quota();
    const room = new UploadRoom(quota && this.taking(quota), (reserved, change) => this.settle(quota, reserved, folder, change));
    if (quota) await room.open(known, (bytes) => this.counts.lend(this.home, bytes));
    return room;
  }

  /** Says what a removal or a rename has changed in a folder of the home. Undefined: not known, as where it was not looked at. */
  async changed(folder: readonly string[], change: Held | undefined): Promise<void> {
    if (change) this.counts.settle(this.home, { ...NOTHING, lent: 0 }, this.path(folder), change);
    else this.counts.touched(this.path(folder));
  }

  moved(from: readonly string[], to: readonly string[]): void {
    this.counts.moved(this.path(from), this.path(to));
  }

  /** Whether the account has a quota now. */
  async hasQuota(): Promise<boolean> {
    return (await this.quota()) !== undefined;
  }

  /** Bytes that a new file may have; undefined where the quota has no say in it. */
  async left(): Promise<number | undefined> {
    const quota = await this.quota();
    if (!quota) return undefined;
    for (;;) {
      const held = await this.counts.held(this.home);
      if (!held) {
        await this.count();
        continue;
      }
      if (quota.files !== undefined && held.files >= quota.files) return 0;
      return quota.bytes === undefined ? undefined : Math.max(0, quota.bytes - held.bytes);
    }
  }

  private taking(quota: Quota) {
    return async (bytes: number, files: number) => {
      for (;;) {
        const answer = await this.counts.take(this.home, quota, bytes, files);
        if (answer === 'taken') return;
        if (answer === 'bytes') throw new StorageError('quota', `The quota of ${quota.bytes} bytes is used up.`);
        if (answer === 'files') throw new StorageError('quota', `The quota of ${quota.files} files is used up.`);
        await this.count();
      }
    };
  }

  private settle(quota: Quota | undefined, reserved: Reserved, folder: readonly string[], change: Held | undefined): void {
    if (quota) this.counts.settle(this.home, reserved, this.path(folder), change ?? NOTHING);
    else if (change) this.counts.touched(this.path(folder));
  }

  private path(folder: readonly string[]): string {
    return [...(this.home === '' ? [] : [this.home]), ...folder].join('/');
  }
}
