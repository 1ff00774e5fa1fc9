/** Misspelt props, which no compiler sees in JavaScript. */
import { nearestName } from '../server/config';
import { PROP_NAMES } from './prop-names';

/** Throws an Error that names what an interface does not know, and the name that was probably meant, or a block that is none. `of` is the interface's name. */
export function refuseUnknownProps(props: object, of: string, prefix = ''): void {
  refuseOtherThanBlock(props, of, prefix === '' ? of : prefix.slice(0, -1));
  const known = PROP_NAMES[of]!;
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(known, key)) {
      const near = nearestName(key, Object.keys(known));
      throw new Error(`${prefix}${key}: is unknown to ${of}; ${near ? `did you mean ${near}?` : `there are ${Object.keys(known).join(', ')}`}`);
    }
    const [, inner, isList] = /^(\w+)(\[\])?$/.exec(known[key]!) ?? [];
    if (inner === undefined) continue;
    if (!isList) refuseUnknownProps(value, inner, `${prefix}${key}.`);
    else if (Array.isArray(value)) for (const [index, one] of value.entries()) refuseUnknownProps(one, inner, `${prefix}${key}[${index}].`);
    else throw new Error(`${prefix}${key}: ${shown(value)} is no list; write [{ … }], in each what is needed of ${namesOf(inner)}`);
  }
}

/** `https: true` says that it is wanted, and `{}` is how to say so. */
function refuseOtherThanBlock(value: unknown, of: string, key: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new Error(`${key}: ${shown(value)} is no block; write { … }, in it what is needed of ${namesOf(of)}`);
}

function namesOf(of: string): string {
  return Object.keys(PROP_NAMES[of]!).join(', ');
}

/** As it was written; of what has parts, what it is. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : 'a list';
  if (typeof value === 'object' && value !== null) return 'a block';
  return typeof value === 'function' ? 'a function' : (JSON.stringify(value)?.slice(0, 60) ?? String(value));
}

/** Of an object that knows more, what an interface knows. */
export function propsKnownTo<T extends object>(of: string, props: T): T {
  return Object.fromEntries(Object.entries(props).filter(([key]) => Object.hasOwn(PROP_NAMES[of]!, key))) as T;
}
