/** The command by which scp starts itself at the other end: `scp -r -p -t /folder`. It is read as a shell would read its words, and nothing of it is run. */

export interface ScpCommand {
  /** `to`: files come from the client (-t). `from`: they go to it (-f). */
  readonly way: 'to' | 'from';
  readonly recursive: boolean;
  /** Whether times are sent along. */
  readonly times: boolean;
  /** Whether the target must be a folder. */
  readonly mustBeFolder: boolean;
  readonly paths: readonly string[];
}

/** The words of a line: quotes and backslashes mean what they mean to a shell, and nothing is expanded. Undefined where a quote is not closed. */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at]!;
    if (char === ' ' || char === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (char === "'" || char === '"') {
      for (at += 1; line[at] !== char; at += 1) {
        if (at >= line.length) return undefined;
        if (char === '"' && line[at] === '\\' && /["\\$`]/.test(line[at + 1] ?? '')) at += 1;
        word += line[at];
      }
    } else if (char === '\\') {
      at += 1;
      if (at >= line.length) return undefined;
      word += line[at];
    } else word += char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** What the line asks for; undefined where it is anything but scp with the options that scp gives itself. */
export function parseScp(line: string): ScpCommand | undefined {
  const [name, ...rest] = wordsOf(line) ?? [];
  if (name !== 'scp') return undefined;
  let options = '';
  let paths: readonly string[] = [];
  for (const [index, word] of rest.entries()) {
    if (word === '--') {
      paths = rest.slice(index + 1);
      break;
    }
    if (!/^-[vqrpdtf]+$/.test(word)) {
      paths = rest.slice(index);
      break;
    }
    options += word.slice(1);
  }
  const [to, from] = [options.includes('t'), options.includes('f')];
  if (to === from || paths.length === 0 || (to && paths.length > 1)) return undefined;
  return { way: to ? 'to' : 'from', recursive: options.includes('r'), times: options.includes('p'), mustBeFolder: options.includes('d'), paths };
}
