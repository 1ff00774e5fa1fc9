/** `ftps evidence --environment prod`: writes for an auditor what shows each control. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { controls } from '../evidence/controls';
import { examineControls } from '../evidence/examine';
import { evidencePage } from '../evidence/html';
import { readAssembly, readTests, subjectOf } from '../evidence/subject';
import { say } from '../terminal/say';
import { exitCodes } from './exit';

export function evidenceCommand(): Command {
  return new Command('evidence')
    .description(
      'Reads a synthesized environment and test results, and writes what shows each control, as HTML and JSON. Exit code 3 where something claimed is not shown.',
    )
    .requiredOption('--environment <name>', 'name of the environment')
    .requiredOption('--tests <file...>', 'results of jest, written with npm test -- --json --outputFile=FILE')
    .option('--assembly <folder>', 'what cdk synth wrote', 'cdk.out')
    .option('--output <folder>', 'where evidence.html and evidence.json go', 'evidence')
    .option('--json', 'print what evidence.json holds')
    .action(({ environment, assembly, tests, output, json }: { environment: string; assembly: string; tests: string[]; output: string; json?: boolean }) => {
      const evidence = examineControls(controls, subjectOf(environment, readAssembly(assembly, environment), tests.flatMap(readTests)));
      mkdirSync(output, { recursive: true });
      writeFileSync(join(output, 'evidence.json'), `${JSON.stringify(evidence, undefined, 2)}\n`);
      writeFileSync(join(output, 'evidence.html'), evidencePage(evidence));
      if (!evidence.inOrder) process.exitCode = exitCodes.notInOrder;
      if (json) {
        say(`${JSON.stringify(evidence)}\n`);
        return;
      }
      for (const { id, status, claims } of evidence.controls)
        for (const { text } of claims.filter((claim) => status === 'missing' && claim.evidence.length === 0)) say(`MISSING  ${id}: ${text}\n`);
      for (const id of evidence.unclaimedAlarms) say(`note     no control claims the alarm ${id}\n`);
      const count = (wanted: string) => evidence.controls.filter(({ status }) => status === wanted).length;
      say(
        `${environment}: ${count('shown')} controls shown, ${count('missing')} missing, ${count('not-covered')} not covered; ${join(output, 'evidence.html')}\n`,
      );
    });
}
