/** Requests that carry a key have their effect once (draft-ietf-httpapi-idempotency-key-header). */
import { createHash } from 'node:crypto';
import { Disconnected } from '../../http/inflow';
import type { KeptAnswer, Requests } from '../../sessions/requests';
import type { Exchange, Visitor } from '../exchange';
import { Problem, problemOf } from './problem';
import type { Answer } from './route';

const KEY_HEADER = 'idempotency-key';
/** A string of structured headers (RFC 9651 section 3.3.3), or the same without its quotes. */
const KEY = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([A-Za-z0-9_.:~/+=-]{1,255}))$/;

/** What is asked with a key. */
export interface Keyed {
  readonly exchange: Exchange;
  readonly visitor: Visitor;
  readonly requests: Pick<Requests, 'begin' | 'end'>;
  readonly body: unknown;
}

export async function once({ exchange, visitor, requests, body }: Keyed, act: () => Promise<Answer>): Promise<Answer> {
  const { head, caller } = exchange;
  const text = head.headers.get(KEY_HEADER);
  if (text === undefined) return act();
  const [, quoted, plain] = KEY.exec(text) ?? [];
  const key = quoted ?? plain;
  if (key === undefined) throw new Problem(400, 'malformed', 'Idempotency-Key is no string of 1 to 255 visible characters.');
  // What one was answered is not for another one, which may reach less: another token, or one that was made of the same; somebody who came from an issuer.
  const { account, via, key: own, folder } = visitor;
  const owner = JSON.stringify([account.user, via === 'token' ? own : '', folder, account.permissions]);
  const digest = createHash('sha256')
    .update(JSON.stringify([head.method, head.path, [...head.query], body ?? null]))
    .digest('hex');
  const state = await requests.begin(owner, key, digest);
  switch (state.kind) {
    case 'done':
      return { ...state.answer, headers: { ...state.answer.headers, 'idempotency-replayed': '?1' } };
    case 'running':
      throw new Problem(409, 'running', 'The request with this key is still being done.', { 'retry-after': '1' });
    case 'other':
      throw new Problem(422, 'key-used', 'This key was used for another request.');
    case 'full':
      throw new Problem(429, 'too-many-keys', 'The account has too many requests with keys that are still being done.', { 'retry-after': '10' });
    case 'first': {
      let kept: KeptAnswer | undefined;
      try {
        const answer = await act();
        kept = answer === 'answered' ? undefined : answer;
        return answer;
      } catch (error) {
        if (error instanceof Disconnected) throw error;
        const problem = problemOf(error);
        // What another try may mend is tried again.
        if (problem.status < 500 && problem.status !== 429 && !caller.gone.aborted)
          kept = {
            status: problem.status,
            json: JSON.parse(problem.body),
            headers: { 'content-type': problem.mediaType, ...problem.headers },
          };
        throw problem;
      } finally {
        requests.end(owner, key, kept);
      }
    }
  }
}
