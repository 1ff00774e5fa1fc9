/** What taking messages works with; one set for a process. */
import type { FairTurns } from '../../files/fair-turns';
import type { As2Parts } from '../engine';
import type { Keys } from '../keys';
import type { MessageRecord, Owner, Records } from '../records';
import type { KeptBodies } from '../restart/kept-bodies';
import type { Answers } from '../sending/answers';
import { Journal } from './journal';
import type { Naming } from './naming';
import type { ReceiptQueue } from './receipt-queue';

export interface ReceivingParts extends As2Parts {
  readonly keys: Keys;
  readonly records: Records;
  readonly owner: Owner;
  /** Messages whose payloads this process puts into place now: the partner and the Message-ID. */
  readonly delivering: Set<string>;
  readonly naming: Naming;
  /** What came of messages whose connection ended. */
  readonly bodies: KeptBodies;
  /** Receipts that go by a request of their own. */
  readonly receipts: ReceiptQueue;
  /** Places for making receipts that anybody may have asked for, by addresses. */
  readonly strangersReceipts: FairTurns;
  /** Receipts for what we sent. */
  readonly answers: Answers;
}

export function journalOf({ records, files, owner, delivering, receipts, config }: ReceivingParts, partner: string, messageId: string): Journal {
  const beforeDone = async (record: MessageRecord) => {
    const asked = config.as2.partners.find(({ as2Id }) => as2Id === record.partner);
    if (asked && record.receipt?.deliverTo !== undefined) await receipts.add(asked, record.messageId, record.receipt);
  };
  return new Journal({ records, prepared: files.prepared, owner, delivering, beforeDone }, partner, messageId);
}
