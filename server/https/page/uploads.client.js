// Uploads of the page: small files in one request, large ones in parts that go on after a lost connection (tus 1.0).

/** Larger files go in parts. Bytes. */
const LARGE = 8 * 1024 * 1024;
const PART = 32 * 1024 * 1024;
const AT_ONCE = 3;
const LONGEST_WAIT_S = 30;
const TUS = { 'tus-resumable': '1.0.0' };

/** A request with a body of bytes, which says how far it is. Resolved with its answer; rejected where the connection failed, or it was ended. */
export function send({ method, url, headers = {}, body, progress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress?.(loaded);
    request.onload = () => {
      let problem;
      try {
        problem = JSON.parse(request.responseText);
      } catch {
        problem = undefined;
      }
      resolve({ status: request.status, problem, header: (name) => request.getResponseHeader(name) });
    };
    request.onerror = () => reject(new Error('lost'));
    request.onabort = () => reject(new DOMException('', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });
}

const wait = (seconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    const given = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', given, { once: true });
  });

export class Uploads {
  constructor(page) {
    this.page = page;
    this.all = [];
    this.folders = new Map();
    this.running = 0;
  }

  get isBusy() {
    return this.all.some(({ state }) => ['waiting', 'running', 'paused'].includes(state));
  }

  /** `files`: each with the path that it is to have. */
  add(files) {
    for (const { file, path } of files) {
      const one = { file, path, state: 'waiting', sent: 0, replaces: false };
      this.all.push(one);
      this.draw(one);
    }
    this.page.shown(this.all.length > 0);
    this.next();
  }

  clear() {
    for (const one of this.all) if (one.state === 'done' || one.state === 'given-up') one.row.remove();
    this.all = this.all.filter(({ state }) => state !== 'done' && state !== 'given-up');
    this.page.shown(this.all.length > 0);
  }

  next() {
    while (this.running < AT_ONCE) {
      const one = this.all.find(({ state }) => state === 'waiting');
      if (!one) return;
      this.running += 1;
      one.state = 'running';
      this.run(one).finally(() => {
        this.running -= 1;
        this.show(one);
        this.next();
      });
    }
  }

  async run(one) {
    const { texts } = this.page;
    one.control = new AbortController();
    const { signal } = one.control;
    for (let failures = 0; ; ) {
      const before = one.sent;
      try {
        this.show(one, texts.uploading(this.page.bytes(one.sent), this.page.bytes(one.file.size)));
        await this.foldersOf(one.path);
        const { status, problem, header } = one.file.size > LARGE ? await this.inParts(one, signal) : await this.inOne(one, signal);
        if (status >= 200 && status < 300) {
          one.state = 'done';
          one.sent = one.file.size;
          one.words = status === 202 || header('upload-held') ? texts.held : texts.done;
          this.page.changed(one.path);
          return;
        }
        if (status === 412 || problem?.code === 'exists') return this.fail(one, texts.exists, 'exists');
        if ((status < 500 && status !== 429) || problem?.code === 'quota' || problem?.code === 'no-space')
          return this.fail(one, problem?.title ?? String(status));
      } catch (error) {
        if (signal.aborted) return;
        if (error.code) return this.fail(one, error.message);
      }
      failures = one.sent > before ? 1 : failures + 1;
      const seconds = Math.min(LONGEST_WAIT_S, 2 ** (failures - 1));
      this.show(one, texts.retrying(seconds));
      await wait(seconds, signal);
      if (signal.aborted) return;
    }
  }

  fail(one, words, state = 'failed') {
    one.state = state;
    one.words = words;
    one.at = undefined;
  }

  inOne(one, signal) {
    return this.page.send({
      method: 'PUT',
      url: `/files${this.page.encoded(one.path)}`,
      headers: { 'content-type': 'application/octet-stream', ...(one.replaces ? {} : { 'if-none-match': '*' }) },
      body: one.file,
      signal,
      progress: (bytes) => this.progress(one, bytes),
    });
  }

