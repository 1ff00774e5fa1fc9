/** `ftps user try`: one login as the server would judge it, with the reason that its clients never hear. */
import type { Audit } from '../../server/audit/event';
import type { ServerConfig } from '../../server/config';
import { HashPool } from '../../server/identity/hashing/pool';
import type { Verdict } from '../../server/identity/identity';
import { openIdentity } from '../../server/identity/open';

/** Asks the sources that the configuration names. What they report on the way goes to `tell`. */
export async function tryLogin(config: ServerConfig, user: string, password: string, tell: (line: string) => void): Promise<Verdict> {
  const passwords = new HashPool(config);
  const identity = await openIdentity(config, telling(tell), passwords);
  try {
    return await identity.authenticate({ user, password, address: '127.0.0.1', protocol: 'https' });
  } finally {
    await identity.close();
    await passwords.close();
  }
}

/** A verdict for people. */
export function describeVerdict(verdict: Verdict): string {
  if (verdict.kind === 'unavailable') return `not answered: ${verdict.reason}`;
  if (verdict.kind === 'refused') return `refused: ${verdict.reason}${verdict.source ? `, by ${verdict.source}` : ''}`;
  const { user, home, permissions, allowedNetworks } = verdict.account;
  const from = allowedNetworks.length === 0 ? 'anywhere' : allowedNetworks.join(' ');
  return `accepted by ${verdict.source} (${verdict.method}): ${user}, home ${home}, may ${permissions.join(' ')}, from ${from}`;
}

/** The same for programs, without hashes and certificates. */
export function verdictFacts(verdict: Verdict): object {
  if (verdict.kind !== 'accepted') return verdict;
  const { user, home, permissions, allowedNetworks } = verdict.account;
  return { kind: verdict.kind, source: verdict.source, method: verdict.method, account: { user, home, permissions, allowedNetworks } };
}

function telling(tell: (line: string) => void): Audit {
  return {
    failed: false,
    record: (event) => {
      if (event.kind === 'health' && event.state === 'down') tell(`${event.part} is down: ${event.detail ?? ''}`);
    },
    flush: async () => {},
    close: async () => {},
  };
}
