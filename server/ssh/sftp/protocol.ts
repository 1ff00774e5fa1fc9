/** Version 3 of SFTP (draft-ietf-secsh-filexfer-02): numbers, attributes, and what errors become. */
import { type Entry, StorageError, type StorageErrorCode } from '../../files/account-files';
import { BrokenOff } from '../../files/progress';
import type { WireReader, WireWriter } from '../wire';

export const VERSION = 3;

export const requests = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

export const replies = { version: 2, status: 101, handle: 102, data: 103, name: 104, attributes: 105, extended: 201 } as const;

export const statuses = { ok: 0, eof: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, badMessage: 5, unsupported: 8 } as const;

/** Flags of OPEN (section 6.3). */
export const openFlags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

/** Which attributes are there (section 5). */
const attributeFlags = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x8000_0000 } as const;

const FILE = 0o100644;
const FOLDER = 0o040755;

export interface Attributes {
  readonly size?: number;
  /** Seconds since 1970. */
  readonly modified?: number;
}

/** Reads attributes; owners and permissions are passed over. */
export function readAttributes(reader: WireReader): Attributes {
  const flags = reader.uint32();
  const size = flags & attributeFlags.size ? reader.uint64() : undefined;
  if (flags & attributeFlags.owner) {
    reader.uint32();
    reader.uint32();
  }
  if (flags & attributeFlags.permissions) reader.uint32();
  let modified: number | undefined;
  if (flags & attributeFlags.times) {
    reader.uint32();
    modified = reader.uint32();
  }
  if (flags & attributeFlags.extended)
    for (let count = reader.uint32(); count > 0; count -= 1) {
      reader.string();
      reader.string();
    }
  return { size, modified };
}

type Known = Pick<Entry, 'type' | 'size' | 'modified'>;

export function writeAttributes(writer: WireWriter, { type, size, modified }: Known): WireWriter {
  const seconds = Math.max(0, Math.min(0xffff_ffff, Math.floor(modified.getTime() / 1000)));
  return writer
    .uint32(attributeFlags.size | attributeFlags.owner | attributeFlags.permissions | attributeFlags.times)
    .uint64(size)
    .uint32(0)
    .uint32(0)
    .uint32(type === 'directory' ? FOLDER : FILE)
    .uint32(seconds)
    .uint32(seconds);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HALF_A_YEAR_MS = 182 * 86_400_000;

/** A line as `ls -l` prints it, which some clients show as it is (section 7). */
export function longName({ name, type, size, modified }: Entry, now = Date.now()): string {
  const [day, hour, minute] = [modified.getUTCDate(), modified.getUTCHours(), modified.getUTCMinutes()].map((number) => String(number).padStart(2, '0'));
  const isRecent = Math.abs(now - modified.getTime()) < HALF_A_YEAR_MS;
  const when = isRecent ? `${hour}:${minute}` : ` ${modified.getUTCFullYear()}`;
  return `${type === 'directory' ? 'drwxr-xr-x' : '-rw-r--r--'}    1 owner    group    ${String(size).padStart(12)} ${months[modified.getUTCMonth()]} ${day} ${when} ${name}`;
}

const statusOf: Readonly<Record<StorageErrorCode, number>> = {
  'not-found': statuses.noSuchFile,
  exists: statuses.failure,
  'is-directory': statuses.failure,
  'not-directory': statuses.noSuchFile,
  'not-empty': statuses.failure,
  denied: statuses.permissionDenied,
  'invalid-name': statuses.failure,
  'no-space': statuses.failure,
  quota: statuses.failure,
  offset: statuses.failure,
  unsupported: statuses.unsupported,
  unavailable: statuses.failure,
};

/** A request that is answered with a status, and with these words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What an error becomes. What is not known to be safe to tell is not told. */
export function asRefused(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof BrokenOff) return new Refused(statuses.failure, `${error.message}.`);
  if (error instanceof StorageError) return new Refused(statusOf[error.code], error.message);
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error)); // nobody has foreseen it
  return new Refused(statuses.failure, 'The server had an error of its own; try again.');
}

/** Fills in the length that a reply begins with. */
export function framed(writer: WireWriter): Buffer {
  const packet = writer.done();
  packet.writeUInt32BE(packet.length - 4, 0);
  return packet;
}
