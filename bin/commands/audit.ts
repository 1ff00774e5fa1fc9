/** `ftps audit verify` and `ftps audit show`. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { verifyChain } from '../../server/audit/chain';
import { readableLine } from '../../server/audit/readable';
import { exitCodes } from './exit';

const texts = {
  'not-readable': 'is no line of the audit',
  changed: 'was changed',
  'missing-or-moved': 'does not follow the line before it: lines are missing or were moved',
  'beginning-missing': 'continues a chain whose beginning is missing',
} as const;

export function auditCommand(): Command {
  const audit = new Command('audit').description('Reads and verifies the audit.');
  audit
    .command('verify <file>')
    .description('Finds lines that were changed, removed or moved. Exit code 3 where there are any.')
    .action(async (file: string) => {
      const { lines, chains, breaks } = await verifyChain(linesOf(file));
      for (const { line, what } of breaks) process.stdout.write(`${file}:${line} ${texts[what]}\n`);
      process.stdout.write(`${lines} lines of ${chains} processes, ${breaks.length} breaks\n`);
      if (breaks.length > 0) process.exitCode = exitCodes.notInOrder;
    });
  audit
    .command('show <file>')
    .description('Prints the audit for people; - reads standard input.')
    .action(async (file: string) => {
      const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
      for await (const line of linesOf(file)) {
        try {
          process.stdout.write(`${readableLine(JSON.parse(line), { colour })}\n`);
        } catch {
          process.stdout.write(`${line}\n`); // what is no line of the audit is shown as it is
        }
      }
    });
  return audit;
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: file === '-' ? process.stdin : createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}
