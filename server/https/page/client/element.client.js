// The page's elements, their words out of the catalogue, and what is said to everybody: trouble, and what screen readers tell.

import { texts } from '/page/texts.js';
import { visible } from '/page/values.js';

export const at = (id) => document.getElementById(id);

for (const element of document.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text];
for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', texts[element.dataset.label]);
for (const element of document.querySelectorAll('[data-placeholder]')) element.placeholder = texts[element.dataset.placeholder];

/** Without a text, what was said before goes. */
export function trouble(text) {
  at('trouble').textContent = visible(text ?? '');
  at('trouble').hidden = !text;
}

export function say(text) {
  at('said').textContent = visible(text);
}

/** Does something, and says what went wrong. Undefined where something did. */
export async function attempt(act) {
  trouble();
  try {
    return await act();
  } catch (error) {
    trouble(error.message);
    return undefined;
  }
}

/** Names are in many texts: all are made visible. */
export function made(name, { textContent = '', ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(name), { textContent: visible(textContent) }, properties);
  element.append(...children);
  return element;
}

export function button(text, label, act) {
  const element = made('button', { type: 'button', textContent: text });
  element.setAttribute('aria-label', label);
  element.addEventListener('click', act);
  return element;
}
