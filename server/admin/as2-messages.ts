/** The last messages of AS2, for somebody who looks: what came, what was sent, and how each stands. All that was ever exchanged is told by the records. */
import type { Audit, ServerEvent } from '../audit/event';
import { overheard } from '../audit/overheard';

export interface As2Message {
  /** Of the last that is known of it. ISO 8601. */
  readonly at: string;
  /** AS2 name. */
  readonly partner: string;
  readonly direction: 'received' | 'sent';
  readonly messageId: string;
  /** The disposition of what came; `delivered`, `failed`, `awaiting` its receipt, `waiting` for the next attempt or `incomplete` of what is sent. */
  readonly state: string;
  readonly failed: boolean;
  /** File, or why it failed. */
  readonly about: string;
}

const MOST = 100;

export class RecentAs2 {
  /** By direction, partner and Message-ID; the oldest first. */
  private readonly messages = new Map<string, As2Message>();

  /** The newest first. */
  get last(): readonly As2Message[] {
    return [...this.messages.values()].reverse();
  }

  /** Listens to the events on their way to the audit. */
  hearing(audit: Audit): Audit {
    return overheard(audit, (event) => this.hear(event));
  }

  private hear(event: ServerEvent): void {
    const at = new Date().toISOString();
    // The receipt of what was sent is told again with what it means for the message.
    if (event.kind === 'as2-message' && event.what !== 'receipt')
      this.keep({
        at,
        partner: event.partner,
        direction: 'received',
        messageId: event.messageId,
        state: event.what === 'message' ? event.disposition : `${event.disposition}, repeated`,
        failed: event.outcome === 'failure',
        about: event.detail ?? '',
      });
    if (event.kind === 'as2-delivery')
      this.keep({
        at,
        partner: event.partner,
        // A receipt of ours belongs to a message that came.
        direction: event.what === 'message' ? 'sent' : 'received',
        // A folder that is not whole is no message yet.
        messageId: event.messageId ?? event.path ?? '',
        state: event.what === 'receipt' ? `receipt ${event.state}` : event.state,
        failed: event.outcome === 'failure',
        about: [event.path, event.outcome === 'failure' ? event.detail : undefined].filter(Boolean).join(': '),
      });
  }

  private keep(message: As2Message): void {
    const key = JSON.stringify([message.direction, message.partner, message.messageId]);
    this.messages.delete(key);
    this.messages.set(key, message);
    if (this.messages.size > MOST) this.messages.delete(this.messages.keys().next().value!);
  }
}

/** Of several processes: a message that several had to do with stands as the last of them says. */
export function newest(lists: readonly (readonly As2Message[])[]): As2Message[] {
  const seen = new Set<string>();
  return lists
    .flat()
    .sort((one, other) => other.at.localeCompare(one.at))
    .filter(({ direction, partner, messageId }) => {
      const key = JSON.stringify([direction, partner, messageId]);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .slice(0, MOST);
}
