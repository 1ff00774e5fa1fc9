/** The operator's command with all that it can do. */
import { Command } from 'commander';
import { version } from '../package.json';
import { runWorker } from '../server/workers/worker';
import { as2Command } from './commands/as2';
import { auditCommand } from './commands/audit';
import { certificateCommand } from './commands/certificate';
import { completionCommand } from './commands/completion';
import { configCommand } from './commands/config';
import { doctorCommand } from './commands/doctor';
import { evidenceCommand } from './commands/evidence';
import { firewallCommand } from './commands/firewall';
import { importCommand } from './commands/import';
import { keyPolicyCommand } from './commands/key-policy';
import { preflightCommand } from './commands/preflight';
import { quarantineCommand } from './commands/quarantine';
import { serveCommand } from './commands/serve';
import { tokenCommand } from './commands/token';
import { userCommand } from './commands/user';
import { examples } from './examples';

export function ftpsProgram(): Command {
  const program = new Command('ftps')
    .description('Runs and looks after an FTPS server.')
    .version(version)
    .addCommand(serveCommand())
    .addCommand(firewallCommand())
    .addCommand(new Command('worker').description('One process of `ftps serve`.').action(runWorker), { hidden: true })
    .addCommand(configCommand())
    .addCommand(userCommand())
    .addCommand(tokenCommand())
    .addCommand(as2Command())
    .addCommand(auditCommand())
    .addCommand(quarantineCommand())
    .addCommand(certificateCommand())
    .addCommand(doctorCommand())
    .addCommand(preflightCommand())
    .addCommand(keyPolicyCommand())
    .addCommand(evidenceCommand())
    .addCommand(importCommand())
    .addCommand(completionCommand())
    .addHelpText('after', '\nExit codes: 0 done · 1 failed while running · 2 wrong usage or settings · 3 what was checked is not in order')
    .showHelpAfterError('(ftps --help tells more)');
  finish(program, '');
  return program;
}

/** Every command shows its examples, and ends with our exit codes. */
function finish(command: Command, path: string): void {
  command.exitOverride();
  const lines = examples[path];
  if (lines) command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  for (const one of command.commands) finish(one, `${path} ${one.name()}`.trim());
}
