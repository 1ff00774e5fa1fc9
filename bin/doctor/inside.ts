/** What can be seen with an account: data connections, their addresses and sessions, a round trip, the clock. */
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { clockFinding } from './clock';
import { type ControlConnection, handshake, type Target, tcp } from './control-connection';
import { type Finding, ok, problem, warning } from './finding';
import { secured } from './outside';
import type { Trust } from './trust';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface InsideOptions {
  readonly target: Target;
  readonly trust: Trust;
  readonly credentials: Credentials;
  /** The range that the firewall is meant to have open. */
  readonly passivePorts?: { readonly low: number; readonly high: number };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

const ROUND_TRIP_BYTES = 65_536;
const privateAddress = /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;

export async function insideFindings(options: InsideOptions): Promise<Finding[]> {
  const { target, trust, credentials } = options;
  let control: ControlConnection;
  try {
    ({ control } = await secured(target, trust));
  } catch (error) {
    return [problem('login', `no login is possible: ${(error as Error).message}`)];
  }
  try {
    const refused = await login(control, credentials);
    if (refused) return [refused];
    const findings: Finding[] = [ok('login', `${credentials.user} is logged in`)];
    const session = new DataSession(control, options);
    findings.push(...(await session.passiveFindings()));
    if (session.usable) findings.push(...(await session.roundTrip()));
    findings.push(...session.rangeFindings());
    await control.command('QUIT').catch(() => {});
    return findings;
  } catch (error) {
    return [problem('session', `the session ended early: ${(error as Error).message}`, 'Look into the log of the server.')];
  } finally {
    control.close();
  }
}

async function login(control: ControlConnection, { user, password }: Credentials): Promise<Finding | undefined> {
  let reply = await control.command(`USER ${user}`);
  if (reply.code === 331) reply = await control.command(`PASS ${password}`);
  if (reply.code !== 230)
    return problem('login', `the login is refused (${reply.text})`, 'Check --user and --password-file, and whether the account may come from here.');
  await control.command('PBSZ 0');
  const protection = await control.command('PROT P');
  if (protection.code !== 200) return problem('data-tls', `PROT P is answered with ${protection.text}`, 'Turn TLS of the data channel on.');
  await control.command('TYPE I');
  return undefined;
}

class DataSession {
  private readonly seen: number[] = [];
  /** The command that gave an address that can be reached. */
  usable?: 'EPSV' | 'PASV';

  constructor(
    private readonly control: ControlConnection,
    private readonly options: InsideOptions,
  ) {}

  async passiveFindings(): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (const command of ['EPSV', 'PASV'] as const) {
      const { code, text } = await this.control.command(command);
      const address = this.addressIn(command, code, text);
      const check = command.toLowerCase();
      if (!address) {
        findings.push(
          warning(
            check,
            `${command} is answered with ${text}`,
            command === 'PASV' ? 'Old clients know only PASV; offer it.' : 'Clients on IPv6 need EPSV; offer it.',
          ),
        );
        continue;
      }
      // Nothing is sent there: a server could name a machine that is not its own.
      const failure = await tcp(address.host, address.port, this.options.target.timeout).then(
        (socket) => void socket.destroy(),
        (error: Error) => error.message,
      );
      if (failure === undefined) this.usable ??= command;
      const elsewhere = command === 'PASV' ? this.elsewhereFinding(address, failure) : undefined;
      findings.push(
        elsewhere ??
          (failure === undefined
            ? ok(check, `${command} gives ${address.host} port ${address.port}, which can be reached`)
            : problem(
                check,
                `${command} gives ${address.host} port ${address.port}, which can't be reached (${failure})`,
                'Open the passive range in every firewall on the way.',
              )),
      );
    }
    return findings;
  }

  /** Upload, download, compare, time, delete. */
  async roundTrip(): Promise<Finding[]> {
    const name = `ftps-doctor-${randomBytes(6).toString('hex')}.bin`;
    const sent = randomBytes(ROUND_TRIP_BYTES);
    const findings: Finding[] = [];
    const stored = await this.transfer(`STOR ${name}`, sent);
    if (stored.problem) return [stored.problem];
    const modified = await this.control.command(`MDTM ${name}`);
    const received = await this.transfer(`RETR ${name}`);
    const unproven = received.problem ? undefined : await this.transfer(`RETR ${name}`, undefined, false);
    await this.control.command(`DELE ${name}`);
    if (received.problem) return [received.problem];
    const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
    findings.push(
      sha256(received.data) === sha256(sent)
        ? ok('round-trip', `${ROUND_TRIP_BYTES} bytes came back unchanged (SHA-256 ${sha256(sent).slice(0, 16)}…)`)
        : problem('round-trip', 'a file came back changed', 'See whether the server changes line ends in binary mode, or cuts uploads.'),
      stored.resumed || received.resumed
        ? ok('data-session', 'data connections resume the TLS session of the control connection')
        : warning(
            'data-session',
            'data connections do not resume the TLS session of the control connection',
            'Nothing ties data to the session that asked for it; require resumption (RFC 4217 section 7).',
          ),
      unproven?.problem
        ? ok('data-stranger', 'a data connection that resumes no TLS session gets nothing')
        : warning(
            'data-stranger',
            'a data connection that resumes no TLS session is taken from a client that could resume one',
            'Whoever shares the client’s address and learns the port can take its transfers; require resumption (dataTlsReuse here, require_ssl_reuse in vsftpd).',
          ),
      ...clockFindings(modified.text),
    );
    return findings;
  }

  /** Whether the server stays within the range that is meant to be open; what lies beside it is looked at from outside. */
  rangeFindings(): Finding[] {
    const range = this.options.passivePorts;
    const beyond = range ? this.seen.filter((port) => port < range.low || port > range.high) : [];
    return range && beyond.length > 0
      ? [
          problem(
            'passive-range',
            `port ${beyond.join(', ')} was given, outside of ${range.low}-${range.high}`,
            'Set the passive range of the server to the one that firewalls have open.',
          ),
        ]
      : [];
  }

  /** RFC 959 for PASV, RFC 2428 for EPSV. */
  private addressIn(command: 'EPSV' | 'PASV', code: number, text: string): Address | undefined {
    const numbers = command === 'PASV' ? /(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)/.exec(text)?.slice(1).map(Number) : undefined;
    const extended = /\(\|\|\|(\d+)\|\)/.exec(text);
    const address =
      command === 'PASV' && code === 227 && numbers
        ? { host: numbers.slice(0, 4).join('.'), port: numbers[4]! * 256 + numbers[5]! }
        : command === 'EPSV' && code === 229 && extended
          ? { host: this.control.remoteAddress, port: Number(extended[1]) }
          : undefined;
    if (address) this.seen.push(address.port);
    return address;
  }

  /** An address in PASV that is not the one the client talks to. `failure` says why it can't be connected to. */
  private elsewhereFinding({ host, port }: Address, failure: string | undefined): Finding | undefined {
    const control = this.control.remoteAddress;
    if (host === control || control.includes(':')) return undefined;
    const advice = `Tell the server its public address ${control} (pasv_address in vsftpd, MasqueradeAddress in ProFTPD, advertisedAddress here).`;
    const reached = failure === undefined ? 'it can be reached from here' : `port ${port} there can't be reached (${failure})`;
    if (privateAddress.test(host) && !privateAddress.test(control))
      return problem('pasv', `PASV gives ${host}, a private address; the control connection goes to ${control}; ${reached}, and not from outside`, advice);
    const text = `PASV gives ${host}, but the control connection goes to ${control}; ${reached}`;
    return failure === undefined
      ? warning('pasv', `${text}, but many clients refuse an address that is not the server's`, advice)
      : problem('pasv', text, advice);
  }

  private async transfer(command: string, upload?: Buffer, resuming = true): Promise<{ data: Buffer; resumed: boolean; problem?: Finding }> {
    const nothing = { data: Buffer.alloc(0), resumed: false };
    const verb = command.split(' ')[0]!;
    const { code, text } = await this.control.command(this.usable!);
    const address = this.addressIn(this.usable!, code, text);
    if (!address) return { ...nothing, problem: problem('round-trip', `${this.usable} is answered with ${text}`) };
    let socket: Socket;
    try {
      socket = await tcp(address.host, address.port, this.options.target.timeout);
    } catch (error) {
      return { ...nothing, problem: problem('round-trip', `port ${address.port} can't be reached (${(error as Error).message})`, 'Open the passive range.') };
    }
    try {
      const opening = this.control.command(command);
      const first = await opening;
      if (first.code >= 400)
        return { ...nothing, problem: warning('round-trip', `${verb} is refused (${first.text})`, 'Use an account that may write and read in its home.') };
      const secure = await handshake(
        socket,
        { ...this.options.trust.options, session: resuming ? this.control.session : undefined },
        this.options.target.timeout,
      );
      secure.on('session', (session) => {
        this.control.session = session;
      });
      const resumed = secure.isSessionReused(); // unknown once it is closed
      const chunks: Buffer[] = [];
      const closed = new Promise<void>((resolve) => {
        secure
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('error', () => resolve())
          .on('close', () => resolve());
      });
      if (upload) secure.end(upload);
      const last = first.code >= 200 ? first : await this.control.reply();
      await closed;
      if (last.code >= 400) return { ...nothing, problem: problem('round-trip', `${verb} failed (${last.text})`, 'Look into the log of the server.') };
      return { data: Buffer.concat(chunks), resumed };
    } catch (error) {
      return {
        ...nothing,
        problem: problem('round-trip', `the data connection of ${verb} failed: ${(error as Error).message}`, 'Look into the log of the server.'),
      };
    } finally {
      socket.destroy();
    }
  }
}

/** MDTM of a file just stored is the server's clock in UTC (RFC 3659 section 2.3). */
function clockFindings(reply: string, now = Date.now()): Finding[] {
  const [, year, month, day, hour, minute, second] = (/^213 (\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(reply) ?? []).map(Number);
  if (!year) return [warning('clock', `the clock can't be compared: MDTM is answered with ${reply}`)];
  const time = Date.UTC(year, month! - 1, day, hour, minute, second);
  return [clockFinding('clock', time, now, 'Keep the clock by NTP, and have MDTM answer in UTC.')];
}
