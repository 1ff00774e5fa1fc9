import fc from 'fast-check';
import { AndFilter, EqualityFilter, FilterParser, OrFilter } from 'ldapts';
import { userOf } from '../../../../server/identity/directory/logins';
import { dnValue, fill, filterOf, plainDn } from '../../../../server/identity/directory/names';
import { anyText } from '../../support/any-text';

/** Text that is likely to break out of something, and any other. */
const hostile = fc.oneof(
  anyText(),
  fc.string({
    unit: fc.constantFrom(
      '(',
      ')',
      '*',
      '\\',
      '&',
      '|',
      '!',
      '=',
      ',',
      '+',
      '"',
      '\0',
      ' ',
      '#',
      '<',
      '>',
      ';',
      'a',
      'ö',
      '{user}',
      '{login}',
      '\\2a',
      '$&',
      '\n',
    ),
  }),
);

describe('a login within a filter', () => {
  it('is a value and nothing else, whatever it holds', () => {
    fc.assert(
      fc.property(hostile, hostile, (user, login) => {
        const filter = filterOf('(&(objectClass=person)(|(uid={user})(mail={login})))', { user, login }) as AndFilter;
        expect(filter).toBeInstanceOf(AndFilter);
        expect(filter.filters).toHaveLength(2);
        const [kind, names] = filter.filters as [EqualityFilter, OrFilter];
        expect([kind.attribute, kind.value]).toEqual(['objectClass', 'person']);
        expect(names).toBeInstanceOf(OrFilter);
        expect((names as OrFilter).filters.map((one) => [(one as EqualityFilter).attribute, String((one as EqualityFilter).value)])).toEqual([
          ['uid', user],
          ['mail', login],
        ]);
        for (const one of names.filters) expect(one).toBeInstanceOf(EqualityFilter); // never a presence or substring filter
      }),
      { numRuns: 500 },
    );
  });

  it('can be read back from the text of the filter', () => {
    fc.assert(
      fc.property(hostile, (user) => {
        const again = FilterParser.parseString(filterOf('(uid={user})', { user }).toString()) as EqualityFilter;
        expect([again.attribute, String(again.value)]).toEqual(['uid', user]);
      }),
    );
  });
});

describe('a login within a distinguished name', () => {
  it('adds no part to the name, and no other login gives the same one', () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        const dn = (value: string) => fill('uid={user},ou=people', { user: value }, dnValue);
        expect(dn(one)).toMatch(/^uid=(?:[A-Za-z0-9._@-]|\\[0-9a-f]{2})*,ou=people$/);
        if (!Buffer.from(one).equals(Buffer.from(other))) expect(dn(one)).not.toBe(dn(other));
      }),
    );
  });
});

describe('distinguished names', () => {
  it.each([
    ['CN=Partners,OU=Groups,DC=example,DC=com', 'cn=partners, ou=groups ,dc=EXAMPLE,dc=com'],
    ['cn=a\\,b,dc=x', 'CN=a\\2Cb,dc=x'],
    ['cn=M\u00fcller,dc=x', 'cn=M\\c3\\bcller,dc=x'],
    ['cn=a+ou=b,dc=x', 'ou=b + cn=a,dc=x'],
    ['cn=end\\ ,dc=x', 'cn=end\\20 ,dc=x'],
  ])('%s and %s are the same', (one, other) => expect(plainDn(one)).toBe(plainDn(other)));

  it.each([
    ['cn=a\\,dc=x', 'cn=a,dc=x'],
    ['cn=a,ou=b', 'cn=a\\2cou=b'],
    ['cn=end\\ ,dc=x', 'cn=end,dc=x'],
  ])('%s and %s are not', (one, other) => expect(plainDn(one)).not.toBe(plainDn(other)));
});

describe('a login with a realm', () => {
  const realms = ['CORP', 'corp.example.com'];
  it.each([
    ['ann', 'ann'],
    ['corp\\ann', 'ann'],
    ['ann@CORP.example.com', 'ann'],
    ['ann@partner.example', 'ann@partner.example'],
    ['OTHER\\ann', undefined],
    ['CORP\\', undefined],
    ['@corp.example.com', '@corp.example.com'],
  ])('%s means %s', (login, user) => expect(userOf(login, realms)).toBe(user));
});
