/** Which reply code an error becomes (RFC 959 section 4.2.2). What is not known to be safe to tell is not told. */
import type { StorageErrorCode } from '../../files/account-files';
import { safe } from '../../files/transfer';

const codes: Readonly<Record<StorageErrorCode, number>> = {
  'not-found': 550,
  exists: 550,
  'is-directory': 550,
  'not-directory': 550,
  'not-empty': 550,
  denied: 550,
  'invalid-name': 553,
  'no-space': 452,
  quota: 552,
  offset: 554,
  unsupported: 504,
  unavailable: 451,
};

export function storageReply(error: unknown): { readonly code: number; readonly error: Error } {
  const known = safe(error);
  return { code: codes[known.code], error: known };
}
