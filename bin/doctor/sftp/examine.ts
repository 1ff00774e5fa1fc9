/** The whole examination of SFTP on one server, in the order that a client meets things. */
import { type Finding, problem } from '../finding';
import type { SshCredentials } from './credentials';
import { comparedFindings, shownKeys, trustedOf } from './host-keys';
import { insideFindings } from './inside';
import { type Offer, offerOf, type SshTarget } from './offer';
import { agreementFindings, identificationFinding, outdatedFindings, strictFinding, unknownNameFindings } from './outside';

export interface SftpExamination {
  readonly target: SshTarget;
  /** Fingerprints of host keys as partners have them, `SHA256:…`. */
  readonly fingerprints: readonly string[];
  readonly credentials?: SshCredentials;
  /** Told what is looked at next. */
  readonly onStep: (step: string) => void;
}

export interface SftpExamined {
  readonly findings: readonly Finding[];
  /** Lines for a file of known_hosts, one for each host key. */
  readonly knownHosts: readonly string[];
}

export async function examineSftp({ target, fingerprints, credentials, onStep }: SftpExamination): Promise<SftpExamined> {
  onStep('the port of SFTP');
  let offer: Offer;
  try {
    offer = await offerOf(target);
  } catch (error) {
    const words = `port ${target.port} is no SFTP: ${(error as Error).message}`;
    return { findings: [problem('sftp', words, `Open ${target.port}/tcp in the firewall, and see that a server of SSH listens there.`)], knownHosts: [] };
  }
  onStep('the host keys');
  const { keys, findings: shown } = await shownKeys(offer, target);
  const findings = [
    identificationFinding(offer, target),
    ...shown,
    ...(fingerprints.length > 0 ? comparedFindings(keys, fingerprints) : []),
    ...agreementFindings(offer),
    strictFinding(offer),
    ...outdatedFindings(offer),
  ];
  const knownHosts = keys.map(({ line }) => line);
  const trusted = trustedOf(keys, fingerprints);
  if (!trusted) {
    const untrusted = problem('sftp-login', 'no login is tried: no host key can be trusted', 'Set the host keys right first.');
    return { findings: credentials ? [...findings, untrusted] : findings, knownHosts };
  }
  onStep('ways of logging in');
  const unknown = await unknownNameFindings(offer, target, trusted);
  findings.push(...unknown.findings);
  if (credentials) {
    onStep('a login over SSH, and transfers');
    findings.push(...(await insideFindings(credentials, offer, target, trusted, unknown.methods)));
  }
  return { findings, knownHosts };
}
