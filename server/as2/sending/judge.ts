/** What a receipt is worth: whether it says that the partner has what it was sent, and can't say otherwise later. */
import type { As2Partner } from '../../config';
import { compareMic, type Mic } from '../message';
import type { Answer } from './answers';

export interface Judgement {
  /** `unproven`: anybody may have said so, and it is worth no more than no receipt (RFC 4130 section 7.1: one that is signed was asked for). */
  readonly outcome: 'delivered' | 'failed' | 'unproven';
  /** As the receipt has it. */
  readonly disposition: string;
  /** Why it counts for nothing, or what it warns of. */
  readonly detail?: string;
}

export const UNSIGNED = 'the receipt is not signed';

/** `isRepeated`: the message was sent before, and the partner may have it from then. */
export function judge({ receipt, signer }: Answer, mics: readonly Mic[], { receipt: wanted }: Pick<As2Partner, 'receipt'>, isRepeated = false): Judgement {
  const { disposition } = receipt;
  const failed = (detail: string): Judgement => ({ outcome: 'failed', disposition, detail });
  if (wanted.signed && signer === undefined)
    return { outcome: 'unproven', disposition, detail: receipt.processed ? UNSIGNED : `${UNSIGNED}; it says ${disposition}: ${saidIn(receipt)}` };
  if (isRepeated && receipt.modifier?.includes('duplicate-document'))
    return { outcome: 'delivered', disposition, detail: 'the partner has it from an attempt before' };
  if (!receipt.processed) return failed(saidIn(receipt) || disposition);
  switch (compareMic(receipt, mics)) {
    case 'same':
      return { outcome: 'delivered', disposition, detail: receipt.modifier };
    case 'different':
      return failed('the digest in the receipt (MIC) is not that of what was sent');
    case 'unknown':
      return failed('the digest in the receipt (MIC) is by an algorithm that was not asked for');
    case 'none':
      return wanted.signed
        ? failed('the receipt has no digest (MIC) of what was taken')
        : { outcome: 'delivered', disposition, detail: 'the receipt has no digest (MIC)' };
  }
}

function saidIn({ text }: Answer['receipt']): string {
  return text.trim().slice(0, 500);
}
