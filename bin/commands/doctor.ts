/** `ftps doctor HOST`: looks at any server of FTPS, SFTP, HTTPS or AS2 from outside and says what to change. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { parsePortRange } from '../../server/config';
import { pemOfOpenSsh } from '../../server/ssh/transport/ssh2';
import { printable } from '../../server/text/printable';
import { type Examination, type Examined, examine } from '../doctor/examine';
import type { Finding } from '../doctor/finding';
import { paintsFor } from '../terminal/colour';
import { ProgressLine } from '../terminal/progress';
import { say } from '../terminal/say';
import { columnsOf, wrap } from '../terminal/wrap';
import { exitCodes, UsageError } from './exit';

interface Flags {
  readonly explicitPort: string;
  readonly implicitPort: string;
  readonly sftp?: string | true;
  readonly https?: string | true;
  readonly as2?: string | true;
  readonly fingerprint?: readonly string[];
  readonly name?: string;
  readonly ca?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly keyFile?: string;
  readonly passivePorts?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Examines any server of FTPS, SFTP, HTTPS or AS2 as a client meets it. Exit code 3 where there are problems.')
    .argument('<host>', 'host name or address')
    .option('--explicit-port <port>', 'port for AUTH TLS; 0 leaves it out', '21')
    .option('--implicit-port <port>', 'port for implicit TLS; 0 leaves it out', '990')
    .option('--sftp [port]', 'look at SFTP on this port, 22 where none is given; at FTPS then only on ports that are named')
    .option('--https [port]', 'look at HTTPS on this port, 443 where none is given; at FTPS then only on ports that are named')
    .option('--as2 [port/path]', 'look at AS2 there, 443/as2 where nothing is given; no message is sent; at FTPS then only on ports that are named')
    .option('--fingerprint <sha256>', 'a host key that SFTP must have, SHA256:…; may be given several times', (one: string, all: readonly string[] = []) => [
      ...all,
      one,
    ])
    .option('--name <name>', 'name that the certificate must cover (default: the host)')
    .option('--ca <file>', 'PEM file of the authority to trust (default: the well-known ones)')
    .option('--user <name>', 'account for the second half: data connections, round trip, clock')
    .option('--password-file <file>', 'file whose first line is the password')
    .option('--key-file <file>', 'private key to log in with over SFTP, in place of the password or before it')
    .option('--passive-ports <low-high>', 'range that is meant to be open; the ports beside it must be closed')
    .option('--timeout <seconds>', 'how long any single step may take', '10')
    .option('--json', 'print JSON')
    .action(async (host: string, flags: Flags, command: Command) => {
      const [, alone] = /^[a-z]+:\/\/(\[[^\]]+\]|[^/:]+)/i.exec(host) ?? [];
      if (alone !== undefined)
        throw new UsageError(`host: "${host}" is an address of the web; write ${alone.replace(/^\[|\]$/g, '')}, and the ports by their options`);
      const progress = new ProgressLine();
      const examined = await examine({
        host,
        ...(await lookedAt(flags, command)),
        name: flags.name,
        ca: flags.ca === undefined ? undefined : await text('--ca', flags.ca),
        passivePorts: range(flags.passivePorts),
        timeout: number('--timeout', flags.timeout, 600) * 1000,
        onStep: (step) => progress.show(() => `${host}: ${step} …`),
      }).finally(() => progress.clear());
      say(flags.json ? `${JSON.stringify({ host, ...examined })}\n` : readable(examined));
      if (examined.findings.some(({ level }) => level === 'problem')) process.exitCode = exitCodes.notInOrder;
    });
}

/** Which ports, and with which account. */
async function lookedAt(
  flags: Flags,
  command: Command,
): Promise<Pick<Examination, 'explicitPort' | 'implicitPort' | 'sftp' | 'https' | 'as2' | 'credentials'>> {
  const { user, passwordFile, keyFile, sftp, https, as2, fingerprint: fingerprints = [] } = flags;
  if (sftp === undefined && (keyFile !== undefined || fingerprints.length > 0)) throw new UsageError('--key-file and --fingerprint are for --sftp');
  if ((user === undefined) !== (passwordFile === undefined && keyFile === undefined))
    throw new UsageError(`--user and --password-file go together${sftp === undefined ? '' : ', or --user and --key-file'}`);
  const wrong = fingerprints.find((one) => !/^SHA256:[A-Za-z0-9+/]{43}$/.test(one));
  if (wrong !== undefined) throw new UsageError(`--fingerprint: "${wrong}" is none; \`ssh-keygen -l -f KEY.pub\` prints SHA256: and 43 characters`);
  const password = passwordFile === undefined ? undefined : (await text('--password-file', passwordFile)).split(/\r?\n/, 1)[0]!;
  const ftps = (key: 'explicitPort' | 'implicitPort', flag: string) =>
    [sftp, https, as2].some((one) => one !== undefined) && command.getOptionValueSource(key) === 'default' ? 0 : number(flag, flags[key], 65_535);
  return {
    explicitPort: ftps('explicitPort', '--explicit-port'),
    implicitPort: ftps('implicitPort', '--implicit-port'),
    credentials: user !== undefined && password !== undefined ? { user, password } : undefined,
    as2: as2 === undefined ? undefined : placeOfAs2(as2),
    https: https === undefined ? undefined : { port: https === true ? 443 : number('--https', https, 65_535) },
    sftp:
      sftp === undefined
        ? undefined
        : {
            port: sftp === true ? 22 : number('--sftp', sftp, 65_535),
            fingerprints,
            credentials: user === undefined ? undefined : { user, password, privateKey: keyFile === undefined ? undefined : await privateKey(keyFile) },
          },
  };
}

