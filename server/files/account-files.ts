/**
 * An account's files, as every protocol has them: what may be done with them, what it means, and what the audit is told of it. A protocol says who asks
 * and which of its commands it was, and turns what it is answered into its own replies; it touches neither storage nor scanner.
 *
 * Paths are virtual and absolute, as `virtualPath` makes them. Every method looks at the account's permissions first, and throws a StorageError
 * `denied` before anything is looked at that would tell what is there. Everything that changes something leaves one line in the audit, and so does
 * everything that moves a file's bytes, however it ends. What was refused is the protocol's to report: it knows what it replied.
 */
import type { SessionFacts } from '../audit/event';
import type { Account } from '../identity/identity';
import type { Pace } from '../limits/bandwidth';
import type { HashAlgorithm } from './hash';
import type { Outcome } from './outcome';
import type { Operation } from './permissions';
import type { Progress } from './progress';
import type { Source } from './source';
import type { Entry, WriteMode } from './storage/storage';

export type { Outcome } from './outcome';
export { RefusedByScanner } from './refused';
export { type Entry, type FoundFile, StorageError, type StorageErrorCode, type WriteMode } from './storage/storage';

/** Who asks: permissions, limits and the audit go by it. Made at the login, and good until the session ends. */
export interface Asker {
  readonly account: Account;
  /** With the account's name. */
  readonly facts: SessionFacts;
  /** The code by which the protocol says that a command has done its work, for the audit: 250 in FTP. */
  readonly doneCode: number;
}

/** Where a download's bytes go. */
export interface Outlet {
  /** Fulfilled when the buffer may be used again. Pace and progress are the outlet's to keep. */
  send(bytes: Buffer): Promise<void>;
  /** All has been sent. Fulfilled when everything has left. */
  end(): Promise<void>;
  /** The file broke off, and so must the connection. */
  abandon(): void;
}

/** A folder on its way to a client, in the protocol's own lines. */
export interface Listing {
  readonly progress: Progress;
  /** `act` sends the lines, and counts their bytes; what it throws ends the listing. Never throws. */
  send(act: () => Promise<void>): Promise<Outcome>;
}

/** A file on its way to a client, in one piece. Exactly one of `send` and `discard` is called. */
export interface Download {
  /** Of the file when it was opened. Bytes. */
  readonly size: number;
  readonly progress: Progress;
  /** Sends what lies behind the offset, or the part of it that is wanted. `connect` brings the outlet; what it throws ends the download. Never throws. */
  send(connect: () => Promise<Outlet>): Promise<Outcome>;
  /** Gives it up before it began: there is no line in the audit. */
  discard(): Promise<void>;
}

/** A file that a client reads where it likes. Ended by exactly one of `close` and `abort`; either is told to the audit. */
export interface Reading {
  /** Of the file when it was opened. Bytes. */
  readonly size: number;
  readonly progress: Progress;
  /**
   * Fills the buffer from that byte of the file on; answers how many bytes it got, 0 at the end. One read behind the other costs nothing more, one
   * anywhere else opens the file anew. Reads are done in the order of asking, at the pace of the account.
   */
  read(offset: number, into: Buffer): Promise<number>;
  close(): Promise<Outcome>;
  /** The client is gone, or the administrator ended it. */
  abort(): Promise<Outcome>;
}

/** A file that a client sends in one stream. Exactly one of `receive` and `discard` is called. */
export interface Upload {
  readonly progress: Progress;
  /**
   * From the first byte to the announcement: takes what the source brings, hashes, scans, and puts it into place, or into quarantine. `connect`
   * brings the source; what it throws ends the upload. `progress.abort()` ends it as well. Never throws.
   *
   * `mayAppear`: called when all has come, was found good and is safe where nobody sees it: the file appears when this is fulfilled, and not at all where it
   * rejects. What it is given is the id of a `Prepared`, where the storage has one.
   */
  receive(connect: () => Promise<Source>, mayAppear?: (prepared: string | undefined) => Promise<void>): Promise<Outcome>;
  /** Gives it up before it began: there is no line in the audit. */
  discard(): Promise<void>;
}

/** How a client opens a file for writing at offsets of its own (SFTP's OPEN). */
export interface WritingOptions {
  readonly command: string;
  /**
   * What becomes of a file that is there. `replace`: it is one that is wholly new (TRUNC). `create`: the name must be free (EXCL). `keep`: what is not
   * written stays. `append`: everything goes to its end, whatever the offsets say.
   */
  readonly existing: 'replace' | 'create' | 'keep' | 'append';
  /** Whether the file may be new. With `keep` and `append` only; `not-found` is thrown where it may not, and `denied` to who may not see. Default: true. */
  readonly create?: boolean;
  /** Whether the client may want to read what it writes. Default: false. */
  readonly read?: boolean;
}

