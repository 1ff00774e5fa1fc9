// The folder that is open, as a table: sorted, searched, page by page.

import { API, ask } from '/page/ask.js';
import { at, attempt, made, say, trouble } from '/page/element.js';
import { forget, onSelection, select, selectAll, selected, show, shown } from '/page/listed.js';
import { encoded, folderIn, hashOf } from '/page/paths.js';
import { texts } from '/page/texts.js';
import { bytes, time } from '/page/values.js';
import { may, onVisitor, visitor } from '/page/visitor.js';

/** Entries of a page. */
const PAGE = 500;
const WAIT_FOR_TYPING_MS = 250;
const WAIT_FOR_CHANGES_MS = 1_000;

let folder = '/';
let sort = { by: 'name', order: 'ascending' };
let next;
let total = 0;
/** Each list has a number: an older one that comes late is not shown. */
let lists = 0;

/** What has the focus in a row: its name, or its box to check. */
export const partOf = (row, isCheck) => (isCheck ? undefined : row?.querySelector('a[href]')) ?? row?.querySelector('input');

/** The folder that is open. */
export const here = () => folder;

export async function open(path) {
  const isElsewhere = path !== folder;
  trouble();
  folder = path;
  at('search').value = '';
  if (folderIn(location.hash) !== folder) history.pushState(undefined, '', hashOf(folder));
  showCrumbs();
  if (isElsewhere) showUnknown();
  await list();
}

export async function list() {
  const number = ++lists;
  if (!may('list')) return showList([], 0);
  at('files').setAttribute('aria-busy', 'true');
  // What went wrong before stays to be read: the list is also asked for behind what failed.
  const answer = await ask('GET', address(0)).catch((error) => trouble(error.message));
  if (number !== lists) return undefined;
  at('files').setAttribute('aria-busy', 'false');
  if (!answer) return undefined;
  if (at('trouble').textContent === texts.offline) trouble();
  next = answer.next;
  const focus = focused();
  showList(answer.entries, answer.total);
  focusAgain(focus);
  say(texts.entries(total));
  return undefined;
}

function address(cursor) {
  const search = at('search').value.trim();
  const query = new URLSearchParams({ limit: PAGE, cursor, sort: sort.by, order: sort.order, ...(search === '' ? {} : { search }) });
  return `/folders${folder === '/' ? '' : encoded(folder)}?${query}`;
}

function showList(entries, count) {
  total = count;
  forget();
  at('entries').replaceChildren();
  add(entries);
  at('caption').textContent = texts.entries(total);
  at('nothing').hidden = entries.length > 0;
  at('nothing').textContent = emptyText();
  for (const button of document.querySelectorAll('[data-sort]')) {
    if (button.dataset.sort === sort.by) button.closest('th').setAttribute('aria-sort', sort.order);
    else button.closest('th').removeAttribute('aria-sort');
  }
  at('sort').value = `${sort.by} ${sort.order}`;
}

/** What is here is not known yet, or not to be had: that is not to say that nothing is. */
function showUnknown() {
  showList([], 0);
  at('nothing').hidden = true;
  for (const id of ['caption', 'count']) at(id).textContent = '';
}

function emptyText() {
  if (!may('list')) return texts.noListing;
  if (at('search').value.trim() !== '') return texts.noMatch;
  return may('write') ? texts.emptyFolder : texts.nothingHere;
}

function add(entries) {
  at('entries').append(...entries.map(row));
  at('more').hidden = next === undefined;
  show(entries);
}

function row({ path, name, type, size, modified }) {
  const isFolder = type === 'directory';
  const check = made('input', { type: 'checkbox' });
  check.setAttribute('aria-label', texts.select(name));
  const link = made('a', { textContent: name, className: isFolder ? 'folder' : 'file', draggable: false });
  if (isFolder) {
    link.href = hashOf(path);
    link.append(made('span', { className: 'unseen', textContent: texts.folder }));
  } else if (may('read')) Object.assign(link, { href: `${API}/files${encoded(path)}`, download: name });
  const [amount, when] = [isFolder ? '' : bytes(size), time(modified)];
  const element = made(
    'tr',
    { draggable: may('rename') },
    made('td', { className: 'check' }, check),
    made('td', { className: 'name' }, link, made('small', { textContent: amount === '' ? when : `${amount} · ${when}` })),
    made('td', { className: 'size', textContent: amount }),
    made('td', { className: 'time', textContent: when }),
  );
  element.dataset.path = path;
  if (isFolder) element.dataset.folder = path;
  return element;
}

