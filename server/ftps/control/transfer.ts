/** What all transfer commands share: 150, the data connection, the bytes, the final reply, and exactly one audit event. */
import type { ServerEvent, TransferKind } from '../../audit/event';
import { countTransfer } from '../../files/buffers';
import { Progress, TransferError } from '../../files/progress';
import { StorageError } from '../../files/storage/storage';
import { type Pace, paceOf, type Way } from '../../limits/bandwidth';
import { type DataChannel, DataConnectionError, type Direction } from '../data/channel';
import { noteResumption } from '../data/secure';
import type { Session } from './session';
import { storageReply } from './storage-reply';

type TransferEvent = Extract<ServerEvent, { kind: 'transfer' }>;

/** What a transfer adds to its audit event when it ends. */
export type TransferResult = Pick<TransferEvent, 'sha256' | 'verdict'>;

export interface TransferPlan {
  readonly kind: TransferKind;
  readonly command: string;
  /** Virtual path, for the audit. */
  readonly path: string;
  readonly offset: number;
  /** Text of the 150 reply. */
  readonly opening: string;
  /** Moves the bytes. Whatever it throws ends the transfer, and `undo` is called. */
  readonly move: (channel: DataChannel, progress: Progress) => Promise<TransferResult>;
  /** Text of the 226 reply, where it is not the usual one. */
  readonly ended?: () => string | undefined;
  /** Gives back what was opened for a transfer that did not end well. */
  readonly undo: () => Promise<void>;
}

/** Whether a transfer may begin at all; replies why not. Called before any file is opened. */
export async function mayTransfer(session: Session): Promise<boolean> {
  session.pendingData?.commanded();
  if (session.protection !== 'private') await session.reply(521, 'Data connections are encrypted here: send PBSZ 0 and PROT P first.');
  else if (!session.pendingData) await session.reply(425, 'Send PASV or EPSV first.');
  else return true;
  session.restartAt = 0;
  return false;
}

/** The pace that limits of the server and of the account set, or undefined. */
export function paceFor({ engine, account }: Session, way: Way): Pace | undefined {
  return paceOf(engine.bandwidth, engine.config.limits.bandwidth, account!, way);
}

/** Runs the plan from 150 to its final reply. Never throws. */
export async function runTransfer(session: Session, plan: TransferPlan): Promise<void> {
  const pending = session.takePendingData();
  // The client left while the file was opened.
  if (!pending) return plan.undo().catch(() => {});
  const progress = new Progress();
  const direction: Direction = plan.kind === 'upload' ? 'in' : 'out';
  let over!: () => void;
  const done = new Promise<void>((resolve) => {
    over = resolve;
  });
  session.transfer = { command: plan.command, path: plan.path, progress, done };
  const uncount = countTransfer();
  const onAbort = () => pending.cancel();
  progress.signal.addEventListener('abort', onAbort);
  let ending: Ending;
  try {
    await session.reply(150, plan.opening);
    session.flush();
    const channel = await pending.connected(direction);
    progress.signal.removeEventListener('abort', onAbort);
    const result = await plan.move(channel, progress);
    noteResumption(session, channel, direction);
    ending = { code: 226, text: plan.ended?.() ?? 'Transfer complete.', outcome: 'success', result };
  } catch (error) {
    pending.cancel();
    await plan.undo().catch(() => {}); // the transfer's own error is the one to tell
    ending = endingOf(error, progress);
  }
  uncount();
  session.engine.audit.record({
    kind: 'transfer',
    transfer: plan.kind,
    command: plan.command,
    path: plan.path,
    outcome: ending.outcome,
    bytes: progress.bytes,
    offset: plan.offset,
    seconds: progress.seconds,
    encrypted: true,
    reason: ending.outcome === 'success' ? undefined : ending.text,
    ...ending.result,
    ...session.facts,
  });
  session.transfer = undefined;
  await session.reply(ending.code, ending.text);
  session.flush();
  over();
}

interface Ending {
  readonly code: number;
  readonly text: string;
  readonly outcome: TransferEvent['outcome'];
  readonly result?: TransferResult;
}

/** What an upload without a good verdict is answered (RFC 959 section 4.2.2); 4xx asks the client to try again. */
const refusals = {
  infected: { code: 550, text: 'The file is infected and was refused.' },
  'too-large': { code: 552, text: 'The file is too large to be scanned and was refused.' },
  error: { code: 451, text: 'The file could not be scanned and was refused; try again.' },
} as const;

/** An upload that the scanner did not find clean; its audit event has the verdict. */
export class RefusedByScanner extends Error {
  readonly refusal: (typeof refusals)[keyof typeof refusals];

  constructor(
    readonly result: TransferResult,
    verdict: keyof typeof refusals,
  ) {
    super(refusals[verdict].text);
    this.refusal = refusals[verdict];
  }
}

function endingOf(error: unknown, progress: Progress): Ending {
  if (progress.signal.aborted) return { code: 426, text: 'Transfer aborted.', outcome: 'aborted' };
  if (error instanceof RefusedByScanner) return { ...error.refusal, outcome: 'failure', result: error.result };
  if (error instanceof TransferError) return { code: error.code === 'changed' ? 451 : 426, text: `${error.message}.`, outcome: 'failure' };
  if (error instanceof DataConnectionError) return { code: error.code === 'not-resumed' ? 522 : 425, text: `${error.message}.`, outcome: 'failure' };
  if (error instanceof StorageError) return { code: storageReply(error).code, text: error.message, outcome: 'failure' };
  const known = storageReply(error);
  return { code: known.code, text: known.error.message, outcome: 'failure' };
}
