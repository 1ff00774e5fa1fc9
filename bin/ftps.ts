/** Runs the operator's command. Exit codes: 0 done · 1 failed while running · 2 wrong usage or settings · 3 what was checked is not in order. */
import { exitCodeOf, explain } from './commands/exit';
import { ftpsProgram } from './program';
import { remark } from './terminal/say';

// A reader that has seen enough (`ftps … | head`) closes the pipe; what is left unsaid is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// Which versions of Node.js run this is ours to say (package.json); the AWS SDK's word about its own plans is no news to whoever types a command.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

ftpsProgram()
  .parseAsync()
  .catch((error: unknown) => {
    const text = explain(error);
    if (text) remark(`${text}\n`);
    process.exitCode = exitCodeOf(error);
  });
