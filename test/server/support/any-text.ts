/** Text of any characters for properties. fast-check's own `unit: 'binary'` first makes a table of all million of them, which takes longer than the property. */
import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };
const character = fc.nat(0x10ffff - SURROGATES.count).map((code) => String.fromCodePoint(code < SURROGATES.first ? code : code + SURROGATES.count));

/** Names of every object in JavaScript come as well. */
export function anyText(constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  const names = fc.constantFrom('__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty');
  return fc.oneof({ weight: 30, arbitrary: fc.array(character, constraints).map((all) => all.join('')) }, names);
}
