/** Hands events to one endpoint, some at once, again and again until it has taken them, or for so long that nobody waits for them any more. */
import { Retrying } from './retrying';
import { Refused, type Webhook } from './webhook';

const AT_ONCE = 4;
const LONGEST_WAIT_MS = 300_000;

export interface Parcel {
  readonly id: string;
  readonly body: string;
  /** When its upload was begun. Milliseconds since 1970. */
  readonly since: number;
  /** Taken, or not any more to be sent for a reason. */
  over(reason?: string): Promise<void>;
}

export interface WebhookSenderParts {
  readonly webhook: Pick<Webhook, 'post' | 'close'>;
  /** Given up when its upload is so old. Milliseconds. */
  readonly giveUpMs: number;
  /** Told when the endpoint begins to take nothing, and when it does again. */
  state(state: 'up' | 'down', why?: string): void;
  /** Opens what waits under a name; undefined where nothing does any more. */
  open(name: string): Promise<Parcel | undefined>;
  /** Waits at most so many milliseconds before a retry. Smaller in tests. */
  readonly longestWaitMs?: number;
}

export class WebhookSender extends Retrying {
  constructor(private readonly parts: WebhookSenderParts) {
    super(parts.longestWaitMs ?? LONGEST_WAIT_MS, (state, why) => parts.state(state, why));
  }

  override async close(): ReturnType<Retrying['close']> {
    const end = await super.close();
    this.parts.webhook.close();
    return end;
  }

  /** Sends the first of those that wait; what was not taken goes behind the others, so that one that never is keeps nobody. Answers why none was taken, where that is so. */
  protected async round(): Promise<string | undefined> {
    const names = this.waiting.splice(0, AT_ONCE);
    const ends = await Promise.all(names.map((name) => this.send(name)));
    const failed = ends.filter((end) => end !== undefined);
    return this.ended(failed.length === names.length ? failed[0] : undefined);
  }

  /** Answers why it was not taken; it waits again then. */
  private async send(name: string): Promise<string | undefined> {
    let parcel: Parcel | undefined;
    try {
      parcel = await this.parts.open(name);
      if (!parcel) return undefined;
      await this.parts.webhook.post(parcel.id, parcel.body);
      await parcel.over();
      return undefined;
    } catch (error) {
      const { message } = error as Error;
      const isOld = parcel !== undefined && Date.now() - parcel.since >= this.parts.giveUpMs;
      if (parcel && (error instanceof Refused || isOld)) {
        await parcel.over(isOld ? `given up, tried since ${new Date(parcel.since).toISOString()}: ${message}` : message).catch(() => {});
        return error instanceof Refused ? undefined : message;
      }
      this.waiting.push(name);
      return message;
    }
  }
}
