/** What every storage backend offers: one account's files, jailed to its home. */
import type { AccountRules } from '../../config';

/** One file or folder as the client may know it: names are virtual, never a path of the host. */
export interface Entry {
  /** The last part of the virtual path; `/` for the home itself. */
  readonly name: string;
  readonly type: 'file' | 'directory';
  /** Size in bytes; 0 for a directory. */
  readonly size: number;
  readonly modified: Date;
  /** Stable identity for the MLSD fact `unique` (RFC 3659 section 7.5.3), where the backend has one. */
  readonly unique?: string;
}

/** A file that was found somewhere in the home. */
export interface FoundFile {
  readonly path: string;
  readonly size: number;
  readonly modified: Date;
}

/** Bytes that stay as they are until they are given back: once, in the order in which they were lent, and before the file is closed. */
export interface Lent {
  readonly bytes: Buffer;
  giveBack(): void;
}

/** A file being read. `read` fills the buffer from the current position and answers how many bytes it got; 0 is the end. */
export interface ReadHandle {
  /** Size of the file when it was opened, in bytes. */
  readonly size: number;
  read(into: Buffer): Promise<number>;
  /** The next bytes, at most so many, as they lie in the storage's own memory: nothing is copied. None is the end. Absent where they would have to be read first. */
  lend?(most: number): Promise<Lent>;
  /** Goes on reading from that byte of the same file. To be called while no read is under way. */
  seek(offset: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file being written to a hidden staging place. Nothing of it is visible until `commit`, which puts it into place
 * atomically; `abort` and `quarantine` leave what was there before untouched. Exactly one of the three is called.
 */
export interface WriteHandle {
  /** What is kept of the file that was there, in order; nothing for a file that is wholly new. A scanner needs to see it. */
  kept(): AsyncIterable<Buffer>;
  /** What the file has so far: what is kept, and what was written. Bytes. */
  readonly size: number;
  /**
   * Appends the chunks in order. The buffers may be used again once the promise is fulfilled. What is kept is copied beside the first of them,
   * where the backend can't do without a copy. `isLast`: nothing follows but `commit`, if all goes well.
   */
  write(chunks: readonly Buffer[], isLast?: boolean): Promise<void>;
  /** Ends what takes long (copying what is kept): whatever waits for it fails soon. To be followed by `abort`. */
  stop(): void;
  /**
   * Makes the bytes safe and visible. Fulfilled only then. `held`: they are safe, and become visible when a scanner that works on its own lets them.
   * `mayAppear` is asked at the last moment before, and throws where nothing may become visible any more.
   */
  commit(facts?: UploadFacts, mayAppear?: () => void): Promise<'visible' | 'held'>;
  abort(): Promise<void>;
  /** Puts the file away where no client can reach it. Answers with its id in the quarantine. */
  quarantine(finding: Finding): Promise<string>;
}

/** An upload that can be prepared: what `Prepared` is told of it holds, whatever ends this process. */
export interface PreparableHandle extends WriteHandle {
  /**
   * Makes all that was written safe where nobody sees it, for longer than this process lives. To be called when all was written; `commit` or `abort` is to follow, and where
   * neither makes it appear it waits on, until it is withdrawn by who has written down that it will not appear.
   * Answers by what it is known; undefined where the storage can't tell later whether it has appeared.
   */
  prepare(): Promise<string | undefined>;
}

/** Uploads that were prepared. Each appears, or is withdrawn: never both, and what has appeared has done so for good, whoever takes it away. For a day. */
export interface Prepared {
  /** Whether it has neither appeared nor been given up. */
  isWaiting(id: string): Promise<boolean>;
  /** Sees to it that it never appears. False where it has appeared, or there is nothing to withdraw. */
  withdraw(id: string): Promise<boolean>;
}

/** An upload that can become a draft. */
export interface DraftableHandle extends WriteHandle {
  /**
   * Makes a draft of the file as it is so far, what is kept included. To be called while no write is under way; the handle is not used any more then,
   * but for `stop`, which ends what takes long here as well. Where it fails, `abort` is to follow. `unsupported`: what was written has left already.
   */
  toDraft(): Promise<Draft>;
}

/**
 * A file of the session's own that is written and read anywhere. It lies on a disk of this machine where nobody else sees it, is charged to the quota,
 * and goes with the process. Exactly one of `settle` and `abort` is called.
 */
export interface Draft {
  readonly size: number;
  /** Fills the buffer from that byte on; answers how many bytes it got, 0 at the end. */
  read(offset: number, into: Buffer): Promise<number>;
  /** Bytes between the end and the offset become zeros. */
  write(offset: number, bytes: Buffer): Promise<void>;
  /** Cuts the file, or lengthens it by zeros. */
  truncate(size: number): Promise<void>;
  /**
   * The upload that puts the draft into place. Everything that `read` brings, which goes on working, is to be written to it in order; on a disk nothing
   * is written a second time.
   */
  settle(): Promise<WriteHandle>;
  abort(): Promise<void>;
}

/** What is known of an upload when its last byte has come. */
export interface UploadFacts {
  /** Of the bytes that the client sent; of a draft, of the whole file. In hexadecimal. */
  readonly sha256?: string;
  /** Address of the client. */
  readonly client: string;
  /** The session in the audit. */
  readonly session: string;
}

/** Why a file is in quarantine, and where it came from. */
export interface Finding extends UploadFacts {
  readonly signature?: string;
  /** Engine and version of its signatures. */
  readonly engine?: string;
  /** Why there is no verdict. */
  readonly detail?: string;
}

/** A file in quarantine. */
export interface Quarantined extends Finding {
  readonly id: string;
  /** `waiting`: for a scanner that works on its own (GuardDuty). `unscanned`: that scanner could give no verdict. */
  readonly state: 'infected' | 'waiting' | 'unscanned';
  readonly user: string;
  /** Home of the account, below the storage root. */
  readonly home: string;
  /** Where it was meant to go; virtual. */
  readonly path: string;
  readonly size: number;
  /** When it was put here, ISO 8601. */
  readonly at: string;
}

/** Files that clients may not read, for the operator. Every method may throw a StorageError. */
export interface Quarantine {
  /** The oldest first. */
  list(): Promise<Quarantined[]>;
  find(id: string): Promise<Quarantined>;
  /** Puts the file where it was meant to go; fails with `exists` where the name is taken by now. */
  release(id: string): Promise<void>;
  /** Deletes the file for good. */
  remove(id: string): Promise<void>;
}

export interface RenameOptions {
  /** Whether a file may take the place of another one. Default: false. */
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
}

export type WriteMode =
  /** The file becomes what was sent. */
  | { readonly kind: 'replace' }
  /** Fails with `exists` where the name is taken, also at commit. */
  | { readonly kind: 'create' }
  /** What is there, then what was sent. */
  | { readonly kind: 'append' }
  /** The first bytes of what is there, then what was sent. */
  | { readonly kind: 'resume'; readonly offset: number };

/**
 * One account's files. Every path is virtual and absolute, already normalised by `virtualPath` (`/`, `/a/b`), and no
 * implementation may be led out of the home by `..`, a link or a race. Every method may throw a StorageError.
 */
export interface Volume {
  /** In S3 a file and a folder can have one name; `preferred` says which of them is meant then: the file by default. */
  stat(path: string, preferred?: Entry['type']): Promise<Entry>;
  /** The entries of a folder in batches, without `.`, `..`, links and what `canBeNamed` hides, in no particular order. */
  list(path: string): AsyncIterable<readonly Entry[]>;
  /** All files of the home with their paths, in batches, however deep they lie. */
  files(signal?: AbortSignal): AsyncIterable<readonly FoundFile[]>;
  openRead(path: string, offset: number): Promise<ReadHandle>;
  openWrite(path: string, mode: WriteMode): Promise<PreparableHandle>;
  /** The same, for who may want a draft later. `whole`: at any time; else not where too much has left for a storage that gives nothing back. */
  openDraftable(path: string, mode: WriteMode, options: { readonly whole: boolean }): Promise<DraftableHandle>;
  /**
   * Renames a file or folder. A file takes the place of a file that has the name, in one step and where the account may; onto itself it
   * succeeds. Fails with `exists` where the name is that of a folder, or a folder was to take it. Where that takes long, as for a large
   * folder in S3, the signal ends it and everything is where it was.
   */
  rename(from: string, to: string, options?: RenameOptions): Promise<'renamed' | 'replaced'>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  mkdir(path: string): Promise<void>;
  /** Removes an empty folder. */
  rmdir(path: string): Promise<void>;
  setModified(path: string, time: Date): Promise<void>;
  /** Bytes that a new file may have: what the quota leaves, or the disk, whichever is less. Undefined where neither sets a bound, as in S3 without a quota. */
  available(): Promise<number | undefined>;
}

/** An account whose files are deleted when they are as old as its retention. */
export interface RetainedAccount {
  readonly user: string;
  readonly home: string;
  readonly retentionDays: number;
  readonly quota?: AccountRules['quota'];
}

/** The accounts with a retention that have logged in, written down in the storage. Every method may throw a StorageError. */
export interface RetainedAccounts {
  keep(account: RetainedAccount): Promise<void>;
  forget(user: string): Promise<void>;
  all(): AsyncIterable<RetainedAccount>;
}

/**
 * Small texts that everybody shares who serves the storage, all workers of all instances, out of the sight of clients. A name is made of words of letters,
 * digits, `.`, `_` and `-` with slashes between. Every method may throw a StorageError.
 */
export interface Notes {
  /** Writes a text where nothing has the name, and it is safe then. False where something has it, also where it got it at this very moment, by whomever. */
  create(name: string, text: string): Promise<boolean>;
  /** Writes a text, whatever has the name: whole or not at all. */
  replace(name: string, text: string): Promise<void>;
  /** Undefined where there is none. */
  read(name: string): Promise<string | undefined>;
  /** Nothing to do where there is none. */
  remove(name: string): Promise<void>;
  /** What lies in a folder, however deep: the rest of each name. */
  list(folder: string): Promise<string[]>;
  /** Removes all that lies in a folder. */
  clear(folder: string): Promise<void>;
}

/** A stretch of something long, as a listing has it. */
export interface Stretch {
  readonly name: string;
  readonly bytes: number;
  readonly modified: Date;
}

/**
 * What is too long for a note, cut into stretches of some MiB, beside the notes and as they are: shared by everybody who serves the storage, out of the sight of clients, by names of
 * the same form. Every method may throw a StorageError.
 */
export interface Stretches {
  /** Writes a stretch where nothing has the name: whole or not at all. False where something has it, by whomever. The buffer may be used again once the promise is settled. */
  create(name: string, bytes: Buffer): Promise<boolean>;
  /** Undefined where there is none. */
  read(name: string): Promise<Buffer | undefined>;
  /** What lies in a folder, however deep: the rest of each name, in no particular order. */
  list(folder: string): Promise<Stretch[]>;
  /** Removes all that lies in a folder. */
  clear(folder: string): Promise<void>;
  /** Bytes that there is room for; undefined where nothing sets a bound, as in S3. */
  room(): Promise<number | undefined>;
}

/** What of an account its files depend on. */
export type HomeRules = { readonly user: string } & Pick<AccountRules, 'home'> & Partial<Pick<AccountRules, 'quota' | 'retentionDays' | 'overwrite'>>;

/** A storage backend: makes a volume for an account, and cleans up what a crash left behind. */
export interface Storage {
  /** Opens the home of an account, creating the folder where it is missing. */
  open(account: HomeRules): Promise<Volume>;
  /** Removes what no running upload owns, one after the other. The first step has only reached the storage. */
  sweep(): AsyncGenerator<void>;
  readonly quarantine: Quarantine;
  readonly retained: RetainedAccounts;
  readonly notes: Notes;
  readonly stretches: Stretches;
  readonly prepared: Prepared;
  /** Where programs of the operator find a file: a path of the host, or an `s3://` URL. */
  locate(home: string, path: string): string;
  close(): Promise<void>;
}

export type StorageErrorCode =
  | 'not-found'
  | 'exists'
  | 'is-directory'
  | 'not-directory'
  | 'not-empty'
  | 'denied'
  | 'invalid-name'
  | 'no-space'
  | 'quota'
  | 'offset'
  | 'unsupported'
  | 'unavailable';

/** What went wrong, in words for the client: never a path of the host. */
export class StorageError extends Error {
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StorageError';
  }
}
