/** What all transfer commands share: 150, the data connection, and the final reply. What is moved, what it means, and its line in the audit are the files'. */
import { type Outcome, RefusedByScanner } from '../../files/account-files';
import { type Progress, TransferError } from '../../files/progress';
import { type DataChannel, DataConnectionError, type Direction } from '../data/channel';
import { noteResumption } from '../data/secure';
import type { Session } from './session';
import { storageReply } from './storage-reply';

export interface DataTransfer {
  readonly command: string;
  /** Virtual path, for who looks at the sessions. */
  readonly path: string;
  readonly direction: Direction;
  readonly progress: Progress;
  /** Text of the 150 reply. */
  readonly opening: string;
  /** Moves the bytes over the channel, which is there as soon as it is asked for. Never throws. */
  readonly move: (connect: () => Promise<DataChannel>) => Promise<Outcome>;
  /** Gives back what was opened for a transfer that does not begin. */
  readonly discard: () => Promise<void>;
}

/** Whether a transfer may begin at all; replies why not. Called before any file is opened. */
export async function mayTransfer(session: Session): Promise<boolean> {
  session.pendingData?.commanded();
  if (session.protection !== 'private') await session.reply(521, 'Data connections are encrypted here: send PBSZ 0 and PROT P first.');
  else if (!session.pendingData) await session.reply(425, 'Send PASV or EPSV first.');
  else return true;
  return false;
}

/** Runs a transfer from 150 to its final reply. Never throws. */
export async function runTransfer(session: Session, { command, path, direction, progress, opening, move, discard }: DataTransfer): Promise<void> {
  const pending = session.takePendingData();
  // The client left while the file was opened.
  if (!pending) return discard().catch(() => {});
  let over!: () => void;
  const done = new Promise<void>((resolve) => {
    over = resolve;
  });
  const onAbort = () => pending.cancel();
  progress.signal.addEventListener('abort', onAbort);
  // Heard from here on: an ABOR that was sent along ends it at once.
  session.transfer = { command, path, progress, done };
  const connect = async () => {
    try {
      await session.reply(150, opening);
      session.flush();
      const channel = await pending.connected(direction);
      progress.signal.removeEventListener('abort', onAbort);
      return channel;
    } catch (error) {
      pending.cancel();
      throw error;
    }
  };
  let channel: DataChannel | undefined;
  const outcome = await move(async () => {
    channel = await connect();
    return channel;
  });
  if (outcome.outcome !== 'success') pending.cancel();
  else if (channel) noteResumption(session, channel, direction);
  session.transfer = undefined;
  const { code, text } = replyTo(outcome);
  await session.reply(code, text);
  session.flush();
  over();
}

/** What an upload without a good verdict is answered (RFC 959 section 4.2.2); 4xx asks the client to try again. */
const refusals = { infected: 550, 'too-large': 552, error: 451 } as const;

function replyTo({ outcome, held, error, reason = '' }: Outcome): { readonly code: number; readonly text: string } {
  if (outcome === 'success') return { code: 226, text: held ? 'Transfer complete; the file appears when it has been scanned.' : 'Transfer complete.' };
  if (outcome === 'aborted') return { code: 426, text: reason };
  if (error instanceof RefusedByScanner) return { code: refusals[error.verdict], text: reason };
  if (error instanceof DataConnectionError) return { code: error.code === 'not-resumed' ? 522 : 425, text: reason };
  if (error instanceof TransferError) return { code: error.code === 'changed' ? 451 : 426, text: reason };
  return { code: storageReply(error).code, text: reason };
}
