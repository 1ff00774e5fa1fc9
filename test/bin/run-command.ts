import type { Command } from 'commander';
import { exitCodeOf, explain } from '../../bin/commands/exit';

/** What a command prints, whatever it prints it on, and the code that it ends with. */
export async function runCommand(command: Command, args: readonly string[]): Promise<{ readonly status: number; readonly output: string }> {
  const out: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      out.push(String(text));
      return true;
    }),
  );
  try {
    await command.parseAsync([...args], { from: 'user' });
    return { status: 0, output: out.join('') };
  } catch (error) {
    return { status: exitCodeOf(error), output: explain(error) };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
