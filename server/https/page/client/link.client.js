// The page of a link: what somebody without an account sees who opens one. Its secret stays in the address, and goes nowhere but to this server.

import { API, ask } from '/page/ask.js';
import { at, trouble } from '/page/element.js';
import { Uploads } from '/page/queue.js';
import { texts } from '/page/texts.js';
import { bytes, time, visible } from '/page/values.js';

const address = `/shared/${location.pathname.split('/')[2]}`;

at('heading').textContent = texts.title;

function show(id) {
  for (const one of ['entrance', 'file', 'drop']) at(one).hidden = one !== id;
}

async function look() {
  try {
    const link = await ask('GET', address);
    trouble();
    at('heading').textContent = visible(link.title || texts.title);
    const until = texts.linkUntil(time(link.expires), link.left);
    if (link.kind === 'drop') {
      at('drop-until').textContent = until;
      at('upload').disabled = link.left === 0;
      show('drop');
      return;
    }
    at('name').textContent = visible(link.name);
    at('size').textContent = `${bytes(link.size)}, ${time(link.modified)}`;
    at('until').textContent = until;
    at('download').hidden = link.left === 0;
    at('download').href = `${API}${address}/file`;
    at('download').download = link.name;
    show('file');
  } catch (error) {
    if (error.code !== 'link-password') {
      show();
      trouble(error.code === 'not-found' ? texts.noLink : error.message);
      return;
    }
    show('entrance');
    at('password').focus();
  }
}

at('unlock').addEventListener('submit', (event) => {
  event.preventDefault();
  ask('POST', `${address}/unlock`, { password: at('password').value }).then(look, (error) => trouble(error.message));
});
// What is left is another number behind it.
at('download').addEventListener('click', () => setTimeout(look, 2_000));

/** The page's own uploads, of which each comes to this folder under its name alone. */
const uploads = new Uploads({ base: API + address, changed: () => look() });
const add = (files) =>
  uploads.add(
    [...files].map((file) => ({ file, path: `/${file.name}` })),
    '/',
  );

at('upload').addEventListener('click', () => at('choose').click());
at('choose').addEventListener('change', ({ target }) => {
  add(target.files);
  target.value = '';
});
addEventListener('dragover', (event) => {
  if (at('drop').hidden) return;
  event.preventDefault();
  document.body.classList.add('dropping');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('dropping');
});
addEventListener('drop', (event) => {
  document.body.classList.remove('dropping');
  if (at('drop').hidden) return;
  event.preventDefault();
  add(event.dataTransfer.files);
});
addEventListener('beforeunload', (event) => {
  if (uploads.isBusy) event.preventDefault();
});

void look();
