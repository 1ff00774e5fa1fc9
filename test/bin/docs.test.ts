import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { ftpsProgram } from '../../bin/program';
import { PROP_NAMES } from '../../lib/prop-names';
import { checkServerConfig } from '../../server/config';
import { eventSchema, settingsReference } from '../../tools/docs';
import { deadLinks, fences, pages, spans } from '../../tools/markdown';
import { constructReference, propNames, settingsOf, withoutDefault } from '../../tools/reference';

const root = join(__dirname, '../..');
const page = (name: string) => readFileSync(join(root, 'docs', name), 'utf8');

// `npm run docs` writes them anew; docs/compliance.md is compared in compliance.test.ts.
it('the reference of settings is that of the schema', () => expect(page('settings.md')).toBe(settingsReference()));

it('the published schema of the event is the one that the server has', () =>
  expect(JSON.parse(page('upload-released.schema.json'))).toEqual(JSON.parse(JSON.stringify(eventSchema()))));

it.each(['FtpsEnvironmentSettings', 'FtpsServiceProps', 'FtpsServerSettings'])('the table of %s among the environments is that of its docstrings', (name) =>
  expect(page('environments.md')).toContain(settingsOf(name)),
);

it('the reference of constructs is that of their docstrings', () => expect(page('reference.md')).toBe(constructReference()));

it('the names of props are those of the interfaces', () => expect(PROP_NAMES).toEqual(propNames()));

it('every public construct says what it is, and every property what it means', () => {
  const silent = constructReference()
    .split('\n')
    .filter((line) => /^\| `\w+` \| .* \| {2}\|$/.test(line));
  expect(silent).toEqual([]);
});

it('every optional property says what happens without it', () => expect(withoutDefault()).toEqual([]));

it('no link leads nowhere, and every page can be found from the index of its folder', () => {
  expect(pages().flatMap(deadLinks)).toEqual([]);
  const lost = (folder: string) => {
    const index = page(join(folder, 'README.md'));
    const inside = pages().filter((name) => dirname(name) === join('docs', folder) && basename(name) !== 'README.md');
    return inside.filter((name) => !index.includes(`(${basename(name)})`));
  };
  expect([...lost(''), ...lost('decisions')]).toEqual([]);
});

describe('what is printed', () => {
  const all = pages().flatMap(fences);

  it('commands stand in fences that say where they can be run (CONTRIBUTING.md)', () => {
    expect(all.filter(({ language }) => language === '').map(({ page: name, line }) => `${name}:${line} has no language`)).toEqual([]);
    const marks = ['', 'served', 'server', 'server runs', 'aws', 'ci', 'account', 'instance'];
    const wrong = all.filter(({ language, mark }) => ['sh', 'console'].includes(language) && !marks.includes(mark));
    expect(wrong.map(({ page: name, line, mark }) => `${name}:${line} ${mark}`)).toEqual([]);
  });

  it('commands of npm, ftps and the CDK are there as they are written, in text and fences', () => {
    const inFences = all
      .filter(({ language }) => language === 'sh' || language === 'console')
      .flatMap(({ page: name, line, text }) =>
        text
          .replaceAll('\\\n', ' ')
          .split('\n')
          .map((one) => ({ place: `${name}:${line}`, text: one.replace(/^\$ /, '') })),
      );
    const problems = [
      ...pages()
        .filter((name) => name !== 'CHANGELOG.md')
        .flatMap(spans),
      ...inFences,
    ].flatMap(({ place, text }) => problemsOf(text.replace(/\s+#.*/, '').trim()).map((problem) => `${place} ${text}: ${problem}`));
    expect(problems).toEqual([]);
  });

  it('settings that are printed are settings', () => {
    const base = {
      listeners: [{ mode: 'explicit', port: 21 }],
      tls: { certificates: [{ kind: 'file', certificate: 'server.pem', key: 'server.key' }] },
      storage: { kind: 'local', root: '/srv/ftps' },
      identity: [{ kind: 'file', file: 'accounts.json' }],
    };
    const printed = all
      .filter(({ language }) => language === 'json')
      .map(({ text }) => JSON.parse(text))
      .filter((value) => !('home' in value || 'user' in value || 'detail-type' in value)); // accounts and events
    expect(printed.length).toBeGreaterThan(2);
    const us = { as2Id: 'Us', signing: { kind: 'file', certificate: 'us.pem', key: 'us.key' } };
    const partner = { account: 'acme', certificates: ['acme.pem'] };
    for (const value of printed) {
      const settings =
        'mode' in value ? { listeners: [value] } : 'as2Id' in value ? { as2: { port: 4443, identity: us, partners: [{ ...partner, ...value }] } } : value;
      expect(() => checkServerConfig({ ...base, ...settings })).not.toThrow();
    }
  });

  it('commands that need the systemd of an instance name a unit of the image', () => {
    const units = all
      .filter(({ mark }) => mark === 'instance')
      .flatMap(({ text }) => [...text.matchAll(/systemctl \w+ (\S+)/g)].map(([, unit]) => `${unit}.service`));
    expect(units.length).toBeGreaterThan(0);
    for (const unit of units) expect(readdirSync(join(root, 'lib/image/files'))).toContain(unit);
  });
});

const CDK = ['bootstrap', 'deploy', 'destroy', 'diff', 'synth'];

function problemsOf(text: string): string[] {
  const [program, ...words] = text.replace(/^npx (?=ftps|cdk)/, '').split(/\s+/);
  if (program === 'npm') return npmProblems(words);
  if (program === 'cdk') return CDK.includes(words[0]!) ? [] : [`${words[0]} is not run by any test`];
  return program === 'ftps' ? ftpsProblems(words) : [];
}

function npmProblems([verb = '', ...words]: string[]): string[] {
  const script = verb === 'run' ? words.shift()! : verb;
  if (['install', 'ci', 'pack', 'audit', 'version', 'publish'].includes(script)) return [];
  const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<string, string>;
  if (!(script in scripts)) return ['there is no such script'];
  const areas = script === 'test:system' ? words.filter((word) => word !== '--') : [];
  return areas.filter((area) => !existsSync(join(root, 'test/system', area))).map((area) => `there is no area ${area}`);
}

/** The command that is meant, and whether it has the options. */
function ftpsProblems(words: string[]): string[] {
  let command: Command = ftpsProgram();
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (!next && command.commands.length > 0 && !word.startsWith('-') && word !== '…') return [`${command.name()} has no command ${word}`];
    if (!next) break;
    command = next;
  }
  const flags = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]!);
  return flags.filter((flag) => !command.options.some(({ long }) => long === flag)).map((flag) => `${command.name()} has no ${flag}`);
}
