/** How replies are written (RFC 959 section 4.2). A text can't carry a line of its own into one. */
import { onOneLine } from '../transfer/entry-lines';

/** One line, or several. */
export function replyText(code: number, lines: readonly string[]): string {
  return lines.map((line, index) => `${code}${index < lines.length - 1 ? '-' : ' '}${onOneLine(line)}\r\n`).join('');
}

/** Several lines, of which the inner ones stand as they are, without the code (RFC 3659 section 7.2, RFC 2389 section 3.2). */
export function blockText(code: number, first: string, lines: readonly string[], last: string): string {
  const clean = [first, ...lines].map(onOneLine);
  return `${code}-${clean.join('\r\n')}\r\n${code} ${onOneLine(last)}\r\n`;
}
