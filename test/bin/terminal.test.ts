import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { exitCodeOf, explain } from '../../bin/commands/exit';
import { examples } from '../../bin/examples';
import { ftpsProgram } from '../../bin/program';
import { wantsColour } from '../../bin/terminal/colour';
import { bar, ProgressLine } from '../../bin/terminal/progress';
import { columnsOf, wrap } from '../../bin/terminal/wrap';

/** Every command that can be typed, by its path. */
function leaves(command: Command, path = ''): [string, Command][] {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');
  if (visible.length === 0) return [[path, command]];
  return visible.flatMap((one) => leaves(one, `${path} ${one.name()}`.trim()));
}

describe('help', () => {
  it.each(leaves(ftpsProgram()))('of %s has examples, whose options there are', (path, command) => {
    const lines = examples[path] ?? [];
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const typed = /\bftps ([^|&<>)]*)/.exec(line)![1]!.trim().split(' ');
      expect(typed.join(' ')).toMatch(new RegExp(`^${path}\\b`));
      for (const flag of typed.filter((word) => word.startsWith('--'))) expect(command.options.map(({ long }) => long)).toContain(flag);
      for (const { long } of command.options.filter(({ mandatory }) => mandatory)) expect(typed).toContain(long);
    }
    let shown = '';
    command.configureOutput({ writeOut: (text) => (shown += text) });
    command.outputHelp();
    expect(shown).toContain(`Examples:\n  ${lines[0]}`);
  });

  it('has no example for a command that is not there', () => {
    const there = new Set(['', ...leaves(ftpsProgram()).map(([path]) => path)]);
    expect(Object.keys(examples).filter((path) => !there.has(path))).toEqual([]);
  });
});

describe('colour', () => {
  it.each([
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR, which means nothing', true, { NO_COLOR: '' }, true],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['a pipe that is forced', false, { FORCE_COLOR: '1' }, true],
    ['NO_COLOR against force', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('on %s', (_what, isTTY, env, expected) => {
    expect(wantsColour({ isTTY }, env)).toBe(expected);
  });
});

describe('progress', () => {
  const screen = (isTTY: boolean) => {
    const written: string[] = [];
    return { isTTY, columns: 20, written, write: (text: string) => written.push(text) };
  };

  it('is one line that is gone at the end, and not longer than the terminal', () => {
    const terminal = screen(true);
    const progress = new ProgressLine(terminal);
    progress.show(() => 'a line that is far longer than that');
    progress.show(() => 'too soon after it');
    progress.clear();
    progress.clear();
    expect(terminal.written).toEqual(['\r\u001b[2Ka line that is far ', '\r\u001b[2K']);
  });

  it('is not seen by pipes and files', () => {
    const terminal = screen(false);
    const progress = new ProgressLine(terminal);
    progress.show(() => 'nobody');
    progress.clear();
    expect(terminal.written).toEqual([]);
  });

  it('has a bar that ends full', () => {
    expect(bar(1, 3, 6)).toBe('██░░░░  33 %');
    expect(bar(3, 3, 6)).toBe('██████ 100 %');
    expect(bar(0, 0, 2)).toBe('██ 100 %');
  });
});

describe('completion', () => {
  const printed = async (shell: string) => {
    let text = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      text += chunk;
      return true;
    });
    try {
      await ftpsProgram().parseAsync(['completion', shell], { from: 'user' });
    } finally {
      write.mockRestore();
    }
    return text;
  };

  it.each([
    ['ftps us', ['user']],
    ['ftps user ', ['add', 'passwd', 'disable', 'enable', 'remove', 'list', 'key', 'totp', 'import', 'try', 'hash', 'help', '--help']],
    ['ftps user add partner --gen', ['--generate']],
    ['ftps audit verify --a', ['--archive']],
    ['ftps doctor user --js', ['--json']],
  ])('bash completes %s', async (typed, expected) => {
    const words = typed.split(' ');
    const ask = `${await printed('bash')}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _ftps; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(expected);
  });

  it('fish and zsh get the same words', async () => {
    expect(await printed('zsh')).toContain('bashcompinit');
    const fish = await printed('fish');
    expect(fish).toContain("complete -c ftps -n '__fish_use_subcommand' -f -a doctor\n");
    expect(fish).toContain("complete -c ftps -n '__fish_seen_subcommand_from user; and __fish_seen_subcommand_from add' -l generate\n");
  });
});

describe('errors', () => {
  const named = (name: string, message: string) => Object.assign(new Error(message), { name });

  it.each([
    [named('CredentialsProviderError', 'Could not load credentials from any providers'), 'AWS_PROFILE'],
    [named('Error', 'Region is missing'), 'AWS_REGION'],
    [named('AccessDeniedException', 'not authorized to perform: secretsmanager:CreateSecret'), 'aws sts get-caller-identity'],
  ])('%s: the next step is said', (error, step) => {
    expect(explain(error)).toContain(`${error.message}\n`);
    expect(explain(error)).toContain(step);
    expect(exitCodeOf(error)).toBe(1);
  });

  it('a settings file that is wrong is told as JSON too', async () => {
    let text = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      text += chunk;
      return true;
    });
    const outcome = await ftpsProgram()
      .parseAsync(['config', 'check', '--json', '/does/not/exist.json'], { from: 'user' })
      .catch((error: unknown) => error);
    write.mockRestore();
    expect(JSON.parse(text)).toEqual({ file: '/does/not/exist.json', problems: [{ key: '/does/not/exist.json', message: "can't be read (ENOENT)" }] });
    expect(exitCodeOf(outcome)).toBe(2);
  });
});

it('ends quietly where its reader has seen enough', async () => {
  const program = spawn(process.execPath, [join(__dirname, '../../dist/image/ftps.js'), 'completion', 'bash'], { stdio: ['ignore', 'pipe', 'pipe'] });
  program.stdout.destroy();
  const [said, [code]] = await Promise.all([text(program.stderr), once(program, 'exit')]);
  expect({ said, code }).toEqual({ said: '', code: 0 });
});

describe('long lines', () => {
  it('are broken between words where the terminal ends, and stay in their column', () => {
    expect(wrap('the certificate does not cover ftps.example.com', 9, 34)).toBe('the certificate does not\n         cover ftps.example.com');
    expect(wrap(`see ${'x'.repeat(40)} there`, 2, 30)).toBe(`see\n  ${'x'.repeat(40)}\n  there`);
  });

  it('are whole in files and pipes, and where there is no room', () => {
    expect(wrap('word '.repeat(100), 9, columnsOf({}, {}))).toBe('word '.repeat(100));
    expect(wrap('a few words of it', 9, 12)).toBe('a few words of it');
  });

  it('end where the terminal or COLUMNS says', () => {
    expect(columnsOf({ columns: 80 }, { COLUMNS: '120' })).toBe(80);
    expect(columnsOf({}, { COLUMNS: '120' })).toBe(120);
    expect(columnsOf({}, { COLUMNS: 'wide' })).toBeUndefined();
  });
});
