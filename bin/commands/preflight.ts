/** `ftps preflight --environment prod`: looks, before `cdk deploy`, for what would make it fail. */
import { createRequire } from 'node:module';
import { Command } from 'commander';
import type { Finding, preflight as look } from '../preflight';
import { paintsFor } from '../terminal/colour';
import { ProgressLine } from '../terminal/progress';
import { say } from '../terminal/say';
import { columnsOf, wrap } from '../terminal/wrap';
import { exitCodes } from './exit';

interface Flags {
  readonly environment: string;
  readonly assembly: string;
  readonly resolver?: string[];
  readonly json?: boolean;
}

export function preflightCommand(): Command {
  return new Command('preflight')
    .description(
      'Looks, before a deployment, for what would make it fail: quotas, zone and CAA records, left-overs, roles. Changes nothing. Exit code 3 where there are problems, or something could not be looked at.',
    )
    .requiredOption('--environment <name>', 'name of the environment')
    .option('--assembly <folder>', 'what cdk synth wrote', 'cdk.out')
    .option('--resolver <address...>', 'servers of the DNS to ask, as address or address:port (default: those of this machine)')
    .option('--json', 'print JSON')
    .action(async ({ environment, assembly, resolver, json }: Flags) => {
      const progress = new ProgressLine();
      const findings = await bundled()({
        environment,
        assembly,
        resolvers: resolver,
        onStep: (step) => progress.show(() => `${environment}: ${step} …`),
      }).finally(() => progress.clear());
      say(json ? `${JSON.stringify({ environment, findings })}\n` : readable(findings));
      if (findings.some(({ level }) => level === 'problem' || level === 'unknown')) process.exitCode = exitCodes.notInOrder;
    });
}

/** A bundle of its own: it asks a dozen services, whose clients an instance would carry for nothing. */
function bundled(): typeof look {
  const path = '../preflight';
  try {
    return createRequire(__filename)(path).preflight;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error('preflight is for where you deploy from: run it in a clone, or in an app that has the package (npx ftps preflight)');
  }
}

function readable(findings: readonly Finding[]): string {
  const paint = paintsFor(process.stdout);
  const marks = { ok: paint.green('ok      '), warning: paint.yellow('warning '), problem: paint.red('PROBLEM '), unknown: paint.red('UNKNOWN ') } as const;
  const indented = (words: string, indent: number) => wrap(words, indent, columnsOf(process.stdout));
  const lines = findings.flatMap(({ level, check, text, advice }) => [
    `${marks[level]} ${indented(`${check}: ${text}`, 9)}`,
    ...(advice ? [`           ${indented(advice, 11)}`] : []),
  ]);
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  return `${[...lines, `${count('problem')} problems, ${count('unknown')} not looked at, ${count('warning')} warnings`].join('\n')}\n`;
}
