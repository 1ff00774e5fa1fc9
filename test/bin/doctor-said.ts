import { doctorCommand } from '../../bin/commands/doctor';

/** What `ftps doctor localhost …` prints, and the code that it would end with. */
export async function doctorSaid(...args: string[]): Promise<{ readonly text: string; readonly code: typeof process.exitCode }> {
  let text = '';
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  const before = process.exitCode;
  try {
    process.exitCode = undefined;
    await doctorCommand()
      .exitOverride()
      .parseAsync(['localhost', ...args], { from: 'user' });
    return { text, code: process.exitCode };
  } finally {
    spy.mockRestore();
    process.exitCode = before;
  }
}
