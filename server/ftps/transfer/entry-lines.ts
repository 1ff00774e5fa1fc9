/** How one file or folder looks in LIST (the form of `ls -l`), NLST, and MLSD/MLST (RFC 3659 section 7). */
import type { Permission } from '../../config';
import type { Entry } from '../../files/account-files';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `ls` shows the time for dates within half a year, and the year for all others; so clients know which year is meant. */
const HALF_A_YEAR_MS = 182 * 86_400_000;
/** Clocks differ; a file that is a day ahead still counts as new, as clients expect of `ls`. */
const A_DAY_MS = 86_400_000;

const two = (value: number) => (value < 10 ? `0${value}` : String(value));

/** Writes lines of `ls -l`, UTC, with owner and group that tell nothing about the host. One for each listing. */
export function listLines(permissions: readonly Permission[], now: number): (entry: Entry) => string {
  const writable = permissions.includes('write') ? 'w' : '-';
  const modes = { directory: `dr${writable}xr-x---`, file: `-r${writable}-r-----` };
  // Files that came together have the same date, and most of a line's work is its date.
  let minute = Number.NaN;
  let date = '';
  return ({ name, type, size, modified }) => {
    const time = modified.getTime();
    const itsMinute = Math.floor(time / 60_000);
    if (itsMinute !== minute) {
      minute = itsMinute;
      date = listDate(modified, now - time);
    }
    return `${modes[type]} 1 ftp ftp ${String(size).padStart(12)} ${date} ${onOneLine(name)}\r\n`;
  };
}

/** `Nov 28 03:12`, or `Nov 28  2024` for what is old. */
function listDate(time: Date, age: number): string {
  const yearOrTime =
    age > HALF_A_YEAR_MS || age < -A_DAY_MS ? ` ${String(time.getUTCFullYear()).padStart(4)}` : `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`;
  return `${months[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2)} ${yearOrTime}`;
}

export const mlstFacts = ['type', 'size', 'modify', 'perm', 'unique'] as const;
export type MlstFact = (typeof mlstFacts)[number];

/** `type=file;size=3;modify=20260102030405; name`, without an end of line. */
export function factsLine(entry: Entry, name: string, facts: ReadonlySet<MlstFact>, permissions: readonly Permission[]): string {
  let line = '';
  if (facts.has('type')) line += `type=${entry.type === 'directory' ? 'dir' : 'file'};`;
  if (facts.has('size') && entry.type === 'file') line += `size=${entry.size};`;
  if (facts.has('modify')) line += `modify=${timeValue(entry.modified)};`;
  if (facts.has('perm')) line += `perm=${permValue(entry, permissions)};`;
  if (facts.has('unique') && entry.unique !== undefined) line += `unique=${entry.unique};`;
  return `${line} ${onOneLine(name)}`;
}

/** A time as RFC 3659 section 2.3 writes it, in UTC and whole seconds. */
export function timeValue(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '');
}

/** Reads such a time. Undefined where it is none, or outside of what every file system keeps: 1970 up to 2106, 32 bits of seconds. */
export function parseTimeValue(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?$/.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, number, number, number, number, number];
  if (year < 1970 || year > 2105) return undefined;
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return time.getUTCMonth() === month - 1 && time.getUTCDate() === day && hour < 24 && minute < 60 && second < 61 ? time : undefined;
}

/** What the account may do with it (RFC 3659 section 7.5.5). */
function permValue(entry: Entry, permissions: readonly Permission[]): string {
  const may = (permission: Permission, letter: string) => (permissions.includes(permission) ? letter : '');
  return entry.type === 'directory'
    ? [may('write', 'c'), may('delete', 'd'), 'e', may('rename', 'f'), may('list', 'l'), may('mkdir', 'm'), may('delete', 'p')].join('')
    : [may('write', 'a'), may('delete', 'd'), may('rename', 'f'), may('read', 'r'), may('write', 'w')].join('');
}

/** A name that can't end its line early: files made by others may carry any byte. */
export function onOneLine(name: string): string {
  return /[\x00-\x1f\x7f]/.test(name) ? name.replaceAll(/[\x00-\x1f\x7f]/g, '?') : name;
}
