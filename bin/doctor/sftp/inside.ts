/** What can be seen of a server of SSH with an account: a list, a round trip, the clock, and what an account for files should not have. */
import { createHash, randomBytes } from 'node:crypto';
import { clockFinding } from '../clock';
import { type Finding, ok, problem, warning } from '../finding';
import type { SshCredentials } from './credentials';
import type { Offer, SshTarget } from './offer';
import { sameAnswerFinding } from './outside';
import { type Ran, SshSession, type Trusted } from './ssh2-client';

const ROUND_TRIP_BYTES = 65_536;
/** Printed without its quotes by any shell that there is, or with them by Windows'. */
const WORDS = 'echo ftps-doctor-""was-here';
const printed = /ftps-doctor-(""|)was-here/;

/** `unknown`: what a name that is not there may log in by, where that is known. */
export async function insideFindings(
  credentials: SshCredentials,
  offer: Offer,
  target: SshTarget,
  trusted: Trusted,
  unknown: readonly string[] | undefined,
): Promise<Finding[]> {
  let session: SshSession;
  try {
    session = await SshSession.open(credentials, offer, target, trusted);
  } catch (error) {
    return [
      problem(
        'sftp-login',
        `no login is possible: ${(error as Error).message}`,
        'Check --user, --password-file and --key-file, and whether the account may come from here and by what it was given.',
      ),
    ];
  }
  try {
    const findings: Finding[] = [ok('sftp-login', `${credentials.user} is logged in`)];
    if (unknown && session.methods.length > 0) findings.push(sameAnswerFinding(credentials.user, unknown, session.methods));
    findings.push(...(await fileFindings(session)));
    findings.push(...(await beyondFilesFindings(session, target)));
    return findings;
  } finally {
    session.end();
  }
}

async function fileFindings(session: SshSession): Promise<Finding[]> {
  try {
    await session.openSftp();
  } catch (error) {
    return [
      problem(
        'sftp-list',
        `SFTP does not open: ${(error as Error).message}`,
        'Offer the subsystem; sshd: Subsystem sftp internal-sftp. A profile of the shell that prints something also breaks it.',
      ),
    ];
  }
  const findings: Finding[] = [];
  try {
    findings.push(ok('sftp-list', `its folder is listed, ${(await session.list()).length} entries`));
  } catch (error) {
    findings.push(warning('sftp-list', `its folder can't be listed: ${(error as Error).message}`, 'Use an account that may list its home.'));
  }
  return [...findings, ...(await roundTrip(session))];
}

/** Upload, size and time, download, compare, delete. */
async function roundTrip(session: SshSession): Promise<Finding[]> {
  const check = 'sftp-round-trip';
  const name = `ftps-doctor-${randomBytes(6).toString('hex')}.bin`;
  const sent = randomBytes(ROUND_TRIP_BYTES);
  const began = Date.now();
  try {
    await session.write(name, sent);
  } catch (error) {
    return [warning(check, `a file can't be stored: ${(error as Error).message}`, 'Use an account that may write, read and delete in its home.')];
  }
  const findings: Finding[] = [];
  try {
    const { mtime } = await session.stat(name);
    // The time of a file is told in whole seconds; it was stored somewhere between.
    const clock = clockFinding('sftp-clock', mtime * 1000, (began + Date.now()) / 2, 'Keep the clock by NTP.');
    const received = await session.read(name);
    const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
    findings.push(
      sha256(received) === sha256(sent)
        ? ok(check, `${ROUND_TRIP_BYTES} bytes came back unchanged (SHA-256 ${sha256(sent).slice(0, 16)}…)`)
        : problem(check, 'a file came back changed', 'See whether something before the server changes or cuts uploads.'),
      clock,
    );
  } catch (error) {
    findings.push(
      warning(check, `a file that was stored can't be read: ${(error as Error).message}`, 'Use an account that may write, read and delete in its home.'),
    );
  }
  try {
    await session.remove(name);
  } catch (error) {
    findings.push(warning(check, `${name} can't be deleted, and stays: ${(error as Error).message}`, 'Delete it by hand, and use an account that may delete.'));
  }
  return findings;
}

/** Shell, commands and tunnels: what turns an account for files into one on the machine, or in its network. */
async function beyondFilesFindings(session: SshSession, { port }: SshTarget): Promise<Finding[]> {
  const ran = (check: string, what: string, { accepted, output }: Ran) =>
    printed.test(output)
      ? problem(check, `${what} runs`, 'An account for files needs none; sshd: ForceCommand internal-sftp in its Match block.')
      : ok(check, accepted ? `${what} does not run, though the server says yes` : `${what} is refused`);
  const forwarded = (what: string, does: boolean) =>
    does
      ? problem(
          'ssh-forwarding',
          `${what} is allowed`,
          'It leads into the network behind the server; sshd: DisableForwarding yes in the Match block of the account.',
        )
      : ok('ssh-forwarding', `${what} is refused`);
  const looks: (() => Promise<Finding>)[] = [
    async () => ran('ssh-command', 'a command', await session.command(WORDS)),
    async () => ran('ssh-shell', 'a shell', await session.shell(`${WORDS}\nexit\n`)),
    async () => forwarded('a tunnel out of the server', await session.forwardsTo(port)),
    async () => forwarded('a tunnel into the server', await session.forwardsFrom()),
  ];
  const findings: Finding[] = [];
  for (const look of looks) {
    if (session.isBroken)
      return [
        ...findings,
        warning('ssh-beyond-files', 'the server ended the session, so that not everything was asked for', 'Look into the log of the server.'),
      ];
    findings.push(await look());
  }
  return findings;
}
