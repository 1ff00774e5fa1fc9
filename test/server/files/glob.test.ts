import { LONGEST_PATTERN, patternOf } from '../../../server/files/glob';

describe('patterns in LIST and NLST', () => {
  it.each([
    ['*.txt', 'a.txt', true],
    ['*.txt', 'a.txt.gz', false],
    ['report-??.csv', 'report-01.csv', true],
    ['report-??.csv', 'report-1.csv', false],
    ['[a-c]*', 'beta', true],
    ['[!a-c]*', 'beta', false],
    ['*ä?', 'grünä!', true],
    ['[', '[', true],
    ['*', '', true],
    ['?', '😀', true],
  ])('%s against %s: %s', (pattern, name, fits) => {
    expect(patternOf(pattern)(name)).toBe(fits);
  });

  it('does not take exponential time for many stars', () => {
    expect(patternOf('*a'.repeat(60))('a'.repeat(59))).toBe(false);
  });

  it('takes a pattern as long as a name, and none that is longer', () => {
    expect(patternOf('a'.repeat(LONGEST_PATTERN))('a'.repeat(LONGEST_PATTERN))).toBe(true);
    expect(patternOf('*'.repeat(LONGEST_PATTERN + 1))('a')).toBe(false);
  });
});
