/** What can be seen without an account: name, ports, greeting, TLS, certificate, plain text. */
import type { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { answerTo, outdated, weaker } from './client-hello';
import { ControlConnection, type Target, tcp } from './control-connection';
import { type Finding, ok, problem, warning } from './finding';
import type { Trust } from './trust';

export async function dnsFindings(host: string): Promise<Finding[]> {
  try {
    const addresses = await lookup(host, { all: true });
    return [ok('dns', `${host} is ${addresses.map(({ address }) => address).join(', ')}`)];
  } catch (error) {
    return [problem('dns', `${host} has no address (${(error as NodeJS.ErrnoException).code})`, 'Add an A or AAAA record for the name, or correct the name.')];
  }
}

/** Connects and secures the connection; the greeting has been read. Throws where that fails. */
export async function secured(target: Target, trust: Trust, version?: 'TLSv1.2' | 'TLSv1.3'): Promise<{ control: ControlConnection; socket: TLSSocket }> {
  const control = await ControlConnection.open(target);
  try {
    await plainStart(control, target);
    const socket = await control.upgrade({ ...trust.options, ...(version ? { minVersion: version, maxVersion: version } : {}) });
    if (target.mode === 'implicit') await control.reply();
    return { control, socket };
  } catch (error) {
    control.close();
    throw error;
  }
}

/** Up to where the ClientHello is sent. */
async function plainStart(control: ControlConnection, { mode }: Target): Promise<void> {
  if (mode !== 'explicit') return;
  await control.reply();
  const { code, text } = await control.command('AUTH TLS');
  if (code !== 234) throw new Error(`AUTH TLS was answered with ${text}`);
}

export async function portFindings(target: Target): Promise<Finding[]> {
  const check = target.mode;
  let control: ControlConnection;
  try {
    control = await ControlConnection.open(target);
  } catch (error) {
    return [
      problem(
        check,
        `port ${target.port} can't be reached (${(error as Error).message})`,
        `Open ${target.port}/tcp in the firewall, or leave it out with --${target.mode}-port 0 where this mode is not meant to be served.`,
      ),
    ];
  }
  try {
    if (target.mode === 'implicit') return [ok(check, `port ${target.port} is open`)];
    const { code, text } = await control.reply();
    if (code !== 220) return [problem(check, `port ${target.port} greets with ${text}`, 'A server that is ready greets with 220; look into its log.')];
    return [ok(check, `port ${target.port} greets with ${text}`), ...(await plainTextFindings(control))];
  } catch (error) {
    return [
      problem(
        check,
        `port ${target.port} is open, but ${(error as Error).message}`,
        'See that an FTP server listens there, and not one for TLS from the first byte.',
      ),
    ];
  } finally {
    control.close();
  }
}

async function plainTextFindings(control: ControlConnection): Promise<Finding[]> {
  const { code, text } = await control.command('USER ftps-doctor').catch(() => ({ code: 421, text: 'the end of the connection' }));
  if (code >= 400) return [ok('plain-text', `a login without TLS is refused (${text})`)];
  return [
    problem(
      'plain-text',
      `a login without TLS is taken (USER was answered with ${text}), so passwords can cross the network in clear text`,
      'Refuse USER before AUTH TLS; vsftpd: force_local_logins_ssl=YES and no anonymous logins, ProFTPD: TLSRequired on.',
    ),
  ];
}

/** Certificate, versions and ciphers of one control port. */
export async function tlsFindings(target: Target, trust: Trust): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    const { control, socket } = await secured(target, trust);
    try {
      findings.push(ok('tls', `${target.mode} TLS works: ${socket.getProtocol()}, ${socket.getCipher().standardName}`), ...certificateFindings(socket, trust));
    } finally {
      control.close();
    }
  } catch (error) {
    return [
      problem(
        'tls',
        `${target.mode} TLS on port ${target.port} fails: ${(error as Error).message}`,
        'Turn TLS on and look into the log of the server for the reason.',
      ),
    ];
  }
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    try {
      (await secured(target, trust, version)).control.close();
    } catch {
      findings.push(warning('tls', `${version} is not offered`, `Offer ${version}: some clients know only that one.`));
    }
  }
  for (const { name, hello } of outdated)
    if ((await ask(target, hello)) === 'offered')
      findings.push(problem('tls', `${name} offered`, `Switch ${name} off; TLS 1.2 with ECDHE and AES-GCM is old enough for every client.`));
  for (const { name, hello } of weaker)
    if ((await ask(target, hello)) === 'offered')
      findings.push(warning('tls', `${name} is offered, which has no forward secrecy`, 'Offer ECDHE ciphers only.'));
  return findings;
}

