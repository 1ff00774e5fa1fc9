// Buttons of where else people can sign in.

import { ask } from '/page/ask.js';
import { at, attempt, made, trouble } from '/page/element.js';
import { texts } from '/page/texts.js';

/** Also says what became of a sign-in that was begun elsewhere. */
export async function showWays() {
  const ended = new URLSearchParams(location.search).get('sign-in');
  if (ended !== null) {
    trouble(ended === 'refused' ? texts.refusedElsewhere : texts.nobodyElsewhere);
    history.replaceState(undefined, '', location.pathname + location.hash);
  }
  const { ways } = await ask('GET', '/sign-in/ways').catch(() => ({ ways: [] }));
  at('ways').replaceChildren(...ways.map(way));
}

function way({ id, name }) {
  const button = made('button', { type: 'button', textContent: texts.signInWith(name) });
  button.addEventListener('click', () => attempt(async () => location.assign((await ask('POST', `/sign-in/ways/${id}`)).location)));
  return button;
}
