/** The keys that a server proves itself with, and whether they are those that are expected. */
import { fingerprintOf, isOdd, readPublicKey } from '../../../server/ssh/public-key';
import { WireReader } from '../../../server/ssh/wire';
import { type Finding, ok, problem, warning } from '../finding';
import type { Offer, SshTarget } from './offer';
import { canBeShown, hostKeyBy, type Trusted } from './ssh2-client';

export interface ShownKey {
  /** `ssh-ed25519` */
  readonly type: string;
  readonly fingerprint: string;
  /** For a file of known_hosts. */
  readonly line: string;
  readonly blob: Buffer;
}

/** One algorithm for each type of key; RSA signs by several. Certificates of hosts are passed over: the key in them is offered by itself as well. */
function oneForEachType(offered: readonly string[]): string[] {
  const rsa = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'];
  const byRsa = rsa.find((name) => offered.includes(name));
  return offered.filter((name) => !name.includes('-cert-v0') && (!rsa.includes(name) || name === byRsa));
}

export async function shownKeys(offer: Offer, target: SshTarget): Promise<{ keys: ShownKey[]; findings: Finding[] }> {
  const keys: ShownKey[] = [];
  const findings: Finding[] = [];
  for (const algorithm of oneForEachType(offer.hostKeys)) {
    if (!canBeShown(algorithm)) {
      findings.push(warning('ssh-host-key', `a host key of ${algorithm} is not looked at: it is not understood here`));
      continue;
    }
    try {
      const key = shown(await hostKeyBy(algorithm, offer, target), target);
      keys.push(key);
      findings.push(keyFinding(key));
    } catch (error) {
      findings.push(
        problem(
          'ssh-host-key',
          `the server offers ${algorithm}, but does not prove itself with it: ${(error as Error).message}`,
          'See in the log of the server whether it can read that host key, and whether it refuses connections of one address that come fast.',
        ),
      );
    }
  }
  return { keys, findings };
}

function shown(blob: Buffer, { host, port }: SshTarget): ShownKey {
  const type = new WireReader(blob).text();
  const name = port === 22 ? host : `[${host}]:${port}`;
  return { type, fingerprint: fingerprintOf(blob), line: `${name} ${type} ${blob.toString('base64')}`, blob };
}

function keyFinding({ type, fingerprint, blob }: ShownKey): Finding {
  const text = `${type} ${fingerprint}`;
  if (type === 'ssh-dss')
    return problem('ssh-host-key', `${text}: DSA is too weak, and clients of today refuse it`, 'Take the DSA key away; give the server one of Ed25519.');
  try {
    const key = readPublicKey(blob);
    if (isOdd(key))
      return problem(
        'ssh-host-key',
        `${text} has ${key.asymmetricKeyDetails?.modulusLength} bits, which is too weak or too odd`,
        'Replace it by one of 3072 bits, and give partners its fingerprint before.',
      );
  } catch {
    return warning('ssh-host-key', `${text} is of a kind that is not understood here`);
  }
  return ok('ssh-host-key', text);
}

/** Holds what was shown against the fingerprints that partners were given. */
export function comparedFindings(keys: readonly ShownKey[], expected: readonly string[]): Finding[] {
  const missing = expected.filter((fingerprint) => !keys.some((key) => key.fingerprint === fingerprint));
  const others = keys.filter(({ fingerprint }) => !expected.includes(fingerprint));
  return [
    ...keys.filter(({ fingerprint }) => expected.includes(fingerprint)).map(({ type }) => ok('ssh-fingerprint', `the ${type} key is the one that is expected`)),
    ...missing.map((fingerprint) =>
      problem(
        'ssh-fingerprint',
        `no host key has the fingerprint ${fingerprint}`,
        'If the key was replaced, give partners the new one; if it was not, this is another server, or somebody stands in between: send it no password.',
      ),
    ),
    ...others.map(({ type, fingerprint }) =>
      warning(
        'ssh-fingerprint',
        `the ${type} key ${fingerprint} is not among those that are expected`,
        'Look with the owner of the server whether it is theirs; clients that prefer its type are shown it.',
      ),
    ),
  ];
}

/** The keys that a login may be entrusted to: those expected, or where nothing is, those that were shown. */
export function trustedOf(keys: readonly ShownKey[], expected: readonly string[]): Trusted | undefined {
  const trusted = expected.length === 0 ? keys : keys.filter(({ fingerprint }) => expected.includes(fingerprint));
  if (trusted.length === 0) return undefined;
  return {
    fingerprints: trusted.map(({ fingerprint }) => fingerprint),
    algorithms: trusted.flatMap(({ type }) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type])),
  };
}
