/** Names within a directory: logins put into filters and distinguished names so that they stay values, and names compared. */
import { type Filter, FilterParser, Filter as LdapFilter } from 'ldapts';

/** What `{placeholders}` stand for. */
export type Values = Readonly<Record<string, string>>;

const PLACEHOLDER = /\{([a-z][a-z0-9;-]*)\}/gi;

/** The names of the placeholders in a text. */
export function placeholdersOf(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!);
}

/** Fills in placeholders; one that is not among the values stays as it is. */
export function fill(template: string, values: Values, escaped: (value: string) => string = (value) => value): string {
  return template.replaceAll(PLACEHOLDER, (whole, name: string) => (Object.hasOwn(values, name) ? escaped(values[name]!) : whole));
}

/** A filter out of a template (RFC 4515). Whatever a value holds, the filter keeps the template's shape. */
export function filterOf(template: string, values: Values): Filter {
  return FilterParser.parseString(fill(template, values, (value) => LdapFilter.escape(value)));
}

/** A value within a distinguished name (RFC 4514 section 2.4): everything but letters, digits and a few signs as its bytes. */
export function dnValue(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => (/[A-Za-z0-9._@-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\${byte.toString(16).padStart(2, '0')}`))
    .join('');
}

/** One text for all spellings of a distinguished name: lower case, no blanks around separators, no escape that could be spelled otherwise. */
export function plainDn(dn: string): string {
  const rdns = splitOutside(dn, ',').map((rdn) =>
    splitOutside(rdn, '+')
      .map((pair) => {
        const equals = pair.indexOf('=');
        return equals < 0 ? plainValue(pair) : `${pair.slice(0, equals).trim().toLowerCase()}=${plainValue(pair.slice(equals + 1))}`;
      })
      .sort()
      .join('+'),
  );
  return rdns.join(',');
}

/** Splits where the separator is not escaped. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [''];
  for (const token of text.match(/\\.|./gs) ?? []) {
    if (token === separator) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

function plainValue(text: string): string {
  // Trailing blanks count where they are escaped, so they are trimmed before escapes are undone.
  const trimmed = text.replace(/^ +/, '').replace(/(?<!\\) +$/, '');
  const unescaped = Buffer.from(
    trimmed.replaceAll(/((?:\\[0-9a-f]{2})+)/gi, (run) => Buffer.from(run.replaceAll('\\', ''), 'hex').toString()).replaceAll(/\\(.)/g, '$1'),
  ).toString();
  return dnValue(unescaped.toLowerCase());
}
