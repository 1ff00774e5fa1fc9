/** What a command says to the person who called it. Whatever a stranger managed to get into a text, it does nothing to the terminal. */
import { printableText } from '../../server/text/printable';
import { wantsColour } from './colour';

/** The answer of the command: to standard output. */
export function say(text: string): void {
  process.stdout.write(printableText(text, { colour: wantsColour(process.stdout) }));
}

/** What goes along with it, and errors: to standard error. */
export function remark(text: string): void {
  process.stderr.write(printableText(text, { colour: wantsColour(process.stderr) }));
}
