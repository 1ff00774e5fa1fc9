// How much room is left.

import { ask } from '/page/ask.js';
import { at } from '/page/element.js';
import { texts } from '/page/texts.js';
import { bytes } from '/page/values.js';
import { may, onVisitor } from '/page/visitor.js';

export async function showSpace() {
  const space = may('write') ? await ask('GET', '/space').catch(() => undefined) : undefined;
  at('space').textContent = space?.bytes === undefined ? '' : texts.space(bytes(space.bytes));
}

onVisitor((who) => {
  at('space').textContent = '';
  if (who) void showSpace();
});
