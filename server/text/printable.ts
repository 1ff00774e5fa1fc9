/**
 * What strangers wrote, made fit to be shown to a person. Names of files and accounts, replies and reasons may hold characters that move the
 * cursor, clear the screen, begin a new line or turn the reading direction, and so write lines that nobody said.
 */

/**
 * C0 and C1 controls with DEL (U+009B alone begins a sequence on many terminals), controls of the reading direction (Unicode's Bidi_Control),
 * the separators of lines and paragraphs, and halves of surrogate pairs.
 */
const unfit = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** What nearly every text is; to see that takes a tenth of the time that properties of characters do. */
const plain = /^[ -~]*$/;
/** As above, but for line feeds and tabs, which lay out what is written by us. */
const unfitInLayout = /[^\P{Cc}\n\t]|[\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text from outside with each such character written as JSON writes it: `\u001b`. Whatever it holds, it stays on its line. */
export function printable(text: string): string {
  return plain.test(text) ? text : text.replace(unfit, escaped);
}

/**
 * A whole text of ours, of several lines perhaps, in which the same is done but for what lays it out; of JSON, the value stays the same.
 * Colours (ECMA-48 section 8.3.117, SGR) are kept with `colour`.
 */
export function printableText(text: string, { colour = false } = {}): string {
  if (!colour) return text.replace(unfitInLayout, escaped);
  return text
    .split(/(\u001b\[[\d;]*m)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(unfitInLayout, escaped)))
    .join('');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
