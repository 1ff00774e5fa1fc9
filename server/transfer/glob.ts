/** Shell patterns in LIST and NLST: `*`, `?` and `[a-z]`, matched without backtracking over more than one star. */

/** Whether the text means a pattern rather than a name. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/** Whether the whole name fits the pattern. Takes time in proportion to both lengths multiplied, whatever the pattern. */
export function matchesPattern(pattern: string, name: string): boolean {
  const tokens = tokenize(pattern);
  const letters = [...name];
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

function tokenize(pattern: string): Token[] {
  const letters = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at]!;
    const close = letter === '[' ? letters.indexOf(']', at + 2) : -1;
    if (letter === '*') tokens.push('*');
    else if (letter === '?') tokens.push(() => true);
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
