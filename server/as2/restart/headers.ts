/** How a message says which transfer it belongs to, and which part of it it is (draft-harding-as2-restart-07, sections 3.1 and 3.3). */
import type { Headers } from '../message';

/** The part of a body that a request brings, in bytes; `last` is the last of them. */
export interface BodyRange {
  readonly first: number;
  readonly last: number;
  readonly total: number;
}

/** An entity tag without the sign of a weak one; old programs leave out the quotes. */
const ETAG = /^(?:"([\x21\x23-\x7e]{1,200})"|([\x21\x23-\x7e]{1,200}))$/;
/** Old versions of the draft have no `bytes`. */
const RANGE = /^(?:bytes[ =]\s*)?(\d{1,15})\s*-\s*(\d{1,15})\s*\/\s*(\d{1,15})$/i;

/** The id of the transfer; undefined where there is none that could be one. */
export function transferId(headers: Headers): string | undefined {
  const { etag } = headers;
  const found = typeof etag === 'string' ? ETAG.exec(etag.trim()) : undefined;
  return found?.[1] ?? found?.[2];
}

/** Undefined where nothing is said, `malformed` where it can't be understood or can't be: a part that ends before it begins, or beyond the whole. */
export function bodyRange(headers: Headers): BodyRange | 'malformed' | undefined {
  const text = headers['content-range'];
  if (text === undefined) return undefined;
  const found = typeof text === 'string' ? RANGE.exec(text.trim()) : undefined;
  if (!found) return 'malformed';
  const [first, last, total] = found.slice(1).map(Number) as [number, number, number];
  return first <= last && last < total ? { first, last, total } : 'malformed';
}

export function writeRange({ first, last, total }: BodyRange): string {
  return `bytes ${first}-${last}/${total}`;
}

export function writeTransferId(id: string): string {
  return `"${id}"`;
}