function placeOfAs2(place: string | true): { readonly port: number; readonly path: string } {
  if (place === true) return { port: 443, path: '/as2' };
  const [, port, path = '/as2'] = /^(\d+)?(\/\S*)?$/.exec(place) ?? [];
  if (port === undefined && !place.startsWith('/')) throw new UsageError(`--as2: "${place}" is no port and path; write 4443/as2 for example`);
  return { port: port === undefined ? 443 : number('--as2', port, 65_535), path };
}

async function privateKey(file: string): Promise<string> {
  const content = await text('--key-file', file);
  try {
    pemOfOpenSsh(content);
  } catch {
    throw new UsageError(`--key-file ${file}: is no private key without a passphrase, as ssh-keygen writes it`);
  }
  return content;
}

function readable({ findings, knownHosts = [] }: Examined): string {
  const paint = paintsFor(process.stdout);
  const marks = { ok: paint.green('ok      '), warning: paint.yellow('warning '), problem: paint.red('PROBLEM ') } as const;
  const indented = (words: string, indent: number) => wrap(printable(words), indent, columnsOf(process.stdout));
  const lines = findings.flatMap(({ level, check, text, advice }) => [
    `${marks[level]} ${indented(`${check}: ${text}`, 9)}`,
    ...(advice ? [`           ${indented(advice, 11)}`] : []),
  ]);
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const known = knownHosts.length > 0 ? ['', 'For known_hosts, once the fingerprints are those of the owner:', ...knownHosts.map(printable), ''] : [];
  return `${[...lines, ...known, `${count('problem')} problems, ${count('warning')} warnings`].join('\n')}\n`;
}

async function text(flag: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${flag} ${file}: can't be read (${error.code})`);
  });
}

function number(flag: string, value: string, most: number): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > most) throw new UsageError(`${flag}: "${value}" is not a number from 0 to ${most}`);
  return Number(value);
}

function range(value: string | undefined): { low: number; high: number } | undefined {
  if (value === undefined) return undefined;
  const parsed = parsePortRange(value);
  if ('any' in parsed) throw new UsageError(`--passive-ports: "${value}" names no ports; write low-high, for example 50000-50015`);
  return parsed;
}
