/** Hands events to EventBridge, some at once, again and again until it has taken them. */
import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { Retrying } from './retrying';

/** EventBridge API reference, "PutEvents": ten entries, 256 KiB altogether. */
const MOST_ENTRIES = 10;
const MOST_BYTES = 200 * 1024;
const LONGEST_WAIT_MS = 60_000;
/** What no other attempt would mend (the same page, "ErrorCode"). */
const REFUSED = /^(MalformedDetail|InvalidArgument)/;

export interface Letter {
  readonly entry: PutEventsRequestEntry;
  /** Taken, or refused for good with a reason. */
  over(reason?: string): Promise<void>;
}

export interface SenderParts {
  readonly events: Pick<EventBridgeClient, 'send'>;
  /** Told when EventBridge begins to take nothing, and when it does again. */
  state(state: 'up' | 'down', why?: string): void;
  /** Opens what waits under a name; undefined where nothing does any more. */
  open(name: string): Promise<Letter | undefined>;
}

export class Sender extends Retrying {
  constructor(private readonly parts: SenderParts) {
    super(LONGEST_WAIT_MS, (state, why) => parts.state(state, why));
  }

  /** Sends the first of those that wait. Answers why some of them go on waiting, if they do. */
  protected async round(): Promise<string | undefined> {
    const batch: { readonly name: string; readonly letter: Letter }[] = [];
    let why: string | undefined;
    try {
      for (let bytes = 0; batch.length < MOST_ENTRIES && batch.length < this.waiting.length; ) {
        const name = this.waiting[batch.length]!;
        const letter = await this.parts.open(name);
        if (!letter) {
          this.waiting.splice(batch.length, 1);
          continue;
        }
        bytes += Buffer.byteLength(letter.entry.Detail ?? '');
        if (bytes > MOST_BYTES && batch.length > 0) break;
        batch.push({ name, letter });
      }
      if (batch.length === 0) return undefined;
      const { Entries = [] } = await this.parts.events.send(new PutEventsCommand({ Entries: batch.map(({ letter }) => letter.entry) }));
      this.waiting.splice(0, batch.length);
      for (const [index, { name, letter }] of batch.entries()) {
        const failed = failureOf(Entries[index]);
        if (failed !== undefined && !REFUSED.test(failed)) {
          this.waiting.push(name);
          why = failed;
        } else await letter.over(failed);
      }
    } catch (error) {
      why = `${(error as Error).name}: ${(error as Error).message}`;
    }
    return this.ended(why);
  }
}

function failureOf(result: PutEventsResultEntry | undefined): string | undefined {
  if (result?.ErrorCode === undefined) return result?.EventId === undefined ? 'EventBridge did not say what became of the event' : undefined;
  return `${result.ErrorCode}: ${result.ErrorMessage ?? ''}`;
}
