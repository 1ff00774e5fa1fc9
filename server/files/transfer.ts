/** What all transfers share, whatever the protocol: how far they are, how their end is told, and exactly one line in the audit. */
import type { ServerEvent, SessionFacts, TransferKind } from '../audit/event';
import { countTransfer } from './buffers';
import type { Outcome } from './outcome';
import type { FilesParts } from './parts';
import { BrokenOff, type Progress } from './progress';
import { RefusedByScanner } from './refused';
import { StorageError } from './storage/storage';

type TransferEvent = Extract<ServerEvent, { kind: 'transfer' }>;

/** What a transfer that ended well adds to its outcome. */
export type TransferResult = Pick<Outcome, 'held' | 'sha256' | 'verdict'>;

export interface TransferPlan {
  readonly kind: TransferKind;
  readonly command: string;
  readonly path: string;
  /** The first byte of the file that was moved. Asked for at the end. */
  readonly offset: () => number;
  readonly progress: Progress;
  /** Moves the bytes. Whatever it throws ends the transfer, and `undo` is called. */
  readonly act: () => Promise<TransferResult>;
  /** Gives back what was opened for a transfer that did not end well. */
  readonly undo: () => Promise<void>;
}

/** Runs a transfer to its end. Never throws. */
export async function runTransfer(plan: TransferPlan, { audit, load }: Pick<FilesParts, 'audit' | 'load'>, facts: SessionFacts): Promise<Outcome> {
  const { progress } = plan;
  const uncount = [countTransfer(), load.add(progress)];
  const outcome = await plan.act().then(
    (result): Outcome => ({ outcome: 'success', ...result }),
    async (error: unknown): Promise<Outcome> => {
      await plan.undo().catch(() => {}); // the transfer's own error is the one to tell
      return endingOf(error, progress);
    },
  );
  for (const one of uncount) one();
  audit.record({
    kind: 'transfer',
    transfer: plan.kind,
    command: plan.command,
    path: plan.path,
    outcome: outcome.outcome,
    bytes: progress.bytes,
    offset: plan.offset(),
    seconds: progress.seconds,
    encrypted: true,
    reason: outcome.reason,
    sha256: outcome.sha256,
    verdict: outcome.verdict satisfies TransferEvent['verdict'],
    ...facts,
  });
  return outcome;
}

function endingOf(error: unknown, progress: Progress): Outcome {
  if (progress.signal.aborted) return { outcome: 'aborted', reason: 'Transfer aborted.', error: progress.signal.reason };
  if (error instanceof RefusedByScanner) return { outcome: 'failure', reason: error.message, error, ...error.result };
  if (error instanceof BrokenOff) return { outcome: 'failure', reason: `${error.message}.`, error };
  return { outcome: 'failure', reason: safe(error).message, error };
}

/** An error that may be told to a client: what is not known to be safe to tell is not told. */
export function safe(error: unknown): StorageError {
  return error instanceof StorageError ? error : new StorageError('unavailable', 'The server had an error of its own; try again.', { cause: error });
}
