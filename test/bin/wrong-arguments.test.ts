/** What somebody in a hurry types, and what the command says of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf, explain } from '../../bin/commands/exit';
import { ftpsProgram } from '../../bin/program';

const folder = mkdtempSync(join(tmpdir(), 'ftps-arguments-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The command within this process. */
async function ftps(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  try {
    await ftpsProgram().parseAsync(args, { from: 'user' });
    return { status: 0, stdout, stderr: '' };
  } catch (error) {
    return { status: exitCodeOf(error), stdout, stderr: explain(error) };
  } finally {
    write.mockRestore();
  }
}

it.each([
  [['audit', 'verify', join(folder, 'nothing')], `ftps: ${join(folder, 'nothing')}: can't be read (ENOENT)`],
  [['audit', 'show', join(folder, 'nothing')], `ftps: ${join(folder, 'nothing')}: can't be read (ENOENT)`],
  [['audit', 'show', folder], /can't be read \(EISDIR\)|EISDIR/],
  [
    ['doctor', 'https://files.example.com/page'],
    'ftps: host: "https://files.example.com/page" is an address of the web; write files.example.com, and the ports by their options',
  ],
  [['doctor', 'ftps://[2001:db8::1]:990'], /write 2001:db8::1, and the ports/],
])('%j says what is wrong, and what would be right', async (args, words) => {
  const { status, stderr } = await ftps(...args);
  expect(stderr).toMatch(words);
  expect(status).toBeGreaterThan(0);
});

it('a password that was made is told once the account has it, and not where the account is refused', async () => {
  const file = join(folder, 'accounts.json');
  expect(await ftps('user', 'add', 'ann', '--file', file, '--generate', '--network', '300.1.1.1')).toMatchObject({ status: 2, stdout: '' });
  expect(await ftps('user', 'add', 'ann', '--file', join(folder, 'none', 'accounts.json'), '--generate')).toMatchObject({ status: 1, stdout: '' });
  expect((await ftps('user', 'add', 'ann', '--file', file, '--generate')).stdout).toMatch(/^[A-Za-z0-9]{24}\n$/);
});
