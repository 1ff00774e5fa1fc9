/** Misspelt props, which no compiler sees in JavaScript. */
import { nearestName } from '../server/config';
import { PROP_NAMES } from './prop-names';

/** Throws an Error that names what an interface does not know, and the name that was probably meant. `of` is the interface's name. */
export function refuseUnknownProps(props: object, of: string, prefix = ''): void {
  const known = PROP_NAMES[of]!;
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(known, key)) {
      const near = nearestName(key, Object.keys(known));
      throw new Error(`${prefix}${key}: is unknown to ${of}; ${near ? `did you mean ${near}?` : `there are ${Object.keys(known).join(', ')}`}`);
    }
    const inner = known[key];
    if (!inner || typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) for (const [index, one] of value.entries()) refuseUnknownProps(one, inner, `${prefix}${key}[${index}].`);
    else refuseUnknownProps(value, inner, `${prefix}${key}.`);
  }
}

/** Of an object that knows more, what an interface knows. */
export function propsKnownTo<T extends object>(of: string, props: T): T {
  return Object.fromEntries(Object.entries(props).filter(([key]) => Object.hasOwn(PROP_NAMES[of]!, key))) as T;
}
