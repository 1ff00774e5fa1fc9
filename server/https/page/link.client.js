// The page of a link: what somebody without an account sees who opens one. Its secret stays in the address, and goes nowhere but to this server.

import { texts } from '/texts.js';
import { send, Uploads } from '/uploads.js';

const API = '/api/v1';
const address = `/shared/${location.pathname.split('/')[2]}`;
const at = (id) => document.getElementById(id);

for (const element of document.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text];
at('heading').textContent = texts.title;

function trouble(text) {
  at('trouble').textContent = text ?? '';
  at('trouble').hidden = !text;
}

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, step] = [count, 0];
  for (; value >= 999.5 && step < units.length - 1; step += 1) value /= 1024;
  return `${value.toFixed(step === 0 || value >= 99.95 ? 0 : 1)} ${units[step]}`;
}
const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

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
  throw Object.assign(new Error(answer?.title ?? `${response.status}`), { code: answer?.code });
}

function show(id) {
  for (const one of ['entrance', 'file', 'drop']) at(one).hidden = one !== id;
}

async function look() {
  try {
    const link = await ask('GET', address);
    trouble();
    at('heading').textContent = link.title || texts.title;
    const until = texts.linkUntil(times.format(new Date(link.expires)), link.left);
    if (link.kind === 'drop') {
      at('drop-until').textContent = until;
      at('upload').disabled = link.left === 0;
      show('drop');
      return;
    }
    at('name').textContent = link.name;
    at('size').textContent = `${bytes(link.size)}, ${times.format(new Date(link.modified))}`;
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
const uploads = new Uploads({
  list: at('uploads'),
  texts,
  bytes,
  makeFolder: () => Promise.resolve(),
  send: (options) => send({ ...options, url: options.url.startsWith(API) ? options.url : `${API}${address}${options.url}` }),
  encoded: (path) => `/${encodeURIComponent(path.slice(path.lastIndexOf('/') + 1))}`,
  changed: () => look(),
  shown: (isAny) => {
    at('transfers').hidden = !isAny;
  },
});
const add = (files) => uploads.add([...files].map((file) => ({ file, path: `/${file.name}` })));

at('clear').addEventListener('click', () => uploads.clear());
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
