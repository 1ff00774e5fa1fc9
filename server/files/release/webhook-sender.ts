/** Hands events to one endpoint, some at once, again and again until it has taken them, or for so long that nobody waits for them any more. */
import { Refused, type Webhook } from './webhook';

const AT_ONCE = 4;
const FIRST_WAIT_MS = 1_000;
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

export class WebhookSender {
  private readonly waiting: string[] = [];
  private running: Promise<void> | undefined;
  private failures = 0;
  private hurry: (() => void) | undefined;
  private closing = false;

  constructor(private readonly parts: WebhookSenderParts) {}

  get size(): number {
    return this.waiting.length;
  }

  add(...names: readonly string[]): void {
    this.waiting.push(...names);
    if (this.waiting.length === 0 || this.closing) return;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      this.add(); // what came while it ended
    });
  }

  /** Goes on as long as something is taken, and answers with what is left and why. */
  async close(): Promise<{ readonly left: readonly string[]; readonly why: string | undefined }> {
    this.closing = true;
    this.hurry?.();
    await this.running;
    let why: string | undefined;
    while (this.waiting.length > 0 && why === undefined) why = await this.round();
    this.parts.webhook.close();
    return { left: this.waiting, why };
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0 && !this.closing) {
      if ((await this.round()) === undefined || this.closing) continue;
      const wait = Math.min(this.parts.longestWaitMs ?? LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures - 1, 10));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait * (0.5 + Math.random() / 2)).unref();
        this.hurry = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends the first of those that wait; what was not taken goes behind the others, so that one that never is keeps nobody. Answers why none was taken, where that is so. */
  private async round(): Promise<string | undefined> {
    const names = this.waiting.splice(0, AT_ONCE);
    const ends = await Promise.all(names.map((name) => this.send(name)));
    const failed = ends.filter((end) => end !== undefined);
    const why = failed.length === names.length ? failed[0] : undefined;
    if (why === undefined && this.failures > 0) this.parts.state('up');
    if (why !== undefined && this.failures === 0) this.parts.state('down', why);
    this.failures = why === undefined ? 0 : this.failures + 1;
    return why;
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
