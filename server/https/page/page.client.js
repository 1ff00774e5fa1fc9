// The page's script: it runs in a browser as it stands here.

import { Links } from '/links.js';
import { texts } from '/texts.js';
import { send, Uploads } from '/uploads.js';

const API = '/api/v1';
const PAGE = 500;
const at = (id) => document.getElementById(id);
const encoded = (path) => path.split('/').map(encodeURIComponent).join('/');
const join = (folder, name) => (folder === '/' ? `/${name}` : `${folder}/${name}`);
const parentOf = (path) => path.slice(0, path.lastIndexOf('/')) || '/';

for (const element of document.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text];
for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', texts[element.dataset.label]);
for (const element of document.querySelectorAll('[data-placeholder]')) element.placeholder = texts[element.dataset.placeholder];
at('crumbs').setAttribute('aria-label', texts.path);

let visitor;
let folder = '/';
let sort = { by: 'name', order: 'ascending' };
/** By path, those that are shown, and those of them that are selected. */
const shown = new Map();
const selected = new Set();
let next;
/** Each list has a number: an older one that comes late is not shown. */
let lists = 0;

function trouble(text) {
  at('trouble').textContent = text ?? '';
  at('trouble').hidden = !text;
}

function say(text) {
  at('said').textContent = text;
}

/** A request whose answer is JSON. Throws an Error with words for a person. */
async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(API + path, {
      method,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error(texts.offline);
  }
  const answer = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (response.ok) return answer;
  if (response.status === 401 && visitor) {
    entrance();
    throw new Error(texts.signedOut);
  }
  throw Object.assign(new Error(answer?.title ?? `${response.status}`), { code: answer?.code, status: response.status });
}

/** Does something, and says what went wrong. */
async function attempt(act) {
  trouble();
  try {
    return await act();
  } catch (error) {
    trouble(error.message);
    return undefined;
  }
}

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, step] = [count, 0];
  for (; value >= 999.5 && step < units.length - 1; step += 1) value /= 1024;
  return `${value.toFixed(step === 0 || value >= 99.95 ? 0 : 1)} ${units[step]}`;
}
const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

// Coming in and going.

function entrance() {
  visitor = undefined;
  at('entrance').hidden = false;
  for (const id of ['files', 'sign-out', 'who']) at(id).hidden = true;
  at('user').focus();
}

function enter(who) {
  visitor = who;
  at('who').textContent = who.user;
  at('entrance').hidden = true;
  for (const id of ['files', 'sign-out', 'who']) at(id).hidden = false;
  void open(location.hash ? decodeURI(location.hash.slice(1)) : '/');
}

at('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(async () => {
    const [user, password] = [at('user').value, at('password').value];
    const who = await ask('POST', '/sign-in', { user, ...(password === '' ? {} : { password }) });
    at('password').value = '';
    enter(who);
  });
});
at('sign-out').addEventListener('click', () => attempt(() => ask('DELETE', '/sign-in').then(entrance)));

// The list.

const may = (permission) => visitor?.permissions.includes(permission) ?? false;

async function open(path) {
  folder = path === '' ? '/' : path;
  at('search').value = '';
  if (decodeURI(location.hash.slice(1)) !== folder) history.pushState(undefined, '', `#${encodeURI(folder)}`);
  showCrumbs();
  await list();
}

async function list() {
  const number = ++lists;
  selected.clear();
  if (!may('list')) return showList([], 0);
  const answer = await attempt(() => ask('GET', listPath(0)));
  if (number !== lists || !answer) return undefined;
  next = answer.next;
  return showList(answer.entries, answer.total);
}

function listPath(cursor) {
  const search = at('search').value.trim();
  const query = new URLSearchParams({ limit: PAGE, cursor, sort: sort.by, order: sort.order, ...(search === '' ? {} : { search }) });
  return `/folders${folder === '/' ? '' : encoded(folder)}?${query}`;
}

function showList(entries, total) {
  shown.clear();
  at('entries').replaceChildren();
  add(entries);
  at('caption').textContent = texts.entries(total);
  say(texts.entries(total));
  at('nothing').hidden = entries.length > 0;
  at('nothing').textContent = at('search').value.trim() === '' ? texts.emptyFolder : texts.noMatch;
  for (const button of document.querySelectorAll('[data-sort]')) {
    const isIt = button.dataset.sort === sort.by;
    if (isIt) button.closest('th').setAttribute('aria-sort', sort.order);
    else button.closest('th').removeAttribute('aria-sort');
  }
}