async function ask(target: Target, hello: (typeof outdated)[number]['hello']) {
  const control = await ControlConnection.open(target);
  try {
    await plainStart(control, target);
    return await answerTo(hello, control.raw, target.timeout);
  } catch {
    return 'refused';
  } finally {
    control.close();
  }
}

/** Days below which a certificate is near its end. */
const NEAR_END = 14;

function certificateFindings(socket: TLSSocket, trust: Trust): Finding[] {
  const certificate = socket.getPeerX509Certificate() as X509Certificate | undefined;
  if (!certificate) return [problem('certificate', 'the server shows no certificate', 'Give it one.')];
  const findings: Finding[] = [];
  const days = Math.floor((Date.parse(certificate.validTo) - Date.now()) / 86_400_000);
  if (days < 0) findings.push(problem('certificate', `the certificate expired on ${certificate.validTo}`, 'Renew it, and have it renewed by itself.'));
  else if (days < NEAR_END) findings.push(warning('certificate', `the certificate lasts only ${days} more days`, 'See why it was not renewed yet.'));
  if (Date.parse(certificate.validFrom) > Date.now())
    findings.push(problem('certificate', `the certificate is not valid before ${certificate.validFrom}`, 'Set the clocks, or wait.'));
  if (!(isIP(trust.name) ? certificate.checkIP(trust.name) : certificate.checkHost(trust.name)))
    findings.push(
      problem(
        'certificate',
        `the certificate does not cover ${trust.name}, but ${certificate.subjectAltName ?? 'nothing'}`,
        'Have it issued for the name that clients connect to.',
      ),
    );
  const reason = socket.authorizationError as unknown as string | undefined;
  if (reason && !['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'ERR_TLS_CERT_ALTNAME_INVALID'].includes(String(reason)))
    findings.push(
      problem(
        'certificate',
        `the chain of the certificate does not lead to a trusted root (${reason})`,
        'Have the server send its intermediate certificates; for an authority of your own, name its root with --ca.',
      ),
    );
  return findings.length > 0 ? findings : [ok('certificate', `the certificate covers ${trust.name}, its chain is whole, and it lasts ${days} more days`)];
}

/** Milliseconds within which a port that is open answers. */
const OPEN_WITHIN = 3_000;

/** Whether the ports on either side of the passive range are closed; `known` are open for a reason. */
export async function besideRangeFindings(
  host: string,
  { low, high }: { readonly low: number; readonly high: number },
  known: readonly number[],
  timeout: number,
): Promise<Finding[]> {
  const beside = [low - 2, low - 1, high + 1, high + 2].filter((port) => port > 0 && port < 65_536 && !known.includes(port));
  const isOpen = (port: number) =>
    tcp(host, port, Math.min(timeout, OPEN_WITHIN)).then(
      (socket) => Boolean(socket.destroy()),
      () => false,
    );
  const answers = await Promise.all(beside.map(async (port) => ({ port, open: await isOpen(port) })));
  const open = answers.flatMap((one) => (one.open ? [one.port] : []));
  return open.length === 0
    ? [ok('passive-range', `the ports beside ${low}-${high} are closed (${beside.join(', ')})`)]
    : [problem('passive-range', `port ${open.join(', ')} beside ${low}-${high} is open`, 'Restrict the firewall to the passive range.')];
}
