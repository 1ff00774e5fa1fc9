// The uploads of this page: which run, which wait, and what becomes of each.

import { ask } from '/page/ask.js';
import { at } from '/page/element.js';
import { encoded, parentOf } from '/page/paths.js';
import { wait } from '/page/send.js';
import { texts } from '/page/texts.js';
import { giveUp, offsetOf, transfer } from '/page/transfer.js';
import { claim, forgetUpload, forgetUploads, isElsewhere, isSameFile, rememberUpload, unfinishedOf } from '/page/unfinished.js';
import { UploadRow } from '/page/upload-row.js';
import { bytes } from '/page/values.js';
import { onVisitor, setVisitor, visitor } from '/page/visitor.js';

const AT_ONCE = 3;
const LONGEST_WAIT_S = 30;
/** Before that, how fast it is is a guess. */
const SPEED_AFTER_MS = 1_500;

const BUSY = ['waiting', 'running', 'paused', 'signed-out'];
const OVER = ['done', 'held', 'given-up'];

export class Uploads {
  /** `base`: the address beneath which files are put. `changed`: called with the path of each file that is there now. `choose`: asks for the file of an upload that was begun. */
  constructor({ base, changed, choose }) {
    this.base = base;
    this.changed = changed;
    this.choose = choose;
    this.all = [];
    this.folders = new Map();
    this.running = 0;
    onVisitor((who) => this.visited(who));
    at('clear').addEventListener('click', () => this.clear());
    at('replace-all').addEventListener('click', () => {
      for (const one of this.all) if (one.state === 'exists') this.again(one, { replaces: true });
    });
    // Those of one who goes are given up, for who comes next not to see them; with a sign-in that ran out they wait.
    at('sign-out')?.addEventListener('click', () => {
      for (const one of [...this.all]) this.giveUp(one);
      forgetUploads();
    });
  }

  get isBusy() {
    return this.all.some(({ state }) => BUSY.includes(state));
  }

  /** `files`: each with the path that it is to have. `folder`: is there. */
  add(files, folder) {
    for (const { file, path } of files) {
      const known = this.all.find((one) => one.state === 'unfinished' && one.path === path && isSameFile(one, file));
      if (known) this.goOn(known, file);
      else this.begin({ file, path, folder, size: file.size, changed: file.lastModified });
    }
    this.next();
  }

  /** The file of an upload that was begun, or another one. Whether it was the right one. */
  goOn(one, file) {
    if (!isSameFile(one, file)) return false;
    one.file = file;
    this.again(one);
    return true;
  }

  /** A folder, and those above it up to one that is there; each is asked for once. */
  async makeFolder(path, folder) {
    if (path === folder || path === '/') return;
    await this.makeFolder(parentOf(path), folder);
    if (!this.folders.has(path)) {
      const making = ask('PUT', `/folders${encoded(path)}`);
      this.folders.set(path, making);
      making.catch(() => this.folders.delete(path));
    }
    // Who may make none can still upload into one that is there.
    await this.folders.get(path).catch(({ code, message }) => {
      if (code !== 'exists' && code !== 'denied') throw Object.assign(new Error(message), { code });
    });
  }

  begin(upload, state = 'waiting') {
    const one = { state, sent: 0, replaces: false, ...upload };
    const stop = [texts.giveUp, () => this.giveUp(one)];
    one.row = new UploadRow(one, {
      waiting: [stop],
      running: [[texts.pause, () => this.pause(one)], stop],
      paused: [[texts.resume, () => this.again(one)], stop],
      exists: [[texts.replace, () => this.again(one, { replaces: true })], stop],
      failed: [[texts.retry, () => this.again(one)], stop],
      unfinished: [[texts.chooseAgain, () => this.choose(one)], stop],
    });
    one.begun = (address) => {
      one.at = address;
      this.claim(one);
      if (visitor()) rememberUpload(visitor().user, one);
    };
    if (one.at) this.claim(one);
    this.all.push(one);
    at('uploads').append(one.row.element);
    this.show(one);
    return one;
  }

