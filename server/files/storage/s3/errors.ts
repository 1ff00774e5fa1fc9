/** The errors of S3 in words for a client, without a bucket or key. */
import { StorageError } from '../storage';

interface ServiceError {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const statusOf = (error: unknown) => (error as ServiceError).$metadata?.httpStatusCode;

export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 || (error as ServiceError).name === 'NoSuchKey';
}

/** Nothing of the object lies in the range that was asked for: it is shorter, or empty. */
export function isOutOfRange(error: unknown): boolean {
  return statusOf(error) === 416;
}

/** A condition of the request didn't hold, or another request won: 412, or 409 where two conditional writes ran at once. */
/** What was to be there, or not to be there, is otherwise. */
export function isTaken(error: unknown): boolean {
  return statusOf(error) === 412;
}

export function isConflict(error: unknown): boolean {
  return statusOf(error) === 412 || statusOf(error) === 409;
}

/** Throws the error again as a StorageError. The SDK has retried by then what can be retried. */
export function storageError(error: unknown): never {
  if (error instanceof StorageError) throw error;
  if (isMissing(error) && (error as ServiceError).name !== 'NoSuchBucket') throw new StorageError('not-found', 'No such file or directory.', { cause: error });
  if (isConflict(error)) throw new StorageError('unavailable', 'The file was changed by somebody else meanwhile; try again.', { cause: error });
  if ((error as ServiceError).name === 'EntityTooLarge') throw new StorageError('quota', 'The file is too large for the storage.', { cause: error });
  throw new StorageError('unavailable', 'The storage had an error; try again.', { cause: error });
}
