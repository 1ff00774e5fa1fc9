// The page's script: it runs in a browser as it stands here, in the modules that lie beside it.

import '/page/actions.js';
import '/page/keys.js';
import '/page/links.js';
import { API } from '/page/ask.js';
import { takeDrops } from '/page/drop.js';
import { at, trouble } from '/page/element.js';
import { here, refreshSoon } from '/page/list.js';
import { join, parentOf } from '/page/paths.js';
import { Uploads } from '/page/queue.js';
import { begin } from '/page/sign-in.js';
import { showSpace } from '/page/space.js';
import { texts } from '/page/texts.js';

/** Whose file is chosen again, where that is why one is chosen. */
let goingOn;
const uploads = new Uploads({
  base: API,
  changed(path) {
    const folder = parentOf(path);
    if (folder === here() || here() === '/' || folder.startsWith(`${here()}/`)) refreshSoon();
    if (!uploads.isBusy) void showSpace();
  },
  choose(one) {
    goingOn = one;
    at('choose').click();
  },
});
at('upload').addEventListener('click', () => {
  goingOn = undefined;
  at('choose').click();
});
at('upload-folder').addEventListener('click', () => at('choose-folder').click());
for (const id of ['choose', 'choose-folder'])
  at(id).addEventListener('change', ({ target }) => {
    trouble();
    const folder = here();
    const files = [...target.files];
    target.value = '';
    const [one, isRight] = [goingOn, goingOn && uploads.goOn(goingOn, files[0])];
    goingOn = undefined;
    if (!one)
      uploads.add(
        files.map((file) => ({ file, path: join(folder, file.webkitRelativePath || file.name) })),
        folder,
      );
    else if (!isRight) trouble(texts.otherFile(one.path));
  });
takeDrops({
  upload: (files, folder) => uploads.add(files, folder),
  async makeFolder(path, folder) {
    await uploads.makeFolder(path, folder);
    refreshSoon();
  },
});
addEventListener('beforeunload', (event) => {
  if (uploads.isBusy) event.preventDefault();
});

void begin();