  async inParts(one, signal) {
    let offset = 0;
    if (one.at) {
      const answer = await this.persistently({ method: 'HEAD', url: one.at, headers: TUS, signal });
      if (answer.status === 200) offset = Number(answer.header('upload-offset'));
      else one.at = undefined;
    }
    if (!one.at) {
      const begun = await this.begin(one, signal);
      if (begun.status !== 201) return begun;
      one.at = begun.header('location');
    }
    for (;;) {
      const from = offset;
      const part = one.file.slice(from, from + PART);
      const answer = await this.persistently({
        method: 'PATCH',
        url: one.at,
        headers: { ...TUS, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' },
        body: part,
        signal,
        progress: (bytes) => this.progress(one, from + bytes),
      });
      if (answer.status === 409) return { status: 503 }; // asked for anew
      if (answer.status !== 204) return answer;
      offset = Number(answer.header('upload-offset'));
      if (offset >= one.file.size) return answer;
    }
  }

  begin(one, signal) {
    const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
    const metadata = [`path ${base64(one.path)}`, ...(one.replaces ? [] : [`existing ${base64('keep')}`])].join(',');
    return this.page.send({
      method: 'POST',
      url: '/uploads',
      headers: { ...TUS, 'upload-length': String(one.file.size), 'upload-metadata': metadata },
      signal,
    });
  }

  /** A server of several processes may ask to connect again. */
  async persistently(options) {
    for (let tries = 0; ; tries += 1) {
      const answer = await this.page.send(options);
      if (answer.status !== 423 || tries === 32) return answer;
    }
  }

  /** Each folder is made once, those above it first. */
  async foldersOf(path) {
    const parts = path.slice(1).split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const folder = `/${parts.slice(0, depth).join('/')}`;
      if (!this.folders.has(folder)) {
        const made = this.page.makeFolder(folder);
        this.folders.set(folder, made);
        made.catch(() => this.folders.delete(folder));
      }
      // Who may make none can still upload into one that is there.
      await this.folders.get(folder).catch((error) => (error.code === 'denied' ? undefined : Promise.reject(error)));
    }
  }

  pause(one) {
    one.state = 'paused';
    one.control?.abort();
    this.show(one);
  }

  again(one, replaces = one.replaces) {
    one.replaces = replaces;
    one.state = 'waiting';
    one.words = undefined;
    this.show(one);
    this.next();
  }

  giveUp(one) {
    one.state = 'given-up';
    one.control?.abort();
    if (one.at) void this.page.send({ method: 'DELETE', url: one.at, headers: TUS }).catch(() => {});
    one.row.remove();
    this.clear();
  }

  progress(one, bytes) {
    const { texts } = this.page;
    one.sent = bytes;
    const isAll = bytes >= one.file.size;
    this.show(one, isAll ? texts.checking : texts.uploading(this.page.bytes(bytes), this.page.bytes(one.file.size)));
  }

  draw(one) {
    const { texts } = this.page;
    one.row = document.createElement('li');
    const path = document.createElement('span');
    path.className = 'path';
    path.textContent = one.path;
    one.bar = document.createElement('progress');
    one.bar.max = Math.max(1, one.file.size);
    one.bar.value = 0;
    one.bar.setAttribute('aria-label', one.path);
    one.buttons = document.createElement('span');
    one.said = document.createElement('span');
    one.said.className = 'state';
    one.row.append(path, one.bar, one.buttons, one.said);
    this.page.list.append(one.row);
    this.show(one, texts.waiting);
  }

  show(one, words = one.words) {
    const { texts } = this.page;
    const { state } = one;
    one.bar.value = state === 'done' ? one.bar.max : one.sent;
    one.row.className = state === 'done' ? 'good' : state === 'failed' || state === 'exists' ? 'bad' : '';
    one.said.textContent = words ?? (state === 'paused' ? texts.paused : texts.waiting);
    if (one.shownState === state) return;
    one.shownState = state;
    const acts = {
      waiting: [[texts.giveUp, () => this.giveUp(one)]],
      running: [
        [texts.pause, () => this.pause(one)],
        [texts.giveUp, () => this.giveUp(one)],
      ],
      paused: [
        [texts.resume, () => this.again(one)],
        [texts.giveUp, () => this.giveUp(one)],
      ],
      exists: [
        [texts.replace, () => this.again(one, true)],
        [texts.giveUp, () => this.giveUp(one)],
      ],
      failed: [
        [texts.retry, () => this.again(one)],
        [texts.giveUp, () => this.giveUp(one)],
      ],
    };
    one.buttons.replaceChildren(
      ...(acts[state] ?? []).map(([text, act]) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = text;
        button.setAttribute('aria-label', texts.of(text, one.path));
        button.addEventListener('click', act);
        return button;
      }),
    );
  }
}
