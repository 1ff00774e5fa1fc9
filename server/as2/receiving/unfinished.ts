/**
 * Messages whose delivery a crash has cut, and that their partners never sent again: an end for each, told to the audit. What of them waited unseen is taken away; what has appeared stays, and a
 * partner who comes after all gets what is missing.
 */
import { randomUUID } from 'node:crypto';
import { accountOf, filesOf } from '../agreement';
import type { MessageRecord } from '../records';
import { BeingDelivered } from './journal';
import { journalOf, type ReceivingParts } from './parts';

/** So long a partner has for sending it again. Shorter than the storage knows what has appeared (`Prepared`). */
const END_MS = 6 * 3_600_000;

export class Unfinished {
  constructor(private readonly parts: ReceivingParts) {}

  /** Rejected where the storage does not answer. */
  async round(now = Date.now()): Promise<void> {
    for (const record of await this.parts.records.openSince(now - END_MS)) await this.end(record);
  }

  private async end(record: MessageRecord): Promise<void> {
    const { partner, messageId, account: user, session, payloads } = record;
    const journal = journalOf(this.parts, partner, messageId);
    const nowhere = { address: '127.0.0.1', port: 0 };
    const facts = { session: session || randomUUID(), protocol: 'as2', listener: 'as2', client: nowhere, server: nowhere, user } as const;
    const account = await accountOf(this.parts, { account: user }).catch(() => undefined);
    // Without its account nobody can say what has appeared; what waited is gone from the storage in a day.
    const settled = account ? await journal.settled(await filesOf(this.parts, account, facts)).catch(unlessDelivered) : record;
    const isDone = settled?.state === 'done';
    if (!settled || settled.state === 'failed') return;
    const has =
      settled.state === 'partial'
        ? `${settled.payloads.length} of its payloads ${settled.payloads.length === 1 ? 'is' : 'are'} in the inbox`
        : 'what of it is in the inbox is not known';
    const detail = isDone
      ? 'its delivery was cut by the end of a process, and was found to be whole'
      : `its delivery was cut, nobody has sent it again, and ${has}`;
    if (!isDone && !(await journal.giveUp(settled, detail))) return;
    this.parts.audit.record({
      kind: 'as2-delivery',
      what: 'received message',
      partner,
      user,
      messageId,
      outcome: isDone ? 'success' : 'failure',
      state: isDone ? 'delivered' : 'given-up',
      payloads: (isDone ? payloads : settled.payloads).map(({ name, path, bytes, sha256 }) => ({ name: name ?? path, bytes, sha256 })),
      detail,
    });
  }
}

function unlessDelivered(error: unknown): undefined {
  if (!(error instanceof BeingDelivered)) throw error;
}
