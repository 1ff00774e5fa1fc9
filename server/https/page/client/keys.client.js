// What keys do.

import { at } from '/page/element.js';
import { here, open, partOf } from '/page/list.js';
import { selectAll, selected } from '/page/listed.js';
import { parentOf } from '/page/paths.js';
import { visitor } from '/page/visitor.js';

/** To the same column of another row. */
function step(by) {
  const row = document.activeElement.closest('#entries tr');
  const rows = [...at('entries').rows];
  const next = row ? rows[rows.indexOf(row) + by] : rows[0];
  partOf(next, row && document.activeElement.type === 'checkbox')?.focus();
}

const keys = {
  '/': () => at('search').focus(),
  Delete: () => at('delete').click(),
  F2: () => at('rename').click(),
  Backspace: () => open(parentOf(here())),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Escape: () => selected.size > 0 && selectAll(false),
};

document.addEventListener('keydown', (event) => {
  if (!visitor() || document.querySelector('dialog[open]') || event.target.matches('input:not([type=checkbox]), select')) return;
  const isAll = event.key === 'a' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const act = isAll ? () => selectAll(true) : isPlain ? keys[event.key] : undefined;
  if (!act) return;
  event.preventDefault();
  act();
});
