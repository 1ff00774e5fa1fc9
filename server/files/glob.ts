/** Shell patterns in LIST and NLST: `*`, `?` and `[a-z]`, matched without backtracking over more than one star. */

/** Whether the text means a pattern rather than a name. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/** The longest pattern, in characters: a name has 255 bytes at most, and every name of a folder is held against it. */
export const LONGEST_PATTERN = 255;

/**
 * What tells whether a whole name fits the pattern; nothing fits one that is too long. A name takes time in proportion to both lengths multiplied,
 * whatever the pattern; reading the pattern, to its own.
 */
export function patternOf(pattern: string): (name: string) => boolean {
  const letters = [...pattern];
  if (letters.length > LONGEST_PATTERN) return () => false;
  const tokens = tokenize(letters);
  return (name) => matches(tokens, [...name]);
}

function matches(tokens: readonly Token[], letters: readonly string[]): boolean {
  let token = 0;
  let letter = 0;
  let starToken = -1;
  let starLetter = 0;
  while (letter < letters.length) {
    const wanted = tokens[token];
    if (wanted === '*') {
      starToken = token;
      starLetter = letter;
      token += 1;
    } else if (wanted?.(letters[letter]!)) {
      token += 1;
      letter += 1;
    } else if (starToken >= 0) {
      token = starToken + 1;
      starLetter += 1;
      letter = starLetter;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

type Token = '*' | ((letter: string) => boolean);

function tokenize(letters: readonly string[]): Token[] {
  const tokens: Token[] = [];
  const lastClose = letters.lastIndexOf(']');
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at]!;
    const close = letter === '[' && at + 2 <= lastClose ? letters.indexOf(']', at + 2) : -1;
    if (letter === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (letter === '?') tokens.push(() => true);
    else if (close > 0) {
      tokens.push(oneOf(letters.slice(at + 1, close)));
      at = close;
    } else tokens.push((other) => other === letter);
  }
  return tokens;
}

function oneOf(set: readonly string[]): (letter: string) => boolean {
  const negated = set[0] === '!' || set[0] === '^';
  const members = negated ? set.slice(1) : set;
  return (letter) => {
    for (let at = 0; at < members.length; at += 1) {
      const from = members[at]!;
      const to = members[at + 1] === '-' ? members[at + 2] : undefined;
      if (to === undefined ? letter === from : letter >= from && letter <= to) return !negated;
      if (to !== undefined) at += 2;
    }
    return negated;
  };
}
