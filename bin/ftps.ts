/** Runs the operator's command. Exit codes: 0 done · 1 failed while running · 2 wrong usage or settings · 3 what was checked is not in order. */
import { exitCodeOf, explain } from './commands/exit';
import { ftpsProgram } from './program';

// A reader that has seen enough (`ftps … | head`) closes the pipe; what is left unsaid is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

ftpsProgram()
  .parseAsync()
  .catch((error: unknown) => {
    const text = explain(error);
    if (text) process.stderr.write(`${text}\n`);
    process.exitCode = exitCodeOf(error);
  });
