/** What of its session SFTP uses. */
import type { AccountFiles } from '../../files/account-files';
import type { Progress } from '../../files/progress';
import type { Slice } from '../../limits/slice';

export interface SftpSession {
  readonly files: AccountFiles;
  /** What the connection may take of the event loop. */
  readonly slice: Slice;
  /** Says that something is being done; the returned function that it is over. */
  begins(command: string, path: string, progress: Progress): () => void;
  /** Takes a place for an open handle; false where the session has too many. */
  takeHandle(): boolean;
  giveHandleBack(): void;
  /** A request that was refused, for the audit. */
  refused(command: string, path: string, status: number): void;
  /** Says that the server is at work, so that the client need not be heard of; the returned function that it is done. */
  works(): () => void;
  /** Whether what can't be kept, as permissions and owners, is passed over without a word. */
  readonly ignoresAttributes: boolean;
}
