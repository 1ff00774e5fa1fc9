// What is done with what is selected.

import { API, ask } from '/page/ask.js';
import { at, attempt, made, say } from '/page/element.js';
import { here, list } from '/page/list.js';
import { onSelection, selected, selectedEntries, shown } from '/page/listed.js';
import { encoded, join, nameOf, parentOf } from '/page/paths.js';
import { question } from '/page/question.js';
import { texts } from '/page/texts.js';
import { may } from '/page/visitor.js';

/** Of an address: the server reads no head that is much longer. Characters. */
const LONGEST_ADDRESS = 30_000;

onSelection(() => {
  const count = selected.size;
  for (const id of ['upload', 'upload-folder']) at(id).disabled = !may('write');
  at('new-folder').disabled = !may('mkdir');
  at('download').disabled = count === 0 || !may('read');
  at('rename').disabled = count !== 1 || !may('rename');
  at('move').disabled = count === 0 || !may('rename');
  at('delete').disabled = count === 0 || !may('delete');
});

const change = (act) => attempt(act).then(list);

function checkedName(name) {
  if (name.trim() === '' || name.includes('/')) throw new Error(texts.badName);
  return name;
}

async function makeFolder() {
  const name = await question({ title: texts.newFolder, text: texts.newFolderText, value: '', yes: texts.create });
  if (name !== undefined) await change(() => ask('PUT', `/folders${encoded(join(here(), checkedName(name)))}`));
}

async function rename() {
  const [{ path, name: before }] = selectedEntries();
  const name = await question({ title: texts.rename, text: texts.renameText(before), value: before, yes: texts.rename });
  if (name !== undefined && name !== before) await change(() => ask('POST', '/moves', { from: path, to: join(parentOf(path), checkedName(name)) }));
}

export function moveTo(paths, folder) {
  return change(async () => {
    for (const path of paths) await ask('POST', '/moves', { from: path, to: join(folder, nameOf(path)) });
    say(texts.moved(paths.length, folder));
  });
}

async function move() {
  const paths = [...selected];
  const folders = [...shown.values()].filter(({ type, path }) => type === 'directory' && !selected.has(path)).map(({ path }) => path);
  const choices = here() === '/' ? folders : [parentOf(here()), ...folders];
  const target = await question({ title: texts.move, text: texts.moveText(paths.length), value: here(), choices, yes: texts.move });
  if (target !== undefined) await moveTo(paths, `/${target}`.replace(/^\/+/, '/').replace(/(.)\/+$/, '$1'));
}

/** A large folder goes by several requests. */
async function removeTree({ path, type }) {
  if (type === 'file') return ask('DELETE', `/files${encoded(path)}`);
  for (;;) {
    const { isAll } = await ask('DELETE', `/folders${encoded(path)}?recursive=true`);
    if (isAll) return undefined;
  }
}

async function remove() {
  const entries = selectedEntries();
  const yes = await question({ title: texts.deleteTitle(entries.length, entries[0].name), text: texts.deleteText, yes: texts.delete, grave: true });
  if (yes === undefined) return;
  await change(async () => {
    for (const entry of entries) await removeTree(entry);
    say(texts.deleted(entries.length));
  });
}

/** The browser's own download: nothing of it is held here. That it will not be refused is asked before, since the browser would not say why. */
export async function save(address, check) {
  await attempt(async () => {
    if (address.length > LONGEST_ADDRESS) throw new Error(texts.tooManyToDownload);
    await ask(...check);
    const link = made('a', { href: `${API}${address}`, download: '' });
    document.body.append(link);
    link.click();
    link.remove();
  });
}

function download() {
  const entries = selectedEntries();
  const [only] = entries;
  if (entries.length === 1 && only.type === 'file') return save(`/files${encoded(only.path)}`, ['GET', `/entries${encoded(only.path)}`]);
  return save(`/archive?${new URLSearchParams(entries.map(({ path }) => ['path', path]))}`, ['GET', '/sign-in']);
}

for (const [id, act] of Object.entries({ 'new-folder': makeFolder, rename, move, delete: remove, download })) at(id).addEventListener('click', act);
at('entries').addEventListener('click', (event) => {
  const link = event.target.closest('a[download]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { path } = link.closest('tr').dataset;
  void save(`/files${encoded(path)}`, ['GET', `/entries${encoded(path)}`]);
});
