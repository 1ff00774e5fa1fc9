/** `ftps user` at a terminal: what is typed as a password is not seen there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyPassword } from '../../server/support/passwords';
import { BUNDLE } from '../support/served';

/** Runs the command on a terminal of its own (script(1)), types each answer after its question, and gives back what the terminal showed. */
async function typed(args: readonly string[], answers: readonly [question: string, answer: string][]): Promise<{ screen: string; code: number }> {
  const command = [process.execPath, BUNDLE, 'user', ...args].map((word) => `'${word}'`).join(' ');
  const terminal = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], { env: { ...process.env, NODE_NO_WARNINGS: '1' } });
  let screen = '';
  let next = 0;
  terminal.stdout.on('data', (chunk) => {
    screen += chunk;
    const waiting = answers[next];
    if (!waiting || !screen.endsWith(waiting[0])) return;
    next += 1;
    terminal.stdin.write(`${waiting[1]}\r`);
  });
  const [code] = await once(terminal, 'close');
  return { screen, code };
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-terminal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('asks for a password twice and shows it never', async () => {
  const file = join(folder, 'accounts.json');
  const password = 'Typed-unseen-4711';
  const { screen, code } = await typed(
    ['add', 'ann', '--file', file],
    [
      ['Password of ann: ', password],
      ['Once more: ', password],
    ],
  );
  expect(screen).toContain('ann was added');
  expect(code).toBe(0);
  expect(screen).not.toContain(password);
  expect(await verifyPassword(password, JSON.parse(readFileSync(file, 'utf8')).accounts[0].passwordHash)).toBe(true);
});

it('takes no password that was typed in two ways', async () => {
  const { screen, code } = await typed(
    ['add', 'ann', '--file', join(folder, 'accounts.json')],
    [
      ['Password of ann: ', 'Typed-unseen-4711'],
      ['Once more: ', 'Typed-unseen-4712'],
    ],
  );
  expect(screen).toContain('the two passwords differ');
  expect(screen).not.toContain('Typed-unseen');
  expect(code).toBe(2);
});
