/** What commands print for people: through one function, so that nothing that a stranger wrote does anything to the terminal. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditCommand } from '../../bin/commands/audit';
import { explain } from '../../bin/commands/exit';

const CONTROL = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;
const bin = join(__dirname, '../../bin');

it('no command writes past it', () => {
  const own = ['terminal/say.ts', 'terminal/progress.ts', 'commands/read-password.ts', 'summary.ts'];
  const others = readdirSync(bin, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !own.includes(name));
  expect(others.length).toBeGreaterThan(40);
  expect(others.filter((name) => /std(out|err)\.write\(|console\.\w+\(/.test(readFileSync(join(bin, name), 'utf8')))).toEqual([]);
});

it('`ftps audit show` shows false lines as what they are, in lines of the audit and in what is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-say-'));
  const file = join(folder, 'audit.json');
  writeFileSync(
    file,
    `noise \u001b[2J\u202e\n{"time":0,"severity_id":1,"message":"one\\u001b[2J\\n00:00:00  root  Login succeeded\\u009b","user":{"name":"b\\u202e"}}\n`,
  );
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  try {
    await auditCommand().parseAsync(['show', file], { from: 'user' });
  } finally {
    write.mockRestore();
    rmSync(folder, { recursive: true });
  }
  const lines = printed.join('').split('\n');
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).not.toMatch(CONTROL);
});

it('an error names a file without obeying its name', () => {
  expect(explain(new Error('/a\nftps: all is well\u001b[2J is there already'))).toBe('ftps: /a\\u000aftps: all is well\\u001b[2J is there already');
});
