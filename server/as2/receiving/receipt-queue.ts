/**
 * Receipts that go by a request of their own: written down before the message's record says that it was delivered, sent by the process that took it, and
 * again by who holds the lease until the partner has taken them.
 */
import type { Audit } from '../../audit/event';
import type { As2Config, As2Partner } from '../../config';
import type { Notes } from '../../files/files';
import { keyOf, type RecordedReceipt } from '../records';
import { post } from '../sending/post';

const FOLDER = 'as2/receipts';
/** Who added it tries first; then it is the turn of who holds the lease. */
const OWN_TURN_MS = 60_000;

interface Waiting {
  readonly partner: string;
  /** Of what is receipted. */
  readonly messageId: string;
  readonly receipt: RecordedReceipt;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly nextAt: number;
}

export class ReceiptQueue {
  private readonly own = new Set<string>();
  private running: Promise<void> = Promise.resolve();
  private readonly closing = new AbortController();

  constructor(
    private readonly parts: { readonly notes: Notes; readonly audit: Audit; readonly settings: As2Config },
    private readonly isLeader: () => boolean,
  ) {}

  async add({ as2Id: partner }: As2Partner, messageId: string, receipt: RecordedReceipt): Promise<void> {
    const name = `${keyOf('received', partner, messageId)}.json`;
    await this.write(name, { partner, messageId, receipt, attempts: 0, nextAt: Date.now() + OWN_TURN_MS });
    this.own.add(name);
  }

  /** Sends those that this process has added. */
  poke(): void {
    const names = [...this.own];
    this.own.clear();
    this.running = this.running.then(async () => {
      for (const name of names) await this.attempt(name);
    });
  }

  /** Sends what others have left, where that is this process's to do. */
  async round(): Promise<void> {
    for (const name of await this.parts.notes.list(FOLDER)) {
      const waiting = await this.read(name);
      if (waiting && waiting.nextAt <= Date.now() && this.isLeader()) await this.attempt(name, waiting);
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async attempt(name: string, known?: Waiting): Promise<void> {
    const waiting = known ?? (await this.read(name).catch(() => undefined));
    const partner = waiting && this.parts.settings.partners.find(({ as2Id }) => as2Id === waiting.partner);
    if (!waiting || this.closing.signal.aborted) return;
    if (!partner) return this.parts.notes.remove(`${FOLDER}/${name}`);
    const { receipt, attempts } = waiting;
    const detail = await post(
      { url: receipt.deliverTo!, headers: receipt.headers, body: Buffer.from(receipt.body, 'base64'), signal: this.closing.signal },
      { silentSeconds: partner.silentSeconds, tlsCa: partner.tlsCa, allowPlainHttp: partner.allowPlainHttp },
    ).then(
      ({ status }) => (status >= 200 && status < 300 ? undefined : `answered ${status}`),
      (error: Error) => error.message,
    );
    if (detail !== undefined && this.closing.signal.aborted) return;
    const isLast = attempts + 1 >= partner.retry.attempts;
    if (detail === undefined || isLast) await this.parts.notes.remove(`${FOLDER}/${name}`);
    else {
      const wait = Math.min(partner.retry.longestSeconds, partner.retry.firstSeconds * 2 ** attempts) * 1000;
      await this.write(name, { ...waiting, attempts: attempts + 1, nextAt: Date.now() + wait }).catch(() => {}); // it stays as it was
    }
    this.parts.audit.record({
      kind: 'as2-delivery',
      what: 'receipt',
      partner: partner.as2Id,
      user: partner.account,
      messageId: waiting.messageId,
      outcome: detail === undefined ? 'success' : 'failure',
      state: detail === undefined ? 'sent' : isLast ? 'given-up' : 'waiting',
      detail,
    });
  }

  private async read(name: string): Promise<Waiting | undefined> {
    const text = await this.parts.notes.read(`${FOLDER}/${name}`);
    return text === undefined ? undefined : (JSON.parse(text) as Waiting);
  }

  private async write(name: string, waiting: Waiting): Promise<void> {
    await this.parts.notes.replace(`${FOLDER}/${name}`, JSON.stringify(waiting));
  }
}
