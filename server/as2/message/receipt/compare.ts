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
  const ours = sent.find(({ algorithm }) => algorithm === mic.algorithm);
  if (!ours) return 'unknown';
  const [theirBytes, ourBytes] = [mic.value, ours.value].map((value) => Buffer.from(value, 'base64')) as [Buffer, Buffer];
  return theirBytes.length === ourBytes.length && timingSafeEqual(theirBytes, ourBytes) ? 'same' : 'different';
}
