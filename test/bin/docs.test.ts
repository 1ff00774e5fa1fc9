import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsReference } from '../../tools/docs';
import { deadLinks, fences, pages } from '../../tools/markdown';
import { constructReference } from '../../tools/reference';

const page = (name: string) => readFileSync(join(__dirname, '../../docs', name), 'utf8');

// `npm run docs` writes them anew; docs/compliance.md is compared in compliance.test.ts.
it('the reference of settings is that of the schema', () => expect(page('settings.md')).toBe(settingsReference()));

it('the reference of constructs is that of their docstrings', () => expect(page('reference.md')).toBe(constructReference()));

it('every public construct says what it is, and every property what it means', () => {
  const silent = constructReference()
    .split('\n')
    .filter((line) => /^\| `\w+` \| .* \| {2}\|$/.test(line));
  expect(silent).toEqual([]);
});

it('no link leads nowhere, and every page can be found from docs/README.md', () => {
  expect(pages().flatMap(deadLinks)).toEqual([]);
  const index = page('README.md');
  const guides = pages().filter((name) => /^docs\/[^/]+\.md$/.test(name) && name !== 'docs/README.md');
  expect(guides.filter((name) => !index.includes(`(${name.slice('docs/'.length)})`))).toEqual([]);
});

it('every command in the documentation is in a fence that says whether it can be run here', () => {
  const all = pages().flatMap(fences);
  expect(all.filter(({ language }) => language === '').map(({ page: name, line }) => `${name}:${line} has no language`)).toEqual([]);
  const marks = new Set(all.filter(({ language }) => language === 'sh').map(({ mark }) => mark));
  expect([...marks].sort()).toEqual(['', 'aws', 'ci', 'served', 'server'].filter((mark) => marks.has(mark)));
});