function showCrumbs() {
  const parts = folder === '/' ? [] : folder.slice(1).split('/');
  const crumbs = [texts.home, ...parts].map((name, index) => {
    const path = `/${parts.slice(0, index).join('/')}`;
    const link = made('a', { href: hashOf(path), textContent: name });
    link.dataset.folder = path;
    if (index === parts.length) link.setAttribute('aria-current', 'page');
    return made('li', {}, link);
  });
  at('crumbs').replaceChildren(made('ol', {}, ...crumbs));
}

// Whoever works with the keyboard stays where they were when rows are made anew, or begins with the first.

let worksWithKeys = false;
for (const kind of ['keydown', 'pointerdown'])
  addEventListener(
    kind,
    () => {
      worksWithKeys = kind === 'keydown';
    },
    true,
  );

function focused() {
  const element = document.activeElement;
  const isLost = worksWithKeys && (!element || element === document.body);
  return { path: element?.closest('#entries tr')?.dataset.path, isCheck: element?.type === 'checkbox', isLost };
}

function focusAgain({ path, isCheck, isLost }) {
  if (path === undefined && !isLost) return;
  const rows = [...at('entries').rows];
  const place = rows.find(({ dataset }) => dataset.path === path) ?? rows[0];
  (partOf(place, isCheck) ?? at('crumbs').querySelector('[aria-current]'))?.focus({ preventScroll: isLost });
}

// Selecting.

onSelection(() => {
  for (const element of at('entries').rows) {
    const isSelected = selected.has(element.dataset.path);
    element.querySelector('input').checked = isSelected;
    element.classList.toggle('selected', isSelected);
  }
  at('all').checked = selected.size > 0 && selected.size === shown.size;
  at('all').indeterminate = selected.size > 0 && selected.size < shown.size;
  at('all').disabled = shown.size === 0;
  document.body.classList.toggle('choosing', selected.size > 0);
  at('count').textContent = selected.size > 0 ? texts.selected(selected.size, total) : texts.entries(total);
});
at('entries').addEventListener('click', (event) => {
  const { target } = event;
  const path = target.closest('tr')?.dataset.path;
  if (path === undefined || target.closest('a[href]')) return;
  select(path, target.type === 'checkbox' ? target.checked : !selected.has(path), event.shiftKey);
});
// With shift, the browser would mark text.
at('entries').addEventListener('mousedown', (event) => event.shiftKey && event.preventDefault());
at('all').addEventListener('change', ({ target }) => selectAll(target.checked));

// Sorting, searching, going elsewhere.

function sortBy(by, order) {
  sort = { by, order };
  void list();
}
for (const button of document.querySelectorAll('[data-sort]'))
  button.addEventListener('click', () => {
    const by = button.dataset.sort;
    sortBy(by, sort.by === by && sort.order === 'ascending' ? 'descending' : 'ascending');
  });
for (const [value, text] of Object.entries(texts.sorts)) at('sort').append(made('option', { value, textContent: text }));
at('sort').addEventListener('change', ({ target }) => sortBy(...target.value.split(' ')));
let typing;
at('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(list, WAIT_FOR_TYPING_MS);
});
at('more').addEventListener('click', () =>
  attempt(async () => {
    const answer = await ask('GET', address(next));
    next = answer.next;
    add(answer.entries);
  }),
);
addEventListener('popstate', () => visitor() && open(folderIn(location.hash)));
onVisitor((who) => {
  lists += 1;
  showUnknown();
  if (who) void open(location.hash === '' ? who.folder : folderIn(location.hash));
});

let refreshing;
/** Many files that are there one after the other are one list; it waits where something is selected. */
export function refreshSoon() {
  refreshing ??= setTimeout(() => {
    refreshing = undefined;
    if (selected.size === 0 && visitor()) void list();
  }, WAIT_FOR_CHANGES_MS);
}
