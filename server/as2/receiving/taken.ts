/** A message that was taken: who sent it, how it ended, and what is said of that in the audit and in its record. */
import type { ServerEvent, SessionFacts } from '../../audit/event';
import type { As2Partner } from '../../config';
import type { AccountFiles } from '../../files/account-files';
import type { Account } from '../../identity/identity';
import type { Layer, MessageFailure, Opened } from '../message';
import type { MessageRecord, RecordedPayload, RecordedReceipt } from '../records';
import type { Journal } from './journal';

/** Until its message was read, and found to be what a partner's has to be, anybody may have sent it. */
export type Facts = Omit<SessionFacts, 'isUnproven'> & { isUnproven: boolean };

/** Who sends, as whom. */
export interface Known {
  readonly partner: As2Partner;
  readonly account: Account;
  readonly files: AccountFiles;
  readonly facts: Facts;
  readonly journal: Journal;
}

/** How a message ended, for the answer and the audit. */
export interface Ending {
  readonly opened?: Opened;
  readonly payloads: readonly RecordedPayload[];
  readonly failure?: MessageFailure;
  readonly receipt?: RecordedReceipt;
  /** It had come before. */
  readonly isRepeated?: true;
}

/** The status of the answer. */
export function statusOf({ failure, receipt }: Ending): number {
  if (!failure || receipt) return 200;
  return failure.disposition === 'unexpected-processing-error' ? 500 : 403;
}

/** As the audit has it. */
export function eventOf({ partner, facts }: Known, ending: Ending, { messageId, path }: { readonly messageId: string; readonly path: string }): ServerEvent {
  const { receipt, failure, opened, payloads, isRepeated } = ending;
  return {
    kind: 'as2-message',
    direction: 'received',
    partner: partner.as2Id,
    messageId,
    outcome: failure ? 'failure' : 'success',
    what: opened?.receipt ? 'receipt' : isRepeated ? 'repeated message' : 'message',
    disposition: opened?.receipt ? opened.receipt.disposition : (failure?.disposition ?? 'processed'),
    layers: opened && layersOf(opened).join(', '),
    mic: opened && `${opened.mic.value}, ${opened.mic.name}`,
    bytes: payloads.reduce((sum, { bytes }) => sum + bytes, 0),
    receipt: !receipt ? 'none' : receipt.deliverTo === undefined ? 'sync' : 'async',
    path,
    status: statusOf(ending),
    detail: failure?.message,
    ...facts,
  };
}

/** As its record has it. `own`: our AS2 name. */
export function recordOf(
  { partner, account, facts }: Known,
  opened: Opened,
  { payloads, messageId, own }: { readonly payloads: readonly RecordedPayload[]; readonly messageId: string; readonly own: string },
): Omit<MessageRecord, 'state' | 'disposition'> {
  return {
    direction: 'received',
    partner: partner.as2Id,
    own,
    account: account.user,
    messageId,
    at: new Date().toISOString(),
    layers: layersOf(opened),
    signer: opened.signer?.fingerprint256.replaceAll(':', '').toLowerCase(),
    payloads,
    mic: opened.mic,
    session: facts.session,
    address: facts.client.address,
  };
}

function layersOf({ layers }: Opened): string[] {
  return layers.map((layer: Layer) =>
    layer.kind === 'encrypted' ? `encrypted ${layer.cipher}` : layer.kind === 'signed' ? `signed ${layer.digest}` : 'compressed',
  );
}
