/**
 * Cuts the bytes of a control connection into command lines (RFC 959 section 4.1.3, RFC 2640): CRLF or LF ends a line, Telnet
 * commands are taken out (RFC 854), and what is no honest line is named rather than passed on.
 */
import { isUtf8 } from 'node:buffer';

export type Line =
  | { readonly kind: 'line'; readonly text: string }
  /** More than 8 KiB without an end; nothing after it is read. */
  | { readonly kind: 'too-long' }
  | { readonly kind: 'nul' }
  | { readonly kind: 'not-utf8' };

/** The longest line in bytes, without its end. */
export const LONGEST_LINE = 8_192;

const LF = 10;
const CR = 13;
const IAC = 255;
/** WILL, WONT, DO and DONT are followed by an option (RFC 854). */
const isNegotiation = (byte: number) => byte >= 251 && byte <= 254;

/** Every byte is looked at and copied a fixed number of times, however small the pieces are; a line is only read when somebody wants it. */
export class LineReader {
  private bytes: Buffer = EMPTY;
  /** Where the line begins that is next, up to where it was looked for its end, and where the bytes end; what is behind is room for more. */
  private start = 0;
  private searched = 0;
  private end = 0;
  private over = false;

  /** The lines that are complete with these bytes, `most` at most; what is left is had from `take`. */
  push(chunk: Buffer, most = Number.POSITIVE_INFINITY): Line[] {
    if (this.over) return [];
    this.keep(chunk);
    return this.take(most);
  }

  /** Further lines that have come already. */
  take(most: number): Line[] {
    const lines: Line[] = [];
    while (lines.length < most) {
      const end = this.bytes.subarray(0, this.end).indexOf(LF, this.searched);
      if ((end === -1 ? this.end : end - 1) - this.start > LONGEST_LINE) return this.tooLong(lines);
      if (end === -1) {
        this.searched = this.end;
        this.shrink();
        break;
      }
      lines.push(lineOf(this.bytes.subarray(this.start, end > this.start && this.bytes[end - 1] === CR ? end - 1 : end)));
      this.start = end + 1;
      this.searched = this.start;
    }
    return lines;
  }

  /** Whether bytes wait for the end of their line, or for somebody who wants them. */
  get holdsBytes(): boolean {
    return this.end > this.start;
  }

  private keep(chunk: Buffer): void {
    const held = this.end - this.start;
    if (held === 0) [this.bytes, this.start, this.searched, this.end] = [chunk, 0, 0, chunk.length];
    else {
      if (this.end + chunk.length > this.bytes.length) this.move(Math.max(2 * held, held + chunk.length));
      this.end += chunk.copy(this.bytes, this.end);
    }
  }

  /** So that a few bytes don't keep a whole chunk alive for as long as the session idles. */
  private shrink(): void {
    if (this.start > 0 || this.bytes.length > 2 * LONGEST_LINE) this.move(this.end - this.start);
  }

  private move(room: number): void {
    const moved = room === 0 ? EMPTY : Buffer.allocUnsafe(room);
    this.bytes.copy(moved, 0, this.start, this.end);
    [this.bytes, this.searched, this.end, this.start] = [moved, this.searched - this.start, this.end - this.start, 0];
  }

  private tooLong(lines: Line[]): Line[] {
    this.over = true;
    [this.bytes, this.start, this.searched, this.end] = [EMPTY, 0, 0, 0];
    lines.push({ kind: 'too-long' });
    return lines;
  }
}

const EMPTY = Buffer.alloc(0);

/** Telnet commands from SE on (RFC 854); in UTF-8 none of these bytes can be anywhere but before three or more others. */
const isTelnetCommand = (byte: number) => byte >= 240;

function lineOf(raw: Buffer): Line {
  let bytes = raw.includes(IAC) ? withoutTelnet(raw) : raw;
  // The Synch of RFC 854 sends one byte as urgent, and the kernel takes it out of the line: an IAC may be missing before its DM.
  let start = 0;
  while (isTelnetCommand(bytes[start] ?? 0)) start += 1;
  bytes = bytes.subarray(start);
  if (bytes.includes(0)) return { kind: 'nul' };
  return isUtf8(bytes) ? { kind: 'line', text: bytes.toString('utf8') } : { kind: 'not-utf8' };
}

/** Takes out Telnet commands, such as the IP and DM that some clients send before ABOR. A doubled IAC is a byte of its own. */
function withoutTelnet(raw: Buffer): Buffer {
  const kept: number[] = [];
  for (let at = 0; at < raw.length; at += 1) {
    if (raw[at] !== IAC) kept.push(raw[at]!);
    else if (raw[at + 1] === IAC) kept.push(raw[++at]!);
    else at += isNegotiation(raw[at + 1] ?? 0) ? 2 : 1;
  }
  return Buffer.from(kept);
}
