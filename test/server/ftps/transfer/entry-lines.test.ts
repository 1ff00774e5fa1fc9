/** Lines of LIST, read back by the parser of a client that many use. */

import { parseList } from 'basic-ftp/dist/parseList';
import fc from 'fast-check';
import type { Entry } from '../../../../server/files/storage/storage';
import { factsLine, listLines, mlstFacts, parseTimeValue, timeValue } from '../../../../server/ftps/transfer/entry-lines';

const NOW = Date.UTC(2026, 5, 15, 12, 0, 0);
const DAY = 86_400_000;
const permissions = ['read', 'write', 'list', 'delete', 'rename', 'mkdir'] as const;
const listLine = (entry: Entry) => listLines(permissions, NOW)(entry);
const file = (name: string, modified = new Date(NOW), size = 42): Entry => ({ name, type: 'file', size, modified });

/** Names with everything that parsers stumble over. Names of one dot or two are no entries. */
const anyName = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((name) => !/[/\p{Cc}\u2028\u2029]/u.test(name) && name.trim() === name && !/^\.{1,2}$/.test(name) && !name.includes(' -> '));

describe('LIST', () => {
  it.each([
    ['now', new Date(NOW), 'Jun 15 12:00'],
    ['five months old', new Date(NOW - 150 * DAY), 'Jan 16 12:00'],
    ['older than half a year', new Date(NOW - 200 * DAY), 'Nov 27  2025'],
    ['of 1970', new Date(0), 'Jan  1  1970'],
    ['an hour ahead, by another clock', new Date(NOW + 3_600_000), 'Jun 15 13:00'],
    ['of the future', new Date(NOW + 30 * DAY), 'Jul 15  2026'],
    ['of the year 2100', new Date(Date.UTC(2100, 0, 1)), 'Jan  1  2100'],
  ])('writes a date %s so that its year is plain', (_what, modified, written) => {
    expect(listLine(file('a', modified))).toBe(`-rw-r----- 1 ftp ftp           42 ${written} a\r\n`);
  });

  it.each(['two  blanks', ' leading', 'é', 'e\u0301', '日本語', '𝒳', '-dash', '"quoted"', 'a;b', "it's", 'x'.repeat(255), '100%', 'total 5', 'Jan  1  1970'])(
    'is read back with the name %j',
    (name) => {
      const line = listLine(file(name));
      expect(line.endsWith(` ${name}\r\n`)).toBe(true);
      if (name.trim() === name) expect(parseList(line)).toMatchObject([{ name, size: 42, isFile: true }]);
    },
  );

  it('is read back whatever the name and the size', () => {
    fc.assert(
      fc.property(anyName, fc.maxSafeNat(), fc.boolean(), (name, size, isFile) => {
        const line = listLine({ name, type: isFile ? 'file' : 'directory', size, modified: new Date(NOW) });
        expect(parseList(line)).toMatchObject([{ name, size, isFile }]);
      }),
    );
  });

  it('writes the date of each file, also where the one before came in the same minute or another', () => {
    const lineOf = listLines(permissions, NOW);
    const dates = [0, 30_000, 60_000, 59_999, -1, 400 * DAY].map((ago) => lineOf(file('a', new Date(NOW - ago))).slice(34, 46));
    expect(dates).toEqual(['Jun 15 12:00', 'Jun 15 11:59', 'Jun 15 11:59', 'Jun 15 11:59', 'Jun 15 12:00', 'May 11  2025']);
  });

  it('can not be given a line by a name', () => {
    expect(listLine(file('a\r\n-rw-r----- 1 ftp ftp 1 Jan 1 1970 forged')).match(/\r\n/g)).toHaveLength(1);
  });
});

describe('MLSD', () => {
  it('is read back whatever the name', () => {
    fc.assert(
      fc.property(anyName, fc.date({ min: new Date(0), max: new Date(Date.UTC(2105, 11, 31)), noInvalidDate: true }), (name, modified) => {
        const line = factsLine(file(name, modified), name, new Set(mlstFacts), permissions);
        expect(parseList(`${line}\r\n`)).toMatchObject([{ name, size: 42, modifiedAt: new Date(Math.floor(modified.getTime() / 1000) * 1000) }]);
      }),
    );
  });

  it('writes times that MFMT reads', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(Date.UTC(2105, 11, 31)), noInvalidDate: true }), (time) => {
        expect(parseTimeValue(timeValue(time))?.getTime()).toBe(Math.floor(time.getTime() / 1000) * 1000);
      }),
    );
  });

  it.each([
    '',
    '20260101',
    '20261301000000',
    '20260230000000',
    '20260101240000',
    '20260101006000',
    '2026010100000x',
    '20260101000000.',
    '19691231235959',
    '00700101000000',
    '21060101000000',
  ])('%j is no time', (text) => {
    expect(parseTimeValue(text)).toBeUndefined();
  });
});
