// Sizes and times as people read them.

export function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, step] = [count, 0];
  for (; value >= 999.5 && step < units.length - 1; step += 1) value /= 1024;
  return `${value.toFixed(step === 0 || value >= 99.95 ? 0 : 1)} ${units[step]}`;
}

const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** In the viewer's zone. */
export const time = (text) => times.format(new Date(text));
