// What is dragged here from outside is uploaded, what is dragged from the list is moved; onto a folder, it goes into that one.

import { moveTo } from '/page/actions.js';
import { attempt } from '/page/element.js';
import { here } from '/page/list.js';
import { selected } from '/page/listed.js';
import { join, parentOf } from '/page/paths.js';
import { may } from '/page/visitor.js';

/** Paths of this page's list, as JSON. */
const OWN = 'application/x-ftps-paths';

/** What is beneath what was dropped: files, and folders with nothing in them. */
async function* filesOf(entry, folder) {
  const path = join(folder, entry.name);
  if (entry instanceof File) {
    yield { path, file: entry };
    return;
  }
  if (entry.isFile) {
    yield { path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) };
    return;
  }
  const reader = entry.createReader();
  for (let isEmpty = true; ; isEmpty = false) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) {
      if (isEmpty) yield { path };
      return;
    }
    for (const one of batch) yield* filesOf(one, path);
  }
}

const isOwn = (event) => event.dataTransfer.types.includes(OWN);
const isWanted = (event) => (isOwn(event) ? may('rename') && folderUnder(event) : may('write') && event.dataTransfer.types.includes('Files'));
const folderUnder = (event) => event.target.closest?.('[data-folder]');

function mark(element) {
  for (const one of document.querySelectorAll('.target')) one.classList.remove('target');
  element?.classList.add('target');
}

/** `upload`: takes files with the paths that they are to have, and the folder that is there already. `makeFolder`: makes one, and those above it. */
export function takeDrops({ upload, makeFolder }) {
  addEventListener('dragstart', (event) => {
    const path = event.target.closest?.('#entries tr')?.dataset.path;
    if (path === undefined || !may('rename')) return;
    event.dataTransfer.setData(OWN, JSON.stringify(selected.has(path) ? [...selected] : [path]));
    event.dataTransfer.effectAllowed = 'move';
  });
  addEventListener('dragover', (event) => {
    mark(isWanted(event) ? folderUnder(event) : undefined);
    if (!isWanted(event)) return;
    event.preventDefault();
    document.body.classList.toggle('dropping', !isOwn(event));
  });
  const over = () => {
    mark();
    document.body.classList.remove('dropping');
  };
  addEventListener('dragleave', (event) => event.relatedTarget === null && over());
  addEventListener('dragend', over);
  addEventListener('drop', (event) => {
    over();
    if (!isWanted(event)) return;
    event.preventDefault();
    const folder = folderUnder(event)?.dataset.folder ?? here();
    if (isOwn(event)) {
      const paths = JSON.parse(event.dataTransfer.getData(OWN)).filter((path) => path !== folder && parentOf(path) !== folder);
      if (paths.length > 0) void moveTo(paths, folder);
      return;
    }
    // What was dropped is there only during this very event.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile()).filter(Boolean);
    void attempt(async () => {
      for (const entry of entries)
        for await (const one of filesOf(entry, folder)) {
          if (one.file) upload([one], folder);
          else await makeFolder(one.path, folder);
        }
    });
  });
}