function add(entries) {
  const rows = entries.map((entry) => {
    shown.set(entry.path, entry);
    const row = document.createElement('tr');
    const check = document.createElement('input');
    check.type = 'checkbox';
    check.dataset.path = entry.path;
    check.setAttribute('aria-label', texts.select(entry.name));
    row.insertCell().append(check);
    const link = document.createElement('a');
    link.textContent = entry.type === 'directory' ? `${entry.name}/` : entry.name;
    link.classList.toggle('folder', entry.type === 'directory');
    if (entry.type === 'directory') link.href = `#${encodeURI(entry.path)}`;
    else if (may('read')) Object.assign(link, { href: `${API}/files${encoded(entry.path)}`, download: entry.name });
    const name = row.insertCell();
    name.className = 'name';
    name.append(link);
    const size = row.insertCell();
    size.className = 'size';
    size.textContent = entry.type === 'file' ? bytes(entry.size) : '';
    const time = row.insertCell();
    time.className = 'time';
    time.textContent = times.format(new Date(entry.modified));
    return row;
  });
  at('entries').append(...rows);
  at('more').hidden = next === undefined;
  showActions();
}

function showCrumbs() {
  const parts = folder === '/' ? [] : folder.slice(1).split('/');
  const links = [texts.home, ...parts].map((name, index) => {
    const link = document.createElement('a');
    link.href = `#${encodeURI(`/${parts.slice(0, index).join('/')}`)}`;
    link.textContent = name;
    if (index === parts.length) link.setAttribute('aria-current', 'page');
    return link;
  });
  at('crumbs').replaceChildren(...links.flatMap((link, index) => (index === 0 ? [link] : [' / ', link])));
}

function showActions() {
  const count = selected.size;
  at('all').checked = count > 0 && count === shown.size;
  at('all').indeterminate = count > 0 && count < shown.size;
  at('all').disabled = shown.size === 0;
  for (const id of ['upload', 'upload-folder']) at(id).disabled = !may('write');
  at('new-folder').disabled = !may('mkdir');
  at('download').disabled = count === 0 || !may('read');
  at('rename').disabled = count !== 1 || !may('rename');
  at('move').disabled = count === 0 || !may('rename');
  at('delete').disabled = count === 0 || !may('delete');
  links.button.disabled = !visitor;
}

at('entries').addEventListener('change', ({ target }) => {
  if (target.checked) selected.add(target.dataset.path);
  else selected.delete(target.dataset.path);
  showActions();
});
at('all').addEventListener('change', ({ target }) => {
  for (const check of at('entries').querySelectorAll('input')) check.checked = target.checked;
  selected.clear();
  if (target.checked) for (const path of shown.keys()) selected.add(path);
  showActions();
});
at('more').addEventListener('click', () =>
  attempt(async () => {
    const answer = await ask('GET', listPath(next));
    next = answer.next;
    add(answer.entries);
  }),
);
for (const button of document.querySelectorAll('[data-sort]'))
  button.addEventListener('click', () => {
    const by = button.dataset.sort;
    sort = { by, order: sort.by === by && sort.order === 'ascending' ? 'descending' : 'ascending' };
    void list();
  });
let typing;
at('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(list, 250);
});
addEventListener('popstate', () => visitor && open(decodeURI(location.hash.slice(1))));

// What is done with what is selected.

/** Asks for a yes, or for a text. Undefined where it is a no. */
function question({ title, text = '', value, yes, grave = false }) {
  at('ask-title').textContent = title;
  at('ask-text').textContent = text;
  const input = at('ask-input');
  input.hidden = value === undefined;
  input.required = value !== undefined;
  input.value = value ?? '';
  at('ask-yes').textContent = yes;
  at('ask-yes').className = grave ? 'grave' : 'main';
  at('ask').returnValue = 'no';
  at('ask').showModal();
  if (value !== undefined) input.select();
  return new Promise((resolve) => {
    at('ask').addEventListener('close', () => resolve(at('ask').returnValue === 'yes' ? input.value : undefined), { once: true });
  });
}

function checkedName(name) {
  if (name.trim() === '' || name.includes('/')) throw new Error(texts.badName);
  return name;
}

const change = (act) => attempt(act).then(list);

async function makeFolder() {
  const name = await question({ title: texts.newFolder, text: texts.newFolderText, value: '', yes: texts.create });
  if (name !== undefined) await change(() => ask('PUT', `/folders${encoded(join(folder, checkedName(name)))}`));
}

async function rename() {
  const [path] = selected;
  const entry = shown.get(path);
  const name = await question({ title: texts.rename, text: texts.renameText(entry.name), value: entry.name, yes: texts.rename });
  if (name !== undefined && name !== entry.name) await change(() => ask('POST', '/moves', { from: path, to: join(parentOf(path), checkedName(name)) }));
}

