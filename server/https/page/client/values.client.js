// Sizes, times and names as people read them.

export function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, step] = [count, 0];
  for (; value >= 999.5 && step < units.length - 1; step += 1) value /= 1024;
  return `${value.toFixed(step === 0 || value >= 99.95 ? 0 : 1)} ${units[step]}`;
}

const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** In the viewer's zone. */
export const time = (text) => times.format(new Date(text));

/**
 * A text with what turns the reading direction, or is nothing to be seen, written as JSON writes it: `invoice\u202efdp.exe` would be read as a document, and two
 * names could look alike. What joins letters (U+200C, U+200D) is a part of scripts.
 */
export const visible = (text) =>
  text.replace(/[\p{Bidi_Control}\u00ad\u180e\u200b\u2060\ufeff]/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
