/**
 * Cuts the bytes of a control connection into command lines (RFC 959 section 4.1.3, RFC 2640): CRLF or LF ends a line, Telnet
 * commands are taken out (RFC 854), and what is no honest line is named rather than passed on.
 */
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

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class LineReader {
  private rest: Buffer = Buffer.alloc(0);
  private over = false;

  /** The lines that are complete with these bytes. */
  push(chunk: Buffer): Line[] {
    if (this.over) return [];
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(LF, start);
      if (end === -1) break;
      if (end - start > LONGEST_LINE + 1) return this.tooLong(lines);
      lines.push(lineOf(bytes.subarray(start, end > start && bytes[end - 1] === CR ? end - 1 : end)));
      start = end + 1;
    }
    // A copy, so that a few bytes don't keep a whole chunk alive for as long as the session idles.
    this.rest = start === bytes.length ? EMPTY : Buffer.from(bytes.subarray(start));
    if (this.rest.length > LONGEST_LINE) return this.tooLong(lines);
    return lines;
  }

  /** Whether bytes wait for the end of their line. */
  get holdsBytes(): boolean {
    return this.rest.length > 0;
  }

  private tooLong(lines: Line[]): Line[] {
    this.over = true;
    this.rest = EMPTY;
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
  try {
    return { kind: 'line', text: utf8.decode(bytes) };
  } catch {
    return { kind: 'not-utf8' };
  }
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