  /** Another page of this browser does not take it for one that was left. */
  claim(one) {
    claim(
      one.at,
      new Promise((resolve) => {
        one.over = resolve;
      }),
    );
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

  /** Until it is there, can not be, or is not to go on. */
  async run(one) {
    one.control = new AbortController();
    const { signal } = one.control;
    for (let failures = 0; ; ) {
      const before = one.sent;
      one.since = undefined;
      let seconds;
      try {
        this.progress(one, one.sent);
        if (one.folder !== undefined) await this.makeFolder(parentOf(one.path), one.folder);
        const answer = await transfer(one, { base: this.base, signal, progress: (sent) => this.progress(one, sent), begun: one.begun });
        if (this.take(one, answer)) return;
        seconds = Number(answer.header?.('retry-after')) || undefined;
      } catch (error) {
        if (signal.aborted) return;
        if (error.code) return this.end(one, 'failed', error.message);
      }
      failures = one.sent > before ? 1 : failures + 1;
      seconds ??= Math.min(LONGEST_WAIT_S, 2 ** (failures - 1));
      this.show(one, texts.retrying(seconds));
      await wait(seconds, signal);
      if (signal.aborted) return;
    }
  }

  /** Whether an answer is the last word. */
  take(one, { status, problem, header }) {
    if (status >= 200 && status < 300) {
      const isHeld = status === 202 || header('upload-held');
      one.sent = one.size;
      this.end(one, isHeld ? 'held' : 'done', isHeld ? texts.held : texts.done);
      this.changed(one.path);
      return true;
    }
    if (status === 401 && visitor()) {
      setVisitor(undefined);
      one.state = 'signed-out';
      return true;
    }
    if (status === 412 || problem?.code === 'exists') {
      this.end(one, 'exists', texts.exists);
      return true;
    }
    // (423: of the server's processes only others answered.)
    if ((status >= 500 || status === 429 || status === 423) && problem?.code !== 'quota' && problem?.code !== 'no-space') return false;
    this.end(one, 'failed', problem?.title ?? texts.refused(status));
    return true;
  }

  end(one, state, words) {
    one.state = state;
    one.words = words;
    if (one.at) forgetUpload(one.at);
    one.at = undefined;
    one.over?.();
    // What needs somebody comes first, what is over last.
    if (state === 'failed' || state === 'exists') at('uploads').prepend(one.row.element);
    else at('uploads').append(one.row.element);
  }

  pause(one) {
    one.state = 'paused';
    one.control?.abort();
    this.show(one);
  }

  again(one, { replaces = one.replaces } = {}) {
    one.replaces = replaces;
    one.state = 'waiting';
    one.words = undefined;
    this.show(one);
    this.next();
  }

  giveUp(one) {
    const { at: address } = one;
    one.state = 'given-up';
    one.control?.abort();
    one.over?.();
    if (address) {
      forgetUpload(address);
      void giveUp(address);
    }
    one.at = undefined;
    this.clear([one]);
  }

  clear(which = this.all.filter(({ state }) => OVER.includes(state))) {
    for (const one of which) one.row.element.remove();
    this.all = this.all.filter((one) => !which.includes(one));
    this.summarize();
  }

  /** What waited for a sign-in goes on; what this browser began before is shown, as far as the server still has it. */
  async visited(who) {
    this.folders.clear();
    if (!who) {
      for (const one of this.all)
        if (one.state === 'waiting' || one.state === 'running') {
          one.state = 'signed-out';
          one.control?.abort();
          this.show(one);
        }
      return;
    }
    if (this.user !== undefined && this.user !== who.user) this.clear(this.all);
    this.user = who.user;
    for (const one of this.all) if (one.state === 'signed-out') one.state = 'waiting';
    this.next();
    for (const one of unfinishedOf(who.user)) {
      if ((await isElsewhere(one.at)) || this.all.some(({ at: address }) => address === one.at)) continue;
      const sent = await offsetOf(one.at);
      if (sent === undefined) forgetUpload(one.at);
      else if (visitor() === who) this.begin({ ...one, sent }, 'unfinished');
    }
  }

  progress(one, sent) {
    one.sent = sent;
    one.since ??= { at: performance.now(), sent };
    const [time, moved] = [performance.now() - one.since.at, sent - one.since.sent];
    const speed = time > SPEED_AFTER_MS && moved > 0 ? bytes((moved / time) * 1000) : undefined;
    this.show(one, sent >= one.size ? texts.checking : texts.uploading(bytes(sent), bytes(one.size), speed));
  }

  show(one, words = one.words) {
    const standing = {
      waiting: texts.waiting,
      paused: texts.paused,
      'signed-out': texts.signedOut,
      unfinished: texts.unfinished(bytes(one.sent), bytes(one.size)),
    };
    one.row.show(one.state, one.sent, words ?? standing[one.state] ?? '');
    this.summarize();
  }

  summarize() {
    const over = this.all.filter(({ state }) => OVER.includes(state)).length;
    at('transfers').hidden = this.all.length === 0;
    at('uploads-count').textContent = texts.uploadsOver(over, this.all.length);
    at('clear').disabled = over === 0;
    at('replace-all').hidden = this.all.filter(({ state }) => state === 'exists').length < 2;
  }
}