async function move() {
  const paths = [...selected];
  const target = await question({ title: texts.move, text: texts.moveText(paths.length), value: folder, yes: texts.move });
  if (target === undefined) return;
  await change(async () => {
    for (const path of paths) await ask('POST', '/moves', { from: path, to: join(target.replace(/(.)\/+$/, '$1'), shown.get(path).name) });
  });
}

async function removeTree({ path, type }) {
  if (type === 'file') return ask('DELETE', `/files${encoded(path)}`);
  for (;;) {
    const { entries } = await ask('GET', `/folders${encoded(path)}?limit=1000`);
    if (entries.length === 0) break;
    for (const one of entries) await removeTree(one);
  }
  return ask('DELETE', `/folders${encoded(path)}`);
}

async function remove() {
  const entries = [...selected].map((path) => shown.get(path));
  const yes = await question({ title: texts.deleteTitle(entries.length, entries[0].name), text: texts.deleteText, yes: texts.delete, grave: true });
  if (yes === undefined) return;
  await change(async () => {
    for (const entry of entries) await removeTree(entry);
    say(texts.deleted(entries.length));
  });
}

/** The browser's own download: nothing of it is held here. */
function download() {
  const entries = [...selected].map((path) => shown.get(path));
  const link = document.createElement('a');
  const [only] = entries;
  if (entries.length === 1 && only.type === 'file') link.href = `${API}/files${encoded(only.path)}`;
  else link.href = `${API}/archive?${new URLSearchParams(entries.map(({ path }) => ['path', path]))}`;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}

/** What a link would be for: the one that is selected, or the folder that is shown. */
function linkTarget() {
  const [path = folder, another] = selected;
  if (another) return undefined;
  const kind = shown.get(path)?.type === 'file' ? 'download' : 'drop';
  return may(kind === 'download' ? 'read' : 'write') ? { kind, path } : undefined;
}
const links = new Links({ texts, times, ask, target: linkTarget, toolbar: at('delete').parentNode, before: at('delete') });

for (const [id, act] of Object.entries({ 'new-folder': makeFolder, rename, move, delete: remove, download })) at(id).addEventListener('click', act);

document.addEventListener('keydown', (event) => {
  if (!visitor || event.target.matches('input:not([type=checkbox])') || at('ask').open || links.isOpen || event.ctrlKey || event.metaKey || event.altKey)
    return;
  const acts = { '/': () => at('search').focus(), Delete: () => at('delete').click(), F2: () => at('rename').click(), Backspace: () => open(parentOf(folder)) };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Uploads.

const uploads = new Uploads({
  list: at('uploads'),
  texts,
  bytes,
  makeFolder: (path) => ask('PUT', `/folders${encoded(path)}`).catch((error) => (error.code === 'exists' ? undefined : Promise.reject(error))),
  send: (options) => send({ ...options, url: options.url.startsWith(API) ? options.url : `${API}${options.url}` }),
  encoded,
  changed: (path) => parentOf(path).startsWith(folder) && void refreshSoon(),
  shown: (isAny) => {
    at('transfers').hidden = !isAny;
  },
});
let refreshing;
/** Many files that are there one after the other are one list. */
function refreshSoon() {
  if (refreshing) return;
  refreshing = setTimeout(() => {
    refreshing = undefined;
    if (selected.size === 0 && visitor) void list();
  }, 1_000);
}
at('clear').addEventListener('click', () => uploads.clear());
at('upload').addEventListener('click', () => at('choose').click());
at('upload-folder').addEventListener('click', () => at('choose-folder').click());
for (const id of ['choose', 'choose-folder'])
  at(id).addEventListener('change', ({ target }) => {
    uploads.add([...target.files].map((file) => ({ file, path: join(folder, file.webkitRelativePath || file.name) })));
    target.value = '';
  });

/** Every file beneath what was dropped. */
async function* filesOf(entry, place) {
  const path = join(place, entry.name);
  if (entry.isFile) {
    yield { path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const one of batch) yield* filesOf(one, path);
  }
}

addEventListener('dragover', (event) => {
  if (!may('write')) return;
  event.preventDefault();
  document.body.classList.add('dropping');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('dropping');
});
addEventListener('drop', (event) => {
  document.body.classList.remove('dropping');
  if (!may('write')) return;
  event.preventDefault();
  const place = folder;
  // What was dropped is there only during this very event.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  void attempt(async () => {
    for (const entry of entries) for await (const one of filesOf(entry, place)) uploads.add([one]);
  });
});
addEventListener('beforeunload', (event) => {
  if (uploads.isBusy) event.preventDefault();
});

ask('GET', '/sign-in').then(enter, entrance);
