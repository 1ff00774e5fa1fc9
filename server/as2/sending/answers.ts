/** Asynchronous receipts for what we sent: taken by whichever process they come to, and read by the one that sends. */

import type { As2Partner } from '../../config';
import type { Notes } from '../../files/files';
import type { Opened, Receipt } from '../message';
import { keyOf, type RecordedReceipt } from '../records';
import type { Jobs } from './job';

const FOLDER = 'as2/answers';

/** What a receipt says, and what is known of it. */
export interface Answer {
  readonly receipt: Receipt;
  /** SHA-256 of the certificate by which it is signed. */
  readonly signer?: string;
  /** As it came, where it was kept. */
  readonly raw?: RecordedReceipt;
}

export function answerOf({ receipt, signer }: Opened, raw?: RecordedReceipt): Answer {
  return { receipt: receipt!, signer: signer?.fingerprint256.replaceAll(':', '').toLowerCase(), raw };
}

export class Answers {
  constructor(
    private readonly notes: Notes,
    private readonly jobs: Pick<Jobs, 'has'>,
    /** Called when one has come. */
    private readonly come: () => void,
  ) {}

  /**
   * `unknown`: nobody waits for it. `unproven`: it is not signed, and has to be: whoever knows the Message-ID can send one, and it neither ends the message nor keeps out the one that is
   * the partner's.
   */
  async take({ as2Id: partner, receipt: wanted }: As2Partner, opened: Opened, raw?: RecordedReceipt): Promise<'taken' | 'unknown' | 'unproven'> {
    const messageId = opened.receipt?.originalMessageId?.trim();
    if (messageId === undefined || !(await this.jobs.has({ partner, messageId }))) return 'unknown';
    const answer = answerOf(opened, raw);
    if (wanted.signed && answer.signer === undefined) return 'unproven';
    // The first one counts.
    await this.notes.create(noteOf(partner, messageId), JSON.stringify(answer));
    this.come();
    return 'taken';
  }

  async read(partner: string, messageId: string): Promise<Answer | undefined> {
    const text = await this.notes.read(noteOf(partner, messageId));
    return text === undefined ? undefined : (JSON.parse(text) as Answer);
  }

  remove(partner: string, messageId: string): Promise<void> {
    return this.notes.remove(noteOf(partner, messageId));
  }
}

function noteOf(partner: string, messageId: string): string {
  return `${FOLDER}/${keyOf('sent', partner, messageId)}.json`;
}
