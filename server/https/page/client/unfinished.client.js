// Uploads that were begun, kept in this browser: after the page was closed one goes on where it was, once its file is chosen again.

const KEY = 'unfinished-uploads';

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '[]');
  } catch {
    return []; // this browser keeps nothing
  }
}

function keep(uploads) {
  try {
    if (uploads.length > 0) localStorage.setItem(KEY, JSON.stringify(uploads));
    else localStorage.removeItem(KEY);
  } catch {
    // As before: it goes on as long as the page is open.
  }
}

/** Those of an account: each with `path`, `size`, `changed` (as `File` says it) and `at`, its address. */
export const unfinishedOf = (user) => kept().filter((one) => one.user === user);

export function rememberUpload(user, { path, file, at }) {
  keep([...kept().filter((one) => one.at !== at), { user, path, size: file.size, changed: file.lastModified, at }]);
}

export function forgetUpload(at) {
  keep(kept().filter((one) => one.at !== at));
}

/** Whoever comes to this browser next is not told what was uploaded. */
export function forgetUploads() {
  keep([]);
}

/** Whether it is the file that was begun, as far as a browser can tell. */
export const isSameFile = ({ size, changed }, file) => file.size === size && file.lastModified === changed;

// Two pages of one browser: what goes on in one is not unfinished in the other.

export async function isElsewhere(at) {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name === at);
}

/** Until `over` is fulfilled. */
export function claim(at, over) {
  void navigator.locks?.request(at, () => over);
}
