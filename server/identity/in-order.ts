/** Several sources of accounts: the first that knows the user decides. */
import type { Identity, Verdict } from './identity';
import { RecentTimes } from './recent-times';

const isUnknown = (verdict: Verdict) => verdict.kind === 'refused' && verdict.reason === 'unknown-user';

/**
 * Asks them in order. A refusal by an early one takes as long as asking the later ones, too, for a user whom they don't know, so that
 * nobody can tell by time in which source a name is, or that it is in none.
 */
export function inOrder(sources: readonly Identity[]): Identity {
  const times = sources.map(() => new RecentTimes());
  const keyTimes = sources.map(() => new RecentTimes());
  return {
    nameOf: (login) => sources.reduce((name, source) => source.nameOf(name), login),
    async authenticate(credentials) {
      for (const [index, source] of sources.entries()) {
        const verdict = await times[index]!.measure(() => source.authenticate(credentials), isUnknown);
        if (isUnknown(verdict)) continue;
        if (verdict.kind === 'refused') for (const later of times.slice(index + 1)) await later.pretend();
        return verdict;
      }
      return { kind: 'refused', reason: 'unknown-user' };
    },
    async authenticateByCertificate(credentials) {
      for (const source of sources) {
        const verdict = await source.authenticateByCertificate(credentials);
        if (!isUnknown(verdict)) return verdict;
      }
      return { kind: 'refused', reason: 'unknown-user' };
    },
    async authenticateByKey(credentials) {
      for (const [index, source] of sources.entries()) {
        const verdict = await keyTimes[index]!.measure(() => source.authenticateByKey(credentials), isUnknown);
        if (isUnknown(verdict)) continue;
        if (verdict.kind === 'refused') for (const later of keyTimes.slice(index + 1)) await later.pretend();
        return verdict;
      }
      return { kind: 'refused', reason: 'unknown-user' };
    },
    async authenticateByToken(credentials) {
      for (const source of sources) {
        const verdict = await source.authenticateByToken(credentials);
        if (!isUnknown(verdict)) return verdict;
      }
      return { kind: 'refused', reason: 'unknown-user' };
    },
    async authenticateVouched(credentials) {
      for (const source of sources) {
        const verdict = await source.authenticateVouched(credentials);
        if (!isUnknown(verdict)) return verdict;
      }
      return { kind: 'refused', reason: 'unknown-user' };
    },
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
