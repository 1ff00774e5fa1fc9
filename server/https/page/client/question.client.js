// Asks for a yes, or for a text.

import { at, made } from '/page/element.js';
import { visible } from '/page/values.js';

/** Undefined where it is a no. `value`: a text is asked for, and this stands there first; `choices` are offered for it. */
export function question({ title, text = '', value, choices = [], yes, grave = false }) {
  at('ask-title').textContent = visible(title);
  at('ask-text').textContent = visible(text);
  const input = at('ask-input');
  input.hidden = value === undefined;
  input.required = value !== undefined;
  input.value = value ?? '';
  at('ask-choices').replaceChildren(...choices.map((choice) => made('option', { value: choice })));
  at('ask-yes').textContent = yes;
  at('ask-yes').className = grave ? 'grave' : 'main';
  at('ask').returnValue = 'no';
  at('ask').showModal();
  if (value !== undefined) input.select();
  return new Promise((resolve) => {
    at('ask').addEventListener('close', () => resolve(at('ask').returnValue === 'yes' ? input.value : undefined), { once: true });
  });
}

// Enter presses a form's first button that submits: this is none.
at('ask-no').addEventListener('click', () => at('ask').close('no'));
