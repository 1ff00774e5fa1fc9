/** Arithmetic of S3's limits (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). Bytes. */

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** The most that one request copies. */
export const LARGEST_COPY = 5 * GIB;
/**
 * Above it, an object is copied in parts side by side. One request would do up to 5 GiB, but S3 answers it only when all is copied, at some 55 MB/s: renames of
 * 4 GB took 72 seconds, in parts 20 (s3fs-fuse, "Copy parts in parallel"), and of 1 GB ran into time-outs (SFTPGo, "Renaming big files result in error").
 */
export const COPIED_WHOLE = 256 * MIB;
/** The smallest part, but for the last one. */
export const SMALLEST_PART = 5 * MIB;
const MOST_PARTS = 10_000;
/** One part of a copy, where they are not too many for it. */
export const COPY_PART = 128 * MIB;
/** Most parts of a copy: an upload that continues it has as many left. */
const MOST_COPIED = 5_000;

/** First and last byte of a piece. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** The first `size` bytes of an object in parts of about the same size, none too small and none too large for S3. */
export function copyRanges(size: number, part = COPY_PART): Range[] {
  const count = Math.min(MOST_COPIED, Math.max(1, Math.ceil(size / part)), Math.max(1, Math.floor(size / SMALLEST_PART)));
  const even = Math.floor(size / count);
  const start = (index: number) => index * even + Math.min(index, size % count); // the first ones are a byte longer
  return Array.from({ length: count }, (_, index) => ({ first: start(index), last: start(index + 1) - 1 }));
}

/**
 * The size of part `number`, from 1. Nobody knows how long an upload will be, and there are at most 10,000 parts: they grow by
 * their first size with every thousand, so that memory stays small for files that are not huge. From 8 MiB, 430 GiB can be sent.
 */
export function partSize(number: number, first: number): number | undefined {
  return number > MOST_PARTS ? undefined : first * (1 + Math.floor((number - 1) / 1000));
}
