/** A password from the terminal, without echo, or from the first line of standard input. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export async function readPassword(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: stdin.isTTY });
  if (stdin.isTTY) stderr.write(prompt); // only now, when the terminal no longer shows what is typed
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write('\n');
  }
}
