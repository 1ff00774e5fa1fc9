/** Long lines on a terminal: broken between words, with what belongs together in one column. Files and pipes get them whole. */

/** Columns of a stream: those of the terminal, or what COLUMNS says (POSIX, "Other Environment Variables"); undefined where a line may have any length. */
export function columnsOf({ columns }: { readonly columns?: number }, env: NodeJS.ProcessEnv = process.env): number | undefined {
  return columns ?? (/^[1-9]\d*$/.test(env['COLUMNS'] ?? '') ? Number(env['COLUMNS']) : undefined);
}

/** `text` in lines that fit behind `indent` columns; the first of them is not indented. What has no room for a few words is left whole. */
export function wrap(text: string, indent: number, columns: number | undefined): string {
  const room = (columns ?? 0) - indent;
  if (room < 20) return text;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}
