/** The drawings of the documentation have their colours also where a program knows no style sheets. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '../../docs/pictures');

it.each(readdirSync(folder).filter((name) => name.endsWith('.svg')))('every shape and text of %s has its colours as attributes', (name) => {
  const elements = readFileSync(join(folder, name), 'utf8')
    .replace(/<style>.*<\/style>/s, '')
    .match(/<(rect|path|line|circle|text)\b[^>]*>/g)!;
  expect(elements.length).toBeGreaterThan(10);
  expect(elements.filter((one) => !/ fill="(#[0-9a-f]{3,6}|none)"/i.test(one))).toEqual([]);
  expect(elements.filter((one) => / fill="none"/.test(one) && !/ stroke="#[0-9a-f]{3,6}"/i.test(one))).toEqual([]);
});
