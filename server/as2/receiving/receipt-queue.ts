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
/** Receipts for one partner that wait for their turn, beyond which one for a message that nobody has proven to be the partner's is not given. */
const MOST_UNPROVEN = 16;

interface Waiting {
  readonly partner: string;
  /** Of what is receipted. */
  readonly messageId: string;
  readonly receipt: RecordedReceipt;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly nextAt: number;
}

/** Receipts of one partner, sent one behind the other: who is slow keeps nobody else waiting. */
interface Lane {
  readonly names: Set<string>;
  last: Promise<void>;
}

export class ReceiptQueue {
  /** Added here, with their partners, and not begun with. */
  private readonly own = new Map<string, string>();
  private readonly lanes = new Map<string, Lane>();
  private readonly closing = new AbortController();

  constructor(
    private readonly parts: { readonly notes: Notes; readonly audit: Audit; readonly settings: As2Config },
    private readonly isLeader: () => boolean,
  ) {}

  async add({ as2Id: partner }: As2Partner, messageId: string, receipt: RecordedReceipt): Promise<void> {
    const name = nameOf(partner, messageId);
    await this.write(name, { partner, messageId, receipt, attempts: 0, nextAt: Date.now() + OWN_TURN_MS });
    this.own.set(name, partner);
  }

  /**
   * The same of a message that anybody may have sent in the partner's name: it takes the place of no other one, is tried once, and is not given where
   * many wait already.
   */
  async addUnproven({ as2Id: partner, retry }: As2Partner, messageId: string, receipt: RecordedReceipt): Promise<void> {
    const name = nameOf(partner, messageId);
    const waiting = (this.lanes.get(partner)?.names.size ?? 0) + [...this.own.values()].filter((one) => one === partner).length;
    if (waiting >= MOST_UNPROVEN) return;
    const once: Waiting = { partner, messageId, receipt, attempts: retry.attempts - 1, nextAt: Date.now() + OWN_TURN_MS };
    if (await this.parts.notes.create(`${FOLDER}/${name}`, JSON.stringify(once))) this.own.set(name, partner);
  }

  /** Sends those that this process has added. */
  poke(): void {
    for (const [name, partner] of this.own) this.begin(partner, name);
    this.own.clear();
  }

  /** Begins to send what others have left, where that is this process's to do. */
  async round(): Promise<void> {
    for (const name of await this.parts.notes.list(FOLDER)) {
      const waiting = await this.read(name);
      if (waiting && waiting.nextAt <= Date.now() && this.isLeader()) this.begin(waiting.partner, name);
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all([...this.lanes.values()].map(({ last }) => last));
  }

  private begin(partner: string, name: string): void {
    const lane = this.lanes.get(partner) ?? { names: new Set(), last: Promise.resolve() };
    if (lane.names.has(name)) return;
    this.lanes.set(partner, lane);
    lane.names.add(name);
    lane.last = lane.last
      .then(() => this.attempt(name))
      .catch(() => {}) // it stays as it was
      .then(() => {
        lane.names.delete(name);
        if (lane.names.size === 0) this.lanes.delete(partner);
      });
  }

  private async attempt(name: string): Promise<void> {
    const waiting = await this.read(name);
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

function nameOf(partner: string, messageId: string): string {
  return `${keyOf('received', partner, messageId)}.json`;
}
