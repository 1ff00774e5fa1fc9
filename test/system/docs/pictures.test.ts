/** The drawings of the documentation, drawn by a program that is no browser: not a black rectangle. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '../../../docs/pictures');

/** How often each colour occurs, as `#rrggbb`, of all pixels. */
function coloursOf(svg: string): Map<string, number> {
  const pnm = execFileSync('pngtopnm', { input: execFileSync('rsvg-convert', ['--background-color', 'black'], { input: svg }), maxBuffer: 2 ** 26 });
  const [header, width, height] = /^P6\n(\d+) (\d+)\n255\n/.exec(pnm.toString('latin1', 0, 40))! as unknown as [string, string, string];
  const counts = new Map<string, number>();
  for (let at = header.length; at < pnm.length; at += 3) {
    const colour = `#${pnm.toString('hex', at, at + 3)}`;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const pixels = Number(width) * Number(height);
  return new Map([...counts].map(([colour, count]) => [colour, count / pixels]));
}

describe.each(readdirSync(folder).filter((name) => name.endsWith('.svg')))('%s', (name) => {
  const svg = readFileSync(join(folder, name), 'utf8');

  it.each([
    ['as it stands', svg],
    ['without its style sheet', svg.replace(/<style>.*<\/style>/s, '')],
  ])('%s: a light page with boxes and dark words on it', (_, drawn) => {
    const colours = coloursOf(drawn);
    const share = (colour: string) => colours.get(colour) ?? 0;
    expect(share('#ffffff') + share('#f5f7fa')).toBeGreaterThan(0.5);
    expect(share('#f5f7fa')).toBeGreaterThan(0.2);
    expect(share('#1d2733')).toBeGreaterThan(0.0005);
    expect(share('#000000')).toBeLessThan(0.001);
  });
});
