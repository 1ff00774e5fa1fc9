/** Several sources of accounts: the first that knows the user decides. */
import type { Identity, Verdict } from './identity';
import { RecentTimes } from './recent-times';

const isUnknown = (verdict: Verdict) => verdict.kind === 'refused' && verdict.reason === 'unknown-user';

/**
 * Asks them in order. A refusal by an early one takes as long as asking the later ones, too, for a user whom they don't know, so that
 * nobody can tell by time in which source a name is, or that it is in none.
 */
export function inOrder(sources: readonly Identity[]): Identity {
  return {
    nameOf: (login) => sources.reduce((name, source) => source.nameOf(name), login),
    authenticate: asked(sources, (source, credentials) => source.authenticate(credentials)),
    authenticateByCertificate: asked(sources, (source, credentials) => source.authenticateByCertificate(credentials)),
    authenticateByKey: asked(sources, (source, credentials) => source.authenticateByKey(credentials)),
    authenticateByToken: asked(sources, (source, credentials) => source.authenticateByToken(credentials)),
    authenticateVouched: asked(sources, (source, credentials) => source.authenticateVouched(credentials)),
    async rulesOf(user) {
      for (const source of sources) {
        const answer = await source.rulesOf(user);
        if (answer !== 'none') return answer;
      }
      return 'none';
    },
    async recordOf(user) {
      for (const source of sources) {
        const answer = await source.recordOf(user);
        if (answer !== 'none') return answer;
      }
      return 'none';
    },
    async close() {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}

/** One question that all of them answer, with the times that each of them takes for it. */
function asked<Credentials>(sources: readonly Identity[], ask: (source: Identity, credentials: Credentials) => Promise<Verdict>) {
  const times = sources.map(() => new RecentTimes());
  return async (credentials: Credentials): Promise<Verdict> => {
    for (const [index, source] of sources.entries()) {
      const verdict = await times[index]!.measure(() => ask(source, credentials), isUnknown);
      if (isUnknown(verdict)) continue;
      if (verdict.kind === 'refused') for (const later of times.slice(index + 1)) await later.pretend();
      return verdict;
    }
    return { kind: 'refused', reason: 'unknown-user' };
  };
}
