/** An archive made as it is sent (PKWARE's APPNOTE 6.3.10): files as they are, their checksums behind them, without a length known before. */
import { crc32 } from 'node:zlib';
import type { Outlet } from '../../files/account-files';

const LOCAL = 0x0403_4b50;
const DESCRIPTOR = 0x0807_4b50;
const CENTRAL = 0x0201_4b50;
const END = 0x0605_4b50;
const END_64 = 0x0606_4b50;
const LOCATOR_64 = 0x0706_4b50;
/** Version that knows ZIP64; made on Unix, whose permissions stand in the outer attributes. */
const VERSION = 45;
const MADE_BY = (3 << 8) | VERSION;
/** Checksum and sizes follow the file (bit 3); names are UTF-8 (bit 11). */
const FLAGS = (1 << 3) | (1 << 11);
/** What is sent by itself is more than the first, and what is held until more comes less than the second. Bytes. */
const LITTLE = 4 * 1024;
const ENOUGH = 64 * 1024;
const FULL_32 = 0xffff_ffff;
const FULL_16 = 0xffff;

/** A name and the folder that it is in: the whole path of each may be kilobytes, and there are a hundred thousand. */
interface Named {
  readonly within: Named | undefined;
  readonly name: string;
}

interface Filed {
  readonly named: Named;
  readonly time: number;
  readonly offset: number;
  crc: number;
  size: number;
  readonly isFolder: boolean;
}

export class Zip {
  private offset = 0;
  /** What is little goes with what comes next. */
  private held: Buffer[] = [];
  private heldBytes = 0;
  private readonly filed: Filed[] = [];
  /** The folders of what was added last, from the top, with their names. */
  private folders: Named[] = [];
  private folderNames: string[] = [];

  constructor(private readonly out: Outlet) {}

  /** What the bytes of one file go to; they end with its `end`. */
  async file(name: string, modified: Date): Promise<Outlet> {
    const filed = await this.begin(name, modified, false);
    return {
      send: async (bytes) => {
        filed.crc = crc32(bytes, filed.crc);
        filed.size += bytes.length;
        await this.write(bytes);
      },
      end: () => this.describe(filed),
      abandon: () => this.out.abandon(),
    };
  }

  async folder(name: string, modified: Date): Promise<void> {
    await this.describe(await this.begin(name, modified, true));
  }

  /** The list of all, by which it is read. */
  async end(): Promise<void> {
    const from = this.offset;
    for (const one of this.filed) await this.write(central(one));
    await this.write(endOf(this.filed.length, from, this.offset - from));
    await this.flush();
    await this.out.end();
  }

  private async begin(name: string, modified: Date, isFolder: boolean): Promise<Filed> {
    const filed = { named: this.named(safeName(name)), time: dosTime(modified), offset: this.offset, crc: 0, size: 0, isFolder };
    this.filed.push(filed);
    const path = pathOf(filed);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(LOCAL, 0);
    head.writeUInt16LE(VERSION, 4);
    head.writeUInt16LE(FLAGS, 6);
    head.writeUInt32LE(filed.time, 10);
    // ZIP64's field says that the sizes behind the file have eight bytes.
    head.writeUInt32LE(FULL_32, 18);
    head.writeUInt32LE(FULL_32, 22);
    head.writeUInt16LE(path.length, 26);
    head.writeUInt16LE(20, 28);
    await this.write(Buffer.concat([head, path, field64(0, 0)]));
    return filed;
  }

  /** Those in one folder, added one behind the other, share it. */
  private named(path: string): Named {
    const folders = path.split('/');
    const name = copied(folders.pop()!);
    const known = folders.findIndex((folder, depth) => folder !== this.folderNames[depth]);
    this.folders = this.folders.slice(0, known < 0 ? folders.length : known);
    for (const folder of folders.slice(this.folders.length)) this.folders.push({ within: this.folders.at(-1), name: copied(folder) });
    this.folderNames = folders;
    return { within: this.folders.at(-1), name };
  }

  private async describe({ crc, size }: Filed): Promise<void> {
    const bytes = Buffer.alloc(24);
    bytes.writeUInt32LE(DESCRIPTOR, 0);
    bytes.writeUInt32LE(crc, 4);
    bytes.writeBigUInt64LE(BigInt(size), 8);
    bytes.writeBigUInt64LE(BigInt(size), 16);
    await this.write(bytes);
  }

  private async write(bytes: Buffer): Promise<void> {
    this.offset += bytes.length;
    if (bytes.length <= LITTLE) {
      // The buffer is its owner's again when this is done.
      this.held.push(Buffer.from(bytes));
      this.heldBytes += bytes.length;
      if (this.heldBytes >= ENOUGH) await this.flush();
      return;
    }
    await this.flush();
    await this.out.send(bytes);
  }

  private async flush(): Promise<void> {
    if (this.heldBytes === 0) return;
    const bytes = Buffer.concat(this.held);
    this.held = [];
    this.heldBytes = 0;
    await this.out.send(bytes);
  }
}

/** A name that no program can take for a way out: what separates folders elsewhere is no letter of a name. */
function safeName(name: string): string {
  return name.replaceAll(/[\\:]/g, '_');
}

function field64(...values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return field;
}

/** What is cut out of a path holds on to all of it, and small buffers to the block that they share with large ones. */
function copied(part: string): string {
  return Buffer.from(part).toString();
}

/** As the archive has it; that of a folder ends with a slash. */
function pathOf({ named, isFolder }: Pick<Filed, 'named' | 'isFolder'>): Buffer {
  const parts: string[] = [];
  for (let one: Named | undefined = named; one; one = one.within) parts.unshift(one.name);
  return Buffer.from(`${parts.join('/')}${isFolder ? '/' : ''}`);
}

function central({ time, offset, crc, size, isFolder, named }: Filed): Buffer {
  const name = pathOf({ named, isFolder });
  const extra = field64(size, size, offset);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(CENTRAL, 0);
  entry.writeUInt16LE(MADE_BY, 4);
  entry.writeUInt16LE(VERSION, 6);
  entry.writeUInt16LE(FLAGS, 8);
  entry.writeUInt32LE(time, 12);
  entry.writeUInt32LE(crc, 16);
  entry.writeUInt32LE(FULL_32, 20);
  entry.writeUInt32LE(FULL_32, 24);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  entry.writeUInt32LE(((isFolder ? 0o40755 : 0o100644) * 0x1_0000 + (isFolder ? 0x10 : 0)) >>> 0, 38);
  entry.writeUInt32LE(FULL_32, 42);
  return Buffer.concat([entry, name, extra]);
}

function endOf(count: number, offset: number, size: number): Buffer {
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(END_64, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(MADE_BY, 12);
  end64.writeUInt16LE(VERSION, 14);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(LOCATOR_64, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(Math.min(count, FULL_16), 8);
  end.writeUInt16LE(Math.min(count, FULL_16), 10);
  end.writeUInt32LE(Math.min(size, FULL_32), 12);
  end.writeUInt32LE(Math.min(offset, FULL_32), 16);
  return Buffer.concat([end64, locator, end]);
}

/** Date and time as MS-DOS had them: two seconds, from 1980 on; in UTC, since the archive says no zone. */
function dosTime(time: Date): number {
  const year = Math.min(Math.max(time.getUTCFullYear(), 1980), 2107);
  const date = ((year - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  return ((date << 16) | (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1)) >>> 0;
}
