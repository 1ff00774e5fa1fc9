/** `ftps doctor HOST`: looks at any FTPS server from outside and says what to change. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { parsePortRange } from '../../server/config';
import { printable } from '../../server/text/printable';
import { examine } from '../doctor/examine';
import type { Finding } from '../doctor/finding';
import { paintsFor } from '../terminal/colour';
import { ProgressLine } from '../terminal/progress';
import { say } from '../terminal/say';
import { columnsOf, wrap } from '../terminal/wrap';
import { exitCodes, UsageError } from './exit';

interface Flags {
  readonly explicitPort: string;
  readonly implicitPort: string;
  readonly name?: string;
  readonly ca?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly passivePorts?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Examines any FTPS server as a client meets it. Exit code 3 where there are problems.')
    .argument('<host>', 'host name or address')
    .option('--explicit-port <port>', 'port for AUTH TLS; 0 leaves it out', '21')
    .option('--implicit-port <port>', 'port for implicit TLS; 0 leaves it out', '990')
    .option('--name <name>', 'name that the certificate must cover (default: the host)')
    .option('--ca <file>', 'PEM file of the authority to trust (default: the well-known ones)')
    .option('--user <name>', 'account for the second half: data connections, round trip, clock')
    .option('--password-file <file>', 'file whose first line is the password')
    .option('--passive-ports <low-high>', 'range that is meant to be open; the ports beside it must be closed')
    .option('--timeout <seconds>', 'how long any single step may take', '10')
    .option('--json', 'print JSON')
    .action(async (host: string, flags: Flags) => {
      if ((flags.user === undefined) !== (flags.passwordFile === undefined)) throw new UsageError('--user and --password-file go together');
      const progress = new ProgressLine();
      const findings = await examine({
        host,
        explicitPort: number('--explicit-port', flags.explicitPort, 65_535),
        implicitPort: number('--implicit-port', flags.implicitPort, 65_535),
        name: flags.name,
        ca: flags.ca === undefined ? undefined : await text('--ca', flags.ca),
        credentials:
          flags.user !== undefined && flags.passwordFile !== undefined
            ? { user: flags.user, password: (await text('--password-file', flags.passwordFile)).split(/\r?\n/, 1)[0]! }
            : undefined,
        passivePorts: range(flags.passivePorts),
        timeout: number('--timeout', flags.timeout, 600) * 1000,
        onStep: (step) => progress.show(() => `${host}: ${step} …`),
      }).finally(() => progress.clear());
      say(flags.json ? `${JSON.stringify({ host, findings })}\n` : readable(findings));
      if (findings.some(({ level }) => level === 'problem')) process.exitCode = exitCodes.notInOrder;
    });
}

function readable(findings: readonly Finding[]): string {
  const paint = paintsFor(process.stdout);
  const marks = { ok: paint.green('ok      '), warning: paint.yellow('warning '), problem: paint.red('PROBLEM ') } as const;
  const indented = (words: string, indent: number) => wrap(printable(words), indent, columnsOf(process.stdout));
  const lines = findings.flatMap(({ level, check, text, advice }) => [
    `${marks[level]} ${indented(`${check}: ${text}`, 9)}`,
    ...(advice ? [`           ${indented(advice, 11)}`] : []),
  ]);
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  return `${[...lines, `${count('problem')} problems, ${count('warning')} warnings`].join('\n')}\n`;
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
