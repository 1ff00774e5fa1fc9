import fc from 'fast-check';
import { readWords, type Words, writeWords } from '../../../../server/ftps/firewall/words';

describe('the words of the firewall', () => {
  it.each<[string, Words]>([
    ['admit 192.0.2.1 50000 60', { word: 'admit', address: '192.0.2.1', port: 50_000, seconds: 60 }],
    ['admit 2001:db8::1 50015 30', { word: 'admit', address: '2001:db8::1', port: 50_015, seconds: 30 }],
    ['withdraw 192.0.2.1 50000', { word: 'withdraw', address: '192.0.2.1', port: 50_000 }],
    ['health', { word: 'health' }],
  ])('%s is read', (line, words) => {
    expect(readWords(line)).toEqual(words);
    expect(writeWords(words)).toBe(`${line}\n`);
  });

  it.each([
    '',
    'health ',
    'HEALTH',
    'admit 192.0.2.1 50000',
    'admit 192.0.2.1 050000 60',
    'admit 192.0.2.1 65536 60',
    'admit 192.0.2.1 50000 0',
    'admit 192.0.2.1 50000 999999',
    'admit 192.0.2.256 50000 60',
    'admit 192.0.2.0/24 50000 60',
    'admit fe80::1%eth0 50000 60',
    'admit 192.0.2.1 50000 60 }; flush ruleset; #',
    'admit 192.0.2.1 50000 60\r',
    'withdraw 192.0.2.1 50000 60',
    'withdraw ::g 50000',
    'flush ruleset',
  ])('%j is not', (line) => {
    expect(readWords(line)).toBeUndefined();
  });

  it('what is read says nothing but what it was written from', () => {
    const pieces = fc.constantFrom('admit', 'withdraw', 'health', ' ', '192.0.2.1', '::1', '50000', '60', ';', '\n', '}', '0', '.', ':');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), (parts) => {
        const words = readWords(parts.join(''));
        if (words) expect(writeWords(words)).toBe(`${parts.join('')}\n`);
      }),
    );
  });

  it('leaves out the zone of an address and rounds seconds up', () => {
    expect(writeWords({ word: 'admit', address: 'FE80::1%eth0', port: 50_000, seconds: 0.4 })).toBe('admit fe80::1 50000 1\n');
  });
});
