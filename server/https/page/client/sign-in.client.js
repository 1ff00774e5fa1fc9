// Coming in and going.

import { ask } from '/page/ask.js';
import { at, attempt } from '/page/element.js';
import { texts } from '/page/texts.js';
import { onVisitor, setVisitor } from '/page/visitor.js';
import { showWays } from '/page/ways.js';

/** Attempts that were refused, one after the other. */
let refused = 0;

const inside = ['files', 'sign-out', 'who'];

function entrance() {
  at('entrance').hidden = false;
  for (const id of inside) at(id).hidden = true;
  at(at('user').value === '' ? 'user' : 'password').focus();
}

onVisitor((who) => {
  if (!who) return entrance();
  at('who').textContent = who.user;
  for (const id of ['password', 'code']) at(id).value = '';
  at('entrance').hidden = true;
  for (const id of inside) at(id).hidden = false;
  return undefined;
});

at('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button) button.disabled = true;
  await attempt(async () => {
    const [user, password, code] = ['user', 'password', 'code'].map((id) => at(id).value);
    const who = await ask('POST', '/sign-in', { user, ...(password === '' ? {} : { password }), ...(code === '' ? {} : { code }) }).catch((error) => {
      if (error.code === 'refused') refused += 1;
      // Whoever is locked out is not answered at all.
      throw refused > 0 && error.message === texts.offline ? new Error(texts.perhapsLockedOut) : error;
    });
    refused = 0;
    setVisitor(who);
  });
  if (button) button.disabled = false;
  if (!at('entrance').hidden) at('password').select();
});

at('sign-out').addEventListener('click', () =>
  attempt(async () => {
    await ask('DELETE', '/sign-in');
    at('user').value = '';
    setVisitor(undefined);
  }),
);

/** Whoever has signed in before the page was loaded still is. */
export async function begin() {
  void showWays();
  const who = await ask('GET', '/sign-in').catch(() => undefined);
  if (who) setVisitor(who);
  else entrance();
}
