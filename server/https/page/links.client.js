// Links, in the page of an account: makes one for what is selected or for the folder that is shown, lists them, takes them back.

const DAYS = [1, 7, 14, 30];

function element(kind, properties = {}, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

export class Links {
  /** `page`: texts, times, `ask`, `trouble`, `say`, `target()`: what a link would be for, undefined where there is nothing; `toolbar`, `before`: where its button goes. */
  constructor(page) {
    this.page = page;
    const { texts } = page;
    this.button = element('button', { id: 'links', type: 'button', textContent: texts.links });
    this.button.addEventListener('click', () => this.open());
    page.toolbar.insertBefore(this.button, page.before);
    this.title = element('h2', { id: 'links-title', textContent: texts.links });
    this.said = element('p', { role: 'status' });
    this.form = element('form', { className: 'make' });
    this.list = element('ul', { id: 'link-list' });
    const close = element('button', { type: 'button', textContent: texts.close });
    close.addEventListener('click', () => this.dialog.close());
    this.dialog = element('dialog', { id: 'links-dialog' }, this.title, this.form, this.said, this.list, element('div', { className: 'bar' }, close));
    this.dialog.setAttribute('aria-labelledby', 'links-title');
    document.body.append(this.dialog);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.make();
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  open() {
    this.drawForm();
    this.said.textContent = '';
    this.dialog.showModal();
    void this.refresh();
  }

  drawForm() {
    const { texts } = this.page;
    this.target = this.page.target();
    if (!this.target) return this.form.replaceChildren(element('p', { textContent: texts.linkNothing }));
    const { kind, path } = this.target;
    const field = (text, input) => element('label', {}, element('span', { textContent: text }), input);
    this.days = element('select', {}, ...DAYS.map((days) => element('option', { value: String(days), textContent: texts.days(days), selected: days === 7 })));
    this.uses = element('input', { type: 'number', min: 1, max: 1000, value: kind === 'drop' ? 10 : 1, required: true });
    this.password = element('input', { type: 'password', autocomplete: 'new-password', minLength: 8, maxLength: 1024 });
    return this.form.replaceChildren(
      element('p', { textContent: kind === 'drop' ? texts.linkDrop(path) : texts.linkDownload(path) }),
      field(texts.linkDays, this.days),
      field(kind === 'drop' ? texts.linkUploads : texts.linkDownloads, this.uses),
      field(texts.linkPasswordOptional, this.password),
      element('button', { className: 'main', textContent: texts.makeLink }),
    );
  }

  async make() {
    if (!this.target) return;
    const password = this.password.value;
    const { kind, path } = this.target;
    await this.attempt(async () => {
      const { url } = await this.page.ask('POST', '/links', {
        kind,
        path,
        seconds: Number(this.days.value) * 86_400,
        uses: Number(this.uses.value),
        ...(password === '' ? {} : { password }),
      });
      await this.refresh();
      const shown = element('input', { readOnly: true, value: url });
      shown.setAttribute('aria-label', this.page.texts.linkAddress);
      const copy = element('button', { type: 'button', textContent: this.page.texts.copy });
      copy.addEventListener('click', () => navigator.clipboard.writeText(url).then(() => (copy.textContent = this.page.texts.copied)));
      this.form.replaceChildren(element('p', { textContent: this.page.texts.linkMade }), shown, copy);
      shown.select();
    });
  }

  async refresh() {
    await this.attempt(async () => {
      const { links } = await this.page.ask('GET', '/links');
      this.list.replaceChildren(...links.map((link) => this.row(link)));
    });
  }

  row({ id, kind, path, expires, uses, used, hasPassword }) {
    const { texts, times } = this.page;
    const revoke = element('button', { type: 'button', className: 'grave', textContent: texts.revoke });
    revoke.setAttribute('aria-label', texts.of(texts.revoke, path));
    revoke.addEventListener('click', () => this.attempt(() => this.page.ask('DELETE', `/links/${id}`).then(() => this.refresh())));
    const state = texts.linkState(kind, times.format(new Date(expires)), used, uses, hasPassword);
    return element('li', {}, element('span', { className: 'path', textContent: path }), element('span', { className: 'state', textContent: state }), revoke);
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
