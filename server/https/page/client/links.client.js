// Links, in the page of an account: makes one for what is selected or for the folder that is shown, lists them, takes them back.

import { ask } from '/page/ask.js';
import { at, made } from '/page/element.js';
import { here } from '/page/list.js';
import { selected, shown } from '/page/listed.js';
import { texts } from '/page/texts.js';
import { time } from '/page/values.js';
import { onVisitor, visitor } from '/page/visitor.js';

const DAYS = [1, 7, 14, 30];

/** What a link would be for: the one that is selected, or the folder that is shown. Undefined where there is nothing. */
function target() {
  const [path = here(), another] = selected;
  if (another) return undefined;
  const kind = shown.get(path)?.type === 'file' ? 'download' : 'drop';
  return visitor().links.includes(kind) ? { kind, path } : undefined;
}

class Links {
  constructor() {
    this.button = made('button', { id: 'links', type: 'button', textContent: texts.links });
    this.button.addEventListener('click', () => this.open());
    at('new-folder').after(this.button);
    // Where none can be made there is nothing to show.
    onVisitor((who) => {
      this.button.hidden = !who?.links.length;
    });
    this.title = made('h2', { id: 'links-title', textContent: texts.links });
    this.said = made('p', { role: 'status' });
    this.form = made('form', { className: 'make' });
    this.list = made('ul', { id: 'link-list' });
    const close = made('button', { type: 'button', textContent: texts.close });
    close.addEventListener('click', () => this.dialog.close());
    this.dialog = made('dialog', { id: 'links-dialog' }, this.title, this.form, this.said, this.list, made('div', { className: 'bar' }, close));
    this.dialog.setAttribute('aria-labelledby', 'links-title');
    document.body.append(this.dialog);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.make();
    });
  }

  open() {
    this.drawForm();
    this.said.textContent = '';
    this.dialog.showModal();
    void this.refresh();
  }

  drawForm() {
    this.target = target();
    if (!this.target) return this.form.replaceChildren(made('p', { textContent: texts.linkNothing }));
    const { kind, path } = this.target;
    const field = (text, input) => made('label', {}, made('span', { textContent: text }), input);
    this.days = made('select', {}, ...DAYS.map((days) => made('option', { value: String(days), textContent: texts.days(days), selected: days === 7 })));
    this.uses = made('input', { type: 'number', min: 1, max: 1000, value: kind === 'drop' ? 10 : 1, required: true });
    this.password = made('input', { type: 'password', autocomplete: 'new-password', minLength: 8, maxLength: 1024 });
    return this.form.replaceChildren(
      made('p', { textContent: kind === 'drop' ? texts.linkDrop(path) : texts.linkDownload(path) }),
      field(texts.linkDays, this.days),
      field(kind === 'drop' ? texts.linkUploads : texts.linkDownloads, this.uses),
      field(texts.linkPasswordOptional, this.password),
      made('button', { className: 'main', textContent: texts.makeLink }),
    );
  }

  async make() {
    if (!this.target) return;
    const password = this.password.value;
    const { kind, path } = this.target;
    await this.attempt(async () => {
      const { url } = await ask('POST', '/links', {
        kind,
        path,
        seconds: Number(this.days.value) * 86_400,
        uses: Number(this.uses.value),
        ...(password === '' ? {} : { password }),
      });
      await this.refresh();
      const shown = made('input', { readOnly: true, value: url });
      shown.setAttribute('aria-label', texts.linkAddress);
      const copy = made('button', { type: 'button', textContent: texts.copy });
      copy.addEventListener('click', () => navigator.clipboard.writeText(url).then(() => (copy.textContent = texts.copied)));
      this.form.replaceChildren(made('p', { textContent: texts.linkMade }), shown, copy);
      shown.select();
    });
  }

  async refresh() {
    await this.attempt(async () => {
      const { links } = await ask('GET', '/links');
      this.list.replaceChildren(...links.map((link) => this.row(link)));
    });
  }

  row({ id, kind, path, expires, uses, used, hasPassword }) {
    const revoke = made('button', { type: 'button', className: 'grave', textContent: texts.revoke });
    revoke.setAttribute('aria-label', texts.of(texts.revoke, path));
    revoke.addEventListener('click', () => this.attempt(() => ask('DELETE', `/links/${id}`).then(() => this.refresh())));
    const state = texts.linkState(kind, time(expires), used, uses, hasPassword);
    return made('li', {}, made('span', { className: 'path', textContent: path }), made('span', { className: 'state', textContent: state }), revoke);
  }

  async attempt(act) {
    this.said.textContent = '';
    try {
      await act();
    } catch (error) {
      this.said.textContent = error.message;
    }
  }
}

new Links();
