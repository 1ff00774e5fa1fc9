/** Conditional requests (RFC 9110 section 13) and ranges (section 14). */
import { createHash } from 'node:crypto';
import type { Entry } from '../../files/account-files';

/** Changes with the content of a file: a file that takes another's place is another one, and has another time. */
export function etagOf({ unique = '', size, modified }: Entry): string {
  return `"${createHash('sha256').update(`${unique} ${size} ${modified.getTime()}`).digest('base64url').slice(0, 22)}"`;
}

type Headers = ReadonlyMap<string, string>;

/** What a header of conditions asks of a file that is there, with this tag, or is not. */
function fits(condition: string, etag: string | undefined): boolean {
  if (condition.trim() === '*') return etag !== undefined;
  return (
    etag !== undefined &&
    condition
      .split(',')
      .map((one) => one.trim().replace(/^W\//, ''))
      .includes(etag)
  );
}

/** How a request is to be answered that reads: `412`, `304`, or as if there were no conditions. */
export function readCondition(headers: Headers, entry: Entry): 412 | 304 | undefined {
  const etag = etagOf(entry);
  const [match, noneMatch] = [headers.get('if-match'), headers.get('if-none-match')];
  if (match !== undefined ? !fits(match, etag) : isLater(entry, headers.get('if-unmodified-since'))) return 412;
  if (noneMatch !== undefined) return fits(noneMatch, etag) ? 304 : undefined;
  const since = headers.get('if-modified-since');
  return since !== undefined && !Number.isNaN(Date.parse(since)) && !isLater(entry, since) ? 304 : undefined;
}

/** Whether a request that changes something may. */
export function mayChange(headers: Headers, entry: Entry | undefined): boolean {
  const etag = entry && etagOf(entry);
  const [match, noneMatch] = [headers.get('if-match'), headers.get('if-none-match')];
  if (match !== undefined && !fits(match, etag)) return false;
  if (match === undefined && entry && isLater(entry, headers.get('if-unmodified-since'))) return false;
  return noneMatch === undefined || !fits(noneMatch, etag);
}

export function hasConditions(headers: Headers): boolean {
  return headers.has('if-match') || headers.has('if-none-match') || headers.has('if-unmodified-since');
}

function isLater({ modified }: Entry, date: string | undefined): boolean {
  const time = Date.parse(date ?? '');
  return !Number.isNaN(time) && Math.floor(modified.getTime() / 1000) * 1000 > time;
}

export interface Range {
  readonly first: number;
  /** Bytes. */
  readonly length: number;
}

/** The part of a file that is asked for; undefined where it is all of it, as where several parts are asked for. */
export function rangeOf(headers: Headers, entry: Entry): Range | 'unsatisfiable' | undefined {
  const [range, condition] = [headers.get('range'), headers.get('if-range')];
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '');
  if (!match || (condition !== undefined && condition !== etagOf(entry))) return undefined;
  const [from, to] = [match[1] ?? '', match[2] ?? ''];
  const { size } = entry;
  if (from === '' && to === '') return undefined;
  if (from === '') return Number(to) === 0 || size === 0 ? 'unsatisfiable' : { first: Math.max(0, size - Number(to)), length: Math.min(size, Number(to)) };
  const [first, last] = [Number(from), Math.min(to === '' ? size - 1 : Number(to), size - 1)];
  if (to !== '' && Number(to) < first) return undefined;
  return first >= size ? 'unsatisfiable' : { first, length: last - first + 1 };
}
