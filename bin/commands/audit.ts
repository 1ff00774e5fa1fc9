/** `ftps audit verify` and `ftps audit show`. */
import { Command } from 'commander';
import { type Break, verifyChain } from '../../server/audit/chain';
import { readableLine } from '../../server/audit/readable';
import { printable } from '../../server/text/printable';
import { filesOf, linesOf } from '../audit/lines';
import { wantsColour } from '../terminal/colour';
import { ProgressLine } from '../terminal/progress';
import { say } from '../terminal/say';
import { exitCodes, UsageError } from './exit';

const texts = {
  'not-readable': 'is no line of the audit',
  changed: 'was changed',
  'missing-or-moved': 'does not follow the line before it: lines are missing or were moved',
  'beginning-missing': 'continues a chain whose beginning is missing',
} as const;

export function auditCommand(): Command {
  const audit = new Command('audit').description('Reads and verifies the audit.');
  audit
    .command('verify <files...>')
    .description('Finds lines that were changed, removed or moved. Exit code 3 where there are any.')
    .option('--archive', 'the files are the raw part of an archive, whose lines may come in any order and twice')
    .option('--part', 'the files are a part of the audit: what came before them is no loss')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `
A file may be compressed, - is standard input, a folder stands for all files below it. Give rotated files with the oldest first, or their folder.`,
    )
    .action(async (paths: string[], { archive = false, part = false, json = false }: { archive?: boolean; part?: boolean; json?: boolean }) => {
      const places: Place[] = [];
      const progress = new ProgressLine();
      const { breaks: all, ...counts } = await verifyChain(linesOfAll(paths, places, progress), { anyOrder: archive }).catch(unreadable);
      progress.clear();
      const breaks = all.filter(({ what }) => !(part && what === 'beginning-missing')).map((one) => ({ ...one, ...placeOf(one, places) }));
      if (breaks.length > 0) process.exitCode = exitCodes.notInOrder;
      if (json) {
        say(`${JSON.stringify({ ...counts, breaks })}\n`);
        return;
      }
      for (const { file, line, what } of breaks) say(`${printable(file)}:${line} ${texts[what]}\n`);
      say(`${counts.lines} lines of ${counts.chains} processes, ${breaks.length} breaks\n`);
      if (counts.repeated > 0) say(`${counts.repeated} lines were delivered twice\n`);
      if (counts.dropped > 0) say(`${counts.dropped} files were deleted by the server itself to make room, as it says\n`);
      if (counts.open > 0)
        say(`${counts.open} processes do not end with a line that says so: they still run, they crashed, or their last lines are missing here\n`);
    });
  audit
    .command('show <file>')
    .description('Prints the audit for people; - reads standard input.')
    .action(async (file: string) => {
      const colour = wantsColour(process.stdout);
      await show(file, colour).catch(unreadable);
    });
  return audit;
}

async function show(file: string, colour: boolean): Promise<void> {
  for await (const line of linesOf(file)) {
    try {
      say(`${readableLine(JSON.parse(line), { colour })}\n`);
    } catch {
      say(`${printable(line)}\n`); // what is no line of the audit is shown as it is
    }
  }
}

function unreadable(error: NodeJS.ErrnoException): never {
  if (error.code === undefined || error.path === undefined) throw error;
  throw new UsageError(`${printable(error.path)}: can't be read (${error.code})`);
}

/** Where in the sequence of all lines a file begins. */
interface Place {
  readonly file: string;
  readonly before: number;
}

async function* linesOfAll(paths: readonly string[], places: Place[], progress: ProgressLine): AsyncGenerator<string> {
  let before = 0;
  for (const path of paths)
    for (const file of await filesOf(path)) {
      places.push({ file, before });
      for await (const line of linesOf(file)) {
        if (line !== '') before += 1;
        progress.show(() => `${before.toLocaleString('en')} lines, ${file}`);
        yield line;
      }
    }
}

function placeOf({ line }: Break, places: readonly Place[]): { file: string; line: number } {
  const { file, before } = places.findLast((place) => place.before < line)!;
  return { file, line: line - before };
}
