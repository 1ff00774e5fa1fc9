/** Requests that are answered without a receipt: what is said to the partner, and the word that the audit counts. */
import { NotNow, WrongRange } from '../restart/incoming';
import { OtherBytes } from '../restart/stretched';
import { BeingDelivered } from './journal';

export const RETRY_AFTER = { 'retry-after': '60' };

/** A request that is answered without a receipt. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** One word for the audit. */
    readonly reason: string,
    /** For the partner. */
    text: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(text);
  }
}

export const byPost = () => new Refused(405, 'method', 'Messages are sent by POST.', { allow: 'POST' });
export const busy = () => new Refused(503, 'delivering', 'The same message is just being delivered; try again later.', RETRY_AFTER);

/** The answer to a part of a message that can't be taken now; undefined where it is something else that went wrong. */
export function refusedRange(error: unknown): Refused | undefined {
  if (error instanceof WrongRange) return new Refused(416, 'range', error.message, { 'content-range': `bytes */${error.kept}` });
  if (error instanceof OtherBytes)
    return new Refused(409, 'other-bytes', 'Other bytes of this message are kept already; ask how many by HEAD, or send all of it by another id.');
  return error instanceof NotNow ? new Refused(503, 'restart-unavailable', 'The message can not go on now; try again later.', RETRY_AFTER) : undefined;
}

/** The answer to whatever went wrong. */
export function refusedFor(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof BeingDelivered) return busy();
  return refusedRange(error) ?? new Refused(503, 'unavailable', 'The server had an error of its own; try again.', RETRY_AFTER);
}