/**
 * A file that a client writes at offsets of its own. Nothing of it is visible until `commit`. What comes in order streams to the storage; a little
 * that comes too early is kept until its turn; anything else is done to a draft on a disk of this machine, which is hashed, scanned and put into place as a
 * whole at `commit`. What fails ends it. Ended by exactly one of `commit` and `abort`.
 */
export interface Writing {
  readonly progress: Progress;
  /** Of the file as the client has made it. Bytes. Where it adds to what it may not see, of what it has added. */
  readonly size: number;
  /** Fulfilled when the bytes are taken and the buffer may be used again: who awaits it holds no more than what is under way. Throws what ended the upload. */
  write(offset: number, bytes: Buffer): Promise<void>;
  /** Cuts the file, or lengthens it by zeros. */
  truncate(size: number): Promise<void>;
  /** The file as the client has made it, to be read beside; to be closed before this is. Throws `denied` where the account may not read. */
  openReading(command: string): Reading;
  /** The time that the file is to have when it is in place. */
  keepTime(modified: Date): void;
  /** The client has said that this is all (CLOSE). As the end of `Upload.receive`. */
  commit(): Promise<Outcome>;
  /** The client is gone, or the administrator ended it: what was there before stays. */
  abort(): Promise<Outcome>;
}

export interface AccountFiles {
  /** Why the account may not do that, in words for the client; undefined where it may. */
  refusal(operation: Operation): string | undefined;
  /**
   * What is there under a path, asked in order to do something with it, for which the account needs the permission. In S3 a file and a folder can
   * have one name; `preferred` says which of them is meant then. With `stat` and `set-time`: who may neither list nor read sees what was uploaded in
   * this session, and nothing else (`denied`).
   */
  find(operation: Operation, path: string, preferred?: Entry['type']): Promise<Entry>;
  /** Whether the account may know what is there under a path. */
  maySee(path?: string): boolean;
  /** Makes sure that a folder is there. Who may not see is told the same of what is missing and of what is a file. */
  enter(path: string): Promise<void>;
  /** In batches, in no particular order, without `.` and `..`. */
  list(path: string): AsyncIterable<readonly Entry[]>;
  makeFolder(command: string, path: string): Promise<void>;
  removeFolder(command: string, path: string): Promise<void>;
  remove(command: string, path: string): Promise<void>;
  /**
   * Removes a folder with everything in it, `most` entries of it at a time. Each that is gone is told as one of `commands`. The signal ends it, and what is
   * gone by then is gone. Needs the permission to list as well. Answers how many are gone, and whether that is all.
   */
  removeTree(
    commands: { readonly file: string; readonly folder: string },
    path: string,
    options: { readonly most: number; readonly signal: AbortSignal },
  ): Promise<{ readonly removed: number; readonly isAll: boolean }>;
  /**
   * `replace`: whether a file may take the place of another one, which needs the permission to write as well; without it, and for folders, a name that
   * is taken is refused with `exists`. The signal ends what takes long, and everything is where it was.
   */
  rename(command: string, from: string, to: string, options: { readonly replace: boolean; readonly signal?: AbortSignal }): Promise<void>;
  /** Answers what the storage kept, which may be coarser. */
  setModified(command: string, path: string, time: Date): Promise<Entry>;
  /** Bytes that a new file may have; undefined where nothing sets a bound. */
  available(): Promise<number | undefined>;
  /** In hexadecimal, in turn with other accounts' and at the pace of a download. Ended by `progress.abort()`. */
  hash(path: string, algorithm: HashAlgorithm, progress: Progress): Promise<{ readonly hex: string; readonly size: number }>;
  /** How fast the account may read now; undefined where nothing limits it. Kept by `Reading` itself; for an outlet and for the lines of a listing. */
  readonly downloadPace: Pace | undefined;
  openListing(command: string, path: string): Listing;
  /** `length`: of the part that is wanted, which lies within the file; absent means to its end. */
  openDownload(command: string, path: string, offset: number, length?: number): Promise<Download>;
  openReading(command: string, path: string): Promise<Reading>;
  /** A `resume` where the account may not see what is there is refused with `offset`: it would tell how long the file is. */
  openUpload(command: string, path: string, mode: WriteMode): Promise<Upload>;
  openWriting(path: string, options: WritingOptions): Promise<Writing>;
  /**
   * Copies bytes of a file that is read into one that is written, at the pace of both; answers how many. `length`: less where the file ends before; without
   * it, all that follows. Ended by the progress of either.
   */
  copyData(command: string, from: CopyPlace<Reading>, to: CopyPlace<Writing>, length?: number): Promise<number>;
}

export interface CopyPlace<Open> {
  readonly path: string;
  readonly file: Open;
  readonly offset: number;
}
