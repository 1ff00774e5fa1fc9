// How the bytes of one file get there: a small one in one request, a large one in parts that go on after a lost connection (tus 1.0).

import { encoded } from '/page/paths.js';
import { send, wait } from '/page/send.js';

/** Larger files go in parts. Bytes. */
const LARGE = 8 * 1024 * 1024;
const PART = 32 * 1024 * 1024;
/** A server of several processes may ask to connect again, until the connection comes to the one that has the upload. */
const MOST_TRIES = 32;
/** Each of them waits so much longer than the one before. Seconds. */
const WAIT_MORE = 0.02;
const TUS = { 'tus-resumable': '1.0.0' };

/**
 * `base`: the address beneath which files are put and uploads begun. `at`: the address of an upload that was begun, kept in `one` by `begun` as long as it
 * may go on. Resolved with the last answer; rejected as `send` is.
 */
export function transfer(one, events) {
  return one.file.size > LARGE ? inParts(one, events) : inOne(one, events);
}

function inOne({ path, file, replaces }, { base, signal, progress }) {
  const headers = { 'content-type': 'application/octet-stream', ...(replaces ? {} : { 'if-none-match': '*' }) };
  return send({ method: 'PUT', url: `${base}/files${encoded(path)}`, headers, body: file, signal, progress });
}

async function inParts(one, { base, signal, progress, begun }) {
  let offset;
  if (one.at) {
    const answer = await look(one.at, signal);
    if (answer.status === 200) offset = offsetIn(answer);
    else if (!isGone(answer)) return answer;
  }
  if (offset === undefined) {
    const answer = await begin(one, base, signal);
    if (answer.status !== 201) return answer;
    begun(answer.header('location'));
    offset = 0;
  }
  progress(offset);
  for (;;) {
    const from = offset;
    const answer = await persistently({
      method: 'PATCH',
      url: one.at,
      headers: { ...TUS, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' },
      body: one.file.slice(from, from + PART),
      signal,
      progress: (bytes) => progress(from + bytes),
    });
    if (answer.status === 409) return { ...answer, status: 503 }; // how far it is is asked anew
    if (answer.status !== 204) return answer;
    offset = offsetIn(answer);
    if (offset >= one.file.size) return answer;
  }
}

const look = (url, signal) => persistently({ method: 'HEAD', url, headers: TUS, signal });
const offsetIn = (answer) => Number(answer.header('upload-offset'));
const isGone = ({ status }) => status === 404 || status === 410;

/** Bytes that have come, as far as is known; undefined where the upload is not there any more. */
export async function offsetOf(url) {
  const answer = await look(url).catch(() => undefined);
  if (answer?.status === 200) return offsetIn(answer);
  return answer && isGone(answer) ? undefined : 0;
}

export function giveUp(url) {
  return persistently({ method: 'DELETE', url, headers: TUS }).catch(() => {});
}

function begin({ path, file, replaces }, base, signal) {
  const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  const metadata = [`path ${base64(path)}`, ...(replaces ? [] : [`existing ${base64('keep')}`])].join(',');
  return send({ method: 'POST', url: `${base}/uploads`, headers: { ...TUS, 'upload-length': String(file.size), 'upload-metadata': metadata }, signal });
}

async function persistently(options) {
  for (let tries = 1; ; tries += 1) {
    const answer = await send(options);
    if (answer.status !== 423 || tries === MOST_TRIES) return answer;
    await wait(tries * WAIT_MORE, options.signal);
  }
}
