/** Whether a receipt says that the partner has what it was sent. */
import { timingSafeEqual } from 'node:crypto';
import type { Mic, Receipt } from '../types';

/**
 * Compares the MIC of a receipt with those that sealMessage gave, by the algorithm that the receipt names, in constant time. `none` where the receipt has no MIC, `unknown` where it
 * is by an algorithm of which there is none here (`furtherMics`).
 */
export function compareMic(receipt: Receipt, sent: readonly Mic[]): 'same' | 'different' | 'none' | 'unknown' {
  const { mic } = receipt;
  if (!mic) return 'none';
  const ours = sent.filter(({ algorithm }) => algorithm === mic.algorithm).map(({ value }) => Buffer.from(value, 'base64'));
  if (ours.length === 0) return 'unknown';
  const theirs = Buffer.from(mic.value, 'base64');
  return ours.some((one) => one.length === theirs.length && timingSafeEqual(one, theirs)) ? 'same' : 'different';
}
