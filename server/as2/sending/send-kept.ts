/** Sends a message that is kept: all of it, or behind what the partner says to have (draft-harding-as2-restart-07). */
import type { As2Partner } from '../../config';
import type { As2Parts } from '../engine';
import { as2Headers } from '../receiving/receipt';
import { writeRange, writeTransferId } from '../restart/headers';
import type { Job, Kept } from './job';
import type { KeptMessages } from './keeping';
import { type Answered, type Post, post } from './post';

/** Who does not take a rest so often, or does not say how much it has, gets all of it once. */
const MOST_REFUSALS = 2;
/** Too many at once, or out of order for a while. */
const LATER = new Set([429, 500, 502, 503, 504]);
const NOTHING = Buffer.alloc(0);

export interface SendingKept {
  readonly parts: As2Parts & { readonly messages: KeptMessages };
  readonly partner: As2Partner;
  readonly job: Job;
  readonly kept: Kept;
  /** Whether the partner may have something of it from an attempt before. */
  readonly wasSent: boolean;
  readonly asked: (ofMessage: Readonly<Record<string, string>>) => Omit<Post, 'body'>;
  readonly note: (kept: Kept) => Promise<void>;
}

/** Rejected where there is no answer. */
export async function sendKept({
  parts,
  partner,
  job,
  kept,
  wasSent,
  asked,
  note,
}: SendingKept): Promise<{ readonly answered: Answered; readonly isWhole: boolean }> {
  const { id, bytes, headers } = kept;
  let now = kept;
  const change = async (changes: Partial<Kept>) => {
    now = { ...now, ...changes };
    await note(now);
  };
  const refused = () => change({ refusals: now.refusals + 1 });
  let has = 0;
  // The attempt after that asks again: a line that is cut would never bring all of it.
  if (kept.refusals >= MOST_REFUSALS) await change({ refusals: 0 });
  else if (wasSent) {
    let isConnected = false;
    const question: Omit<Post, 'body'> = {
      ...asked({}),
      headers: headOf(parts, partner, job, id),
      onConnected: () => {
        isConnected = true;
      },
    };
    has = await bytesAt(partner, question, bytes).catch(async (error: Error) => {
      // Somebody is there who may not want to be asked, unless it has answered before: then it is out of order for a while.
      if (isConnected && now.reached === 0) await refused();
      throw error;
    });
  }
  if (has > now.reached) await change({ reached: has });
  // Who has all of it, and was not heard, gets its last byte again (section 3.2).
  const first = Math.min(has, bytes - 1);
  let sent = first;
  async function* rest() {
    for await (const piece of parts.messages.bodyOf(job, kept).read(first)) {
      sent += piece.length;
      yield piece;
    }
    if (sent !== bytes) throw new Error('what was sealed is not there any more');
  }
  const range: Record<string, string> = first === 0 ? {} : { 'Content-Range': writeRange({ first, last: bytes - 1, total: bytes }) };
  const answered = await post(
    { ...asked({ ...headers, Etag: writeTransferId(id), ...range, 'Content-Length': String(bytes - first) }), body: rest() },
    partner,
  );
  if (first > 0 && answered.status >= 400 && answered.status < 500) await refused();
  return { answered, isWhole: sent === bytes };
}

/** How much of a message a partner has; 0 from one that does not say, as who does not know HEAD. Rejected where it may say so later. */
async function bytesAt(partner: As2Partner, asked: Omit<Post, 'body' | 'method'>, bytes: number): Promise<number> {
  const { status, headers } = await post({ ...asked, method: 'HEAD', body: NOTHING }, partner);
  if (LATER.has(status)) throw new Error(`the partner was asked how much it has, and answered ${status}`);
  const length = headers['content-length'];
  if (status !== 200 || typeof length !== 'string' || !/^\d{1,15}$/.test(length)) return 0;
  return Number(length) <= bytes ? Number(length) : 0;
}

/** A request that asks needs no more (section 5.1). */
function headOf({ config }: As2Parts, { as2Id, send }: As2Partner, { messageId }: Job, id: string): Record<string, string> {
  const {
    'AS2-Version': version,
    'AS2-From': from,
    'AS2-To': to,
  } = as2Headers({ from: config.as2.identity.as2Id, to: as2Id, messageId, subject: send.subject });
  return { 'AS2-Version': version!, 'AS2-From': from!, 'AS2-To': to!, Etag: writeTransferId(id) };
}
