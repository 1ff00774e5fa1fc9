// One upload as a row: its path, how far it is, what became of it, and what can be done.

import { button, made } from '/page/element.js';
import { texts } from '/page/texts.js';

const looks = { done: 'good', held: 'held', failed: 'bad', exists: 'bad' };

export class UploadRow {
  /** `acts`: for each state what can be done, each with its text. */
  constructor({ path, size }, acts) {
    this.path = path;
    this.acts = acts;
    this.bar = made('progress', { max: Math.max(1, size), value: 0 });
    this.bar.setAttribute('aria-label', path);
    this.buttons = made('span', { className: 'buttons' });
    this.said = made('span', { className: 'state' });
    this.element = made('li', {}, made('span', { className: 'path', textContent: path }), this.bar, this.buttons, this.said);
  }

  show(state, sent, words) {
    this.bar.value = state === 'done' || state === 'held' ? this.bar.max : sent;
    this.said.textContent = words;
    if (this.state === state) return;
    this.state = state;
    this.element.className = looks[state] ?? '';
    const had = this.element.contains(document.activeElement);
    this.buttons.replaceChildren(...(this.acts[state] ?? []).map(([text, act]) => button(text, texts.of(text, this.path), act)));
    if (had) this.buttons.querySelector('button')?.focus();
  }
}
