/** The whole examination of one server, in the order that a client meets things. */
import { examineAs2 } from './as2';
import type { Target } from './control-connection';
import type { Finding } from './finding';
import { examineHttps } from './https/examine';
import { type Credentials, insideFindings } from './inside';
import { besideRangeFindings, dnsFindings, portFindings, tlsFindings } from './outside';
import type { SshCredentials } from './sftp/credentials';
import { examineSftp, type SftpExamined } from './sftp/examine';
import { trusting } from './trust';

export interface Examination {
  readonly host: string;
  /** 0 leaves the mode out. */
  readonly explicitPort: number;
  readonly implicitPort: number;
  /** What is looked at of SFTP. Default: nothing. */
  readonly sftp?: {
    readonly port: number;
    /** Fingerprints of host keys that are expected. */
    readonly fingerprints: readonly string[];
    readonly credentials?: SshCredentials;
  };
  /** What is looked at of HTTPS. Default: nothing. */
  readonly https?: { readonly port: number };
  /** What is looked at of AS2. Default: nothing. */
  readonly as2?: { readonly port: number; readonly path: string };
  /** Name that the certificate must cover. Default: the host. */
  readonly name?: string;
  /** PEM of the authorities to trust instead of the well-known ones. */
  readonly ca?: string;
  /** For FTPS and HTTPS. */
  readonly credentials?: Credentials;
  readonly passivePorts?: { readonly low: number; readonly high: number };
  /** Milliseconds that any single step may take. */
  readonly timeout: number;
  /** Told what is looked at next. */
  readonly onStep?: (step: string) => void;
}

export interface Examined {
  readonly findings: readonly Finding[];
  /** Lines for a file of known_hosts, where SFTP was looked at. */
  readonly knownHosts?: readonly string[];
}

export async function examine(examination: Examination): Promise<Examined> {
  const { host, sftp, https, as2, name = host, ca, credentials: account, timeout, onStep = () => {} } = examination;
  onStep('its name');
  const named = await dnsFindings(host);
  if (named.some(({ level }) => level === 'problem')) return { findings: named };
  const ftps = await ftpsFindings(examination, onStep);
  const web = https ? await examineHttps({ host, port: https.port, timeout, trust: trusting(name, ca), credentials: account, onStep }) : [];
  const edi = as2 ? await examineAs2({ host, ...as2, timeout, trust: trusting(name, ca), onStep }) : [];
  if (!sftp) return { findings: [...named, ...ftps, ...web, ...edi] };
  const { port, fingerprints, credentials } = sftp;
  const { findings, knownHosts }: SftpExamined = await examineSftp({ target: { host, port, timeout }, fingerprints, credentials, onStep });
  return { findings: [...named, ...ftps, ...web, ...edi, ...findings], knownHosts };
}

async function ftpsFindings(examination: Examination, onStep: (step: string) => void): Promise<Finding[]> {
  const { host, explicitPort, implicitPort, sftp, https, name = host, ca, credentials, passivePorts, timeout } = examination;
  const findings: Finding[] = [];
  const trust = trusting(name, ca);
  const targets = (
    [
      ['explicit', explicitPort],
      ['implicit', implicitPort],
    ] as const
  )
    .filter(([, port]) => port !== 0)
    .map(([mode, port]): Target => ({ host, port, mode, timeout }));
  let secure: Target | undefined;
  for (const target of targets) {
    onStep(`the ${target.mode} port`);
    const reached = await portFindings(target);
    findings.push(...reached);
    if (reached.some(({ check, level }) => check === target.mode && level === 'problem')) continue;
    onStep(`TLS on the ${target.mode} port`);
    const tls = await tlsFindings(target, trust);
    findings.push(...tls);
    if (tls.some(({ check, level }) => check === 'tls' && level === 'ok')) secure ??= target;
  }
  if (passivePorts && secure) {
    onStep('the ports beside the passive range');
    findings.push(...(await besideRangeFindings(host, passivePorts, [explicitPort, implicitPort, sftp?.port ?? 0, https?.port ?? 0], timeout)));
  }
  if (secure && credentials) {
    onStep('a login, and transfers');
    findings.push(...(await insideFindings({ target: secure, trust, credentials, passivePorts })));
  }
  return findings;
}
