/** What the drawings share: colours for light and dark, text. What a program draws that knows no style sheets, or no variables in them, has the light colours. */
export const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export interface Text {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly kind?: 'title' | 'head' | 'line' | 'note';
  readonly anchor?: 'start' | 'middle' | 'end';
}

export const text = ({ x, y, text: words, kind = 'line', anchor = 'start' }: Text) =>
  `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;

const COLOURS = {
  page: ['#fff', '#0f151c'],
  ink: ['#1d2733', '#e6ebf1'],
  soft: ['#5b6876', '#9eabb9'],
  box: ['#f5f7fa', '#1a232d'],
  edge: ['#b9c3cf', '#3d4b5a'],
  accent: ['#0b62a8', '#66b3f0'],
  vpc: ['#eef5ee', '#13201a'],
  vpcedge: ['#5d9a63', '#4c8a59'],
  red: ['#b42318', '#ff8a80'],
  green: ['#12703a', '#57c785'],
  yellow: ['#8a5a00', '#f0b849'],
  cyan: ['#0b6a78', '#5cc9d8'],
} as const;

const SANS = 'system-ui,-apple-system,Segoe UI,DejaVu Sans,sans-serif';
const MONOSPACE = 'ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace';

/** Properties by class; colours by their names. */
const CLASSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  title: { 'font-size': '19px', 'font-weight': '600', fill: 'ink' },
  head: { 'font-size': '13.5px', 'font-weight': '600', fill: 'ink' },
  line: { 'font-size': '11.5px', fill: 'soft' },
  note: { 'font-size': '11px', fill: 'accent' },
  printed: { 'font-size': '12px', 'font-family': MONOSPACE, 'white-space': 'pre', fill: 'ink' },
  page: { fill: 'page' },
  box: { fill: 'box', stroke: 'edge' },
  vpc: { fill: 'vpc', stroke: 'vpcedge', 'stroke-dasharray': '5 4' },
  way: { fill: 'none', stroke: 'accent', 'stroke-width': '1.6' },
  axis: { fill: 'none', stroke: 'edge' },
  tip: { fill: 'accent' },
  strong: { 'font-weight': '600' },
  soft: { fill: 'soft' },
  red: { fill: 'red' },
  green: { fill: 'green' },
  yellow: { fill: 'yellow' },
  cyan: { fill: 'cyan' },
};

const colour = (value: string) => COLOURS[value as keyof typeof COLOURS] as readonly [string, string] | undefined;
const variables = (shade: 0 | 1) =>
  `svg{${Object.entries(COLOURS)
    .map(([name, shades]) => `--${name}:${shades[shade]}`)
    .join(';')}}`;
/** Only what differs between light and dark: the rest stands in the attributes. */
const rules = Object.entries(CLASSES).flatMap(([name, properties]) => {
  const coloured = Object.entries(properties).flatMap(([property, value]) => (colour(value) ? [`${property}:var(--${value})`] : []));
  return coloured.length > 0 ? [`.${name}{${coloured.join(';')}}`] : [];
});

/** The properties of its class as attributes of each element. */
const plain = (parts: string) =>
  parts.replaceAll(/ class="(\w+)"/g, (all, name: string) => {
    const properties = CLASSES[name];
    if (!properties) throw new Error(`there is no class ${name} in the drawings`);
    return `${all}${Object.entries(properties)
      .map(([property, value]) => ` ${property}="${colour(value)?.[0] ?? value}"`)
      .join('')}`;
  });

export function drawing(width: number, height: number, label: string, parts: readonly string[]): string {
  const drawn = [
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}" rx="8"/>`,
    ...parts,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}" font-family="${SANS}" font-size="12px">
<style>
${variables(0)}
@media(prefers-color-scheme:dark){${variables(1)}}
${rules.join('')}
</style>
${plain(drawn.join('\n'))}
</svg>
`;
}
