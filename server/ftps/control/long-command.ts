/**
 * Commands that may work for long without a data connection: hashes of large files, counts of large homes, large folders renamed in S3. The
 * session is not idle meanwhile; ABOR, the end of the connection and a drain end the work; other commands that may be heard get their replies
 * beside it, but for those that were sent along with it (`Session.hear`).
 */
import { Progress } from '../../files/progress';
import type { Session } from './session';
import { storageReply } from './storage-reply';

export interface LongCommand {
  readonly command: string;
  /** Virtual path, for STAT and whoever looks at the sessions. */
  readonly path: string;
  /** Does the work, and answers with the reply to it. What it holds it gives back by itself, also when nobody waits for it any more. */
  readonly act: (progress: Progress) => Promise<{ readonly code: number; readonly text: string }>;
}

/** Runs it to its final reply. Never throws. */
export async function runLong(session: Session, { command, path, act }: LongCommand): Promise<void> {
  const progress = new Progress();
  const { signal } = progress;
  let over!: () => void;
  const done = new Promise<void>((resolve) => {
    over = resolve;
  });
  session.transfer = { command, path, progress, done, needsNoData: true };
  let reply: { readonly code: number; readonly text: string };
  try {
    if (session.ended) progress.abort(); // the client left before its turn came
    signal.throwIfAborted();
    const work = act(progress);
    reply = await Promise.race([work, aborted(signal)]);
  } catch (error) {
    const { code, error: known } = storageReply(error);
    // Not 426, which speaks of a data connection (RFC 959 section 4.2.2).
    reply = signal.aborted ? { code: 451, text: `${command} was aborted.` } : { code, text: known.message };
  }
  session.transfer = undefined;
  await session.reply(reply.code, reply.text);
  session.flush();
  over();
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
