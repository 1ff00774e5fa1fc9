// What of the folder is shown, and what of that is selected.

/** By path, in the order of the list. */
export const shown = new Map();
/** Paths. */
export const selected = new Set();

const watchers = [];
/** From here to the next one with shift. */
let anchor;

/** `act` is called whenever other entries are selected. */
export const onSelection = (act) => watchers.push(act);

function tell() {
  for (const act of watchers) act();
}

export function show(entries) {
  for (const entry of entries) shown.set(entry.path, entry);
  tell();
}

export function forget() {
  shown.clear();
  selected.clear();
  anchor = undefined;
  tell();
}

export function select(path, isSelected, isRange = false) {
  const paths = isRange && anchor !== undefined ? between(anchor, path) : [path];
  for (const one of paths) {
    if (isSelected) selected.add(one);
    else selected.delete(one);
  }
  anchor = path;
  tell();
}

export function selectAll(isSelected) {
  selected.clear();
  if (isSelected) for (const path of shown.keys()) selected.add(path);
  tell();
}

export const selectedEntries = () => [...selected].map((path) => shown.get(path));

function between(one, other) {
  const paths = [...shown.keys()];
  const [from, to] = [paths.indexOf(one), paths.indexOf(other)].sort((a, b) => a - b);
  return paths.slice(from, to + 1);
}
