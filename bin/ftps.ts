/** The operator's command. Exit codes: 0 done · 1 failed while running · 2 wrong usage or settings · 3 what was checked is not in order. */
import { Command } from 'commander';
import { version } from '../package.json';
import { runWorker } from '../server/workers/worker';
import { auditCommand } from './commands/audit';
import { certificateCommand } from './commands/certificate';
import { configCommand } from './commands/config';
import { doctorCommand } from './commands/doctor';
import { evidenceCommand } from './commands/evidence';
import { exitCodeOf, explain } from './commands/exit';
import { firewallCommand } from './commands/firewall';
import { quarantineCommand } from './commands/quarantine';
import { serveCommand } from './commands/serve';
import { userCommand } from './commands/user';

const program = new Command('ftps')
  .description('Runs and looks after an FTPS server.')
  .version(version)
  .addCommand(serveCommand())
  .addCommand(firewallCommand())
  .addCommand(new Command('worker').description('One process of `ftps serve`.').action(runWorker), { hidden: true })
  .addCommand(configCommand())
  .addCommand(userCommand())
  .addCommand(auditCommand())
  .addCommand(quarantineCommand())
  .addCommand(certificateCommand())
  .addCommand(doctorCommand())
  .addCommand(evidenceCommand())
  .addHelpText(
    'after',
    `
Exit codes: 0 done · 1 failed while running · 2 wrong usage or settings · 3 what was checked is not in order

Examples:
  ftps serve --config /etc/ftps/server.json
  ftps serve --user demo --password-file password.txt --root ./files --explicit-port 2121 --implicit-port 2990
  ftps config check server.json
  ftps user hash < password.txt
  ftps doctor ftps.example.com --user demo --password-file password.txt --passive-ports 50000-50015`,
  )
  .showHelpAfterError('(ftps --help tells more)');

for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) command.exitOverride();

program.parseAsync().catch((error: unknown) => {
  const text = explain(error);
  if (text) process.stderr.write(`${text}\n`);
  process.exitCode = exitCodeOf(error);
});
