// Requests of the API whose answer is small.

import { texts } from '/page/texts.js';
import { setVisitor, visitor } from '/page/visitor.js';

export const API = '/api/v1';

/** Throws an Error with words for a person, and the server's code. */
export async function ask(method, path, body) {
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
  if (response.status === 401 && visitor()) {
    setVisitor(undefined);
    throw new Error(texts.signedOut);
  }
  throw Object.assign(new Error(answer?.title ?? texts.refused(response.status)), { code: answer?.code, status: response.status });
}
