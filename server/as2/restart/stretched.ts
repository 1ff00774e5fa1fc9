/** A long body that is kept in stretches, each of them whole or not there: one behind the other, each by the byte at which it begins. */
import { StorageError } from '../../files/account-files';
import type { Stretches } from '../../files/files';

/** What a stretch has, but for the last of a body, and for the last before a connection ended. Bytes. */
export const STRETCH = 4 * 1024 * 1024;
/** Handed out at a time. Bytes. */
const PIECE = 256 * 1024;
/** Digits of the byte at which one begins: names sort as their numbers do. */
const DIGITS = 15;
const NOTHING = Buffer.alloc(0);

/** Other bytes than these are kept already: somebody else goes on with the same body, and it is another one. */
export class OtherBytes extends Error {}

interface Found {
  readonly at: number;
  readonly bytes: number;
}

export class Stretched {
  constructor(
    private readonly stretches: Stretches,
    private readonly folder: string,
    /** Of all bodies that the folder had one after the other, this one: letters and digits. */
    readonly generation: string,
  ) {}

  /** Bytes that are kept, from the first on, without a gap. */
  async size(): Promise<number> {
    return (await this.all()).reduce((end, { bytes }) => end + bytes, 0);
  }

  /** What is kept from that byte on. */
  async *read(from = 0): AsyncGenerator<Buffer, void, undefined> {
    const all = (await this.all()).filter(({ at, bytes }) => at + bytes > from);
    let next = all[0] && this.stretch(all[0].at);
    for (const [index, { at }] of all.entries()) {
      const stretch = await next!;
      const after = all[index + 1];
      next = after && this.stretch(after.at);
      next?.catch(() => {}); // awaited when its turn comes
      for (let start = Math.max(0, from - at); start < stretch.length; start += PIECE) yield stretch.subarray(start, start + PIECE);
    }
  }

  /** Goes on behind so many bytes. */
  writer(at: number): StretchWriter {
    return new StretchWriter(this, at);
  }

  /** False where there is one already that begins there. */
  create(at: number, bytes: Buffer): Promise<boolean> {
    return this.stretches.create(this.nameOf(at), bytes);
  }

  async stretch(at: number): Promise<Buffer> {
    const bytes = await this.stretches.read(this.nameOf(at));
    if (!bytes) throw new StorageError('unavailable', 'What was kept of the message has been removed meanwhile.');
    return bytes;
  }

  private async all(): Promise<Found[]> {
    const listed = await this.stretches.list(this.folder);
    const found = listed.flatMap(({ name, bytes }): Found[] => {
      const [generation, at] = name.split('-');
      return generation === this.generation && at !== undefined && bytes > 0 ? [{ at: Number(at), bytes }] : [];
    });
    let end = 0;
    return found
      .sort((one, other) => one.at - other.at)
      .filter(({ at, bytes }) => {
        if (at !== end) return false;
        end += bytes;
        return true;
      });
  }

  private nameOf(at: number): string {
    return `${this.folder}/${this.generation}-${String(at).padStart(DIGITS, '0')}`;
  }
}

/**
 * Puts bytes behind what is kept of a body: one stretch is filled while one is stored. Of two writers, in whichever process, each byte is stored by one, as a name is given
 * once; what the other has stored has to be the same.
 */
export class StretchWriter {
  private room: Buffer | undefined;
  private filled = 0;
  private storing: Promise<void> = Promise.resolve();
  /** What another has stored and this one has not come to yet. */
  private others: Buffer = NOTHING;

  constructor(
    private readonly body: Stretched,
    /** Bytes that are kept. */
    private at: number,
  ) {}

  /** Throws OtherBytes, or a StorageError, also that of a stretch before. */
  async add(piece: Buffer): Promise<void> {
    for (let from = 0; from < piece.length; ) {
      this.room ??= Buffer.allocUnsafeSlow(STRETCH);
      const copied = piece.copy(this.room, this.filled, from);
      from += copied;
      this.filled += copied;
      if (this.filled === STRETCH) await this.flush();
    }
  }

  /** Fulfilled when all is kept. */
  async end(): Promise<void> {
    if (this.filled > 0) await this.flush();
    await this.storing;
  }

  private async flush(): Promise<void> {
    const full = this.room!.subarray(0, this.filled);
    this.room = undefined;
    this.filled = 0;
    await this.storing;
    this.storing = this.store(full);
    this.storing.catch(() => {}); // told by the next
  }

  private async store(bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.others.length === 0) {
        if (await this.body.create(this.at, rest)) {
          this.at += rest.length;
          return;
        }
        this.others = await this.body.stretch(this.at);
      }
      const common = Math.min(this.others.length, rest.length);
      if (!this.others.subarray(0, common).equals(rest.subarray(0, common))) throw new OtherBytes('other bytes of this message are kept already');
      this.others = this.others.subarray(common);
      rest = rest.subarray(common);
      this.at += common;
    }
  }
}
