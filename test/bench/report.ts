/** The figures as a table and a chart. In the documentation only what stands between the markers is replaced. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Figure } from './figures';

/** What was measured: figure → server → one value a round; a text says why there is none. */
export class Results {
  private readonly values = new Map<string, Map<string, number[]>>();
  private readonly failures = new Map<string, string>();

  add(figure: string, server: string, value: number): void {
    const byServer = this.values.get(figure) ?? new Map<string, number[]>();
    this.values.set(figure, byServer);
    byServer.set(server, [...(byServer.get(server) ?? []), value]);
  }

  fail(figure: string, server: string, why: string): void {
    this.failures.set(`${figure} ${server}`, why);
  }

  failure(figure: string, server: string): string | undefined {
    return this.failures.get(`${figure} ${server}`);
  }

  median(figure: string, server: string): number | undefined {
    const sorted = [...(this.values.get(figure)?.get(server) ?? [])].sort((a, b) => a - b);
    if (sorted.length === 0) return undefined;
    const middle = Math.floor(sorted.length / 2);
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
  }
}

export interface Column {
  readonly name: string;
  readonly version: string;
  /** `ours` is this server on its defaults, `equal` with everything as the peers have it. */
  readonly role: 'ours' | 'equal' | 'variant' | 'peer';
}

export interface Report {
  readonly figures: readonly Figure[];
  readonly columns: readonly Column[];
  readonly results: Results;
  /** Sentences about the machine and the conditions. */
  readonly conditions: readonly string[];
}

interface Comparison {
  readonly own: number | undefined;
  readonly best: { readonly name: string; readonly value: number } | undefined;
  /** Own to best; above 1 is more of the unit. */
  readonly ratio: number | undefined;
  readonly reached: 'aim' | 'must' | 'no' | undefined;
}

export function compare({ columns, results }: Report, figure: Figure, which: 'ours' | 'equal' = figure.own ?? 'ours'): Comparison {
  const id = figure.of ?? figure.id;
  const ownName = columns.find(({ role }) => role === which)?.name;
  const own = ownName === undefined ? undefined : results.median(id, ownName);
  let best: Comparison['best'];
  for (const { name, role } of columns) {
    if (figure.peer !== undefined && figure.peer !== name) continue;
    const value = role === (figure.against ?? 'peer') ? results.median(id, name) : undefined;
    if (value === undefined) continue;
    if (!best || (figure.better === 'more' ? value > best.value : value < best.value)) best = { name, value };
  }
  const ratio = own === undefined || !best ? undefined : own / best.value;
  const reaches = (target: Figure['must']) => {
    if (!target || own === undefined) return undefined;
    const [value, wanted] = target.value === undefined ? [ratio, target.ratio] : [own, target.value];
    if (value === undefined || wanted === undefined) return undefined;
    return figure.better === 'more' ? value >= wanted : value <= wanted;
  };
  const must = reaches(figure.must);
  // An aim in a unit of its own may be met where the best server is not.
  if (must === false) return { own, best, ratio, reached: 'no' };
  return { own, best, ratio, reached: reaches(figure.aim) ? 'aim' : must && 'must' };
}

const show = (value: number | undefined, digits: number) =>
  value === undefined ? '–' : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });

function target(figure: Figure): string {
  const one = (wanted: Figure['must']) =>
    wanted?.value !== undefined
      ? `${figure.better === 'more' ? '≥' : '≤'} ${show(wanted.value, figure.digits)}`
      : wanted?.ratio !== undefined
        ? `${show(wanted.ratio, 1)}×`
        : '–';
  return figure.must ? `${one(figure.must)} / ${one(figure.aim)}${figure.own ? `, of ${figure.own}` : ''}` : '–';
}

const words = { aim: 'aim reached', must: 'reached', no: '**not reached**' } as const;

export function table(report: Report): string {
  const { columns, figures, results } = report;
  const hasEqual = columns.some(({ role }) => role === 'equal');
  const header = ['Figure', 'unit', ...columns.map(({ name }) => name), 'ratio to the best peer', ...(hasEqual ? ['equal'] : []), 'must / aim', ''];
  const rows = figures.map((figure) => {
    const { reached } = compare(report, figure);
    const { ratio, best } = compare(report, figure, 'ours');
    const equal = figure.against ? undefined : compare(report, figure, 'equal').ratio;
    return [
      figure.title,
      figure.unit,
      ...columns.map(({ name, role }) =>
        figure.against && role !== 'ours' && role !== figure.against
          ? ''
          : show(results.median(figure.of ?? figure.id, name), figure.digits) + (results.failure(figure.id, name) ? ' ¹' : ''),
      ),
      ratio === undefined ? '–' : `${show(ratio, 2)}× (${best!.name})`,
      ...(hasEqual ? [equal === undefined ? '–' : `${show(equal, 2)}×`] : []),
      target(figure),
      reached ? words[reached] : '',
    ];
  });
  const notes = figures.flatMap((figure) =>
    columns.flatMap(({ name }) => {
      const why = results.failure(figure.id, name);
      return why ? [`${name}, ${figure.title}: ${why.replaceAll('\n', ' ')}`] : [];
    }),
  );
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    ...report.conditions,
    '',
    row(header),
    row(header.map((_, index) => (index < 2 ? '---' : '--:'))),
    ...rows.map(row),
    ...(notes.length > 0 ? ['', `¹ ${[...new Set(notes)].join('; ')}.`] : []),
  ].join('\n');
}

/** Bars of the ratio to the best peer, on a logarithmic scale; longer is better for every figure. */
export function chart(report: Report): string {
  const bars = report.figures.flatMap((figure) => {
    const { ratio, best } = compare(report, figure);
    if (ratio === undefined || ratio <= 0 || !figure.must) return [];
    return [{ title: figure.title, best: best!.name, factor: figure.better === 'more' ? ratio : 1 / ratio }];
  });
  const [left, right, rowHeight] = [330, 720, 26];
  const most = Math.max(10, ...bars.map(({ factor }) => factor)) * 1.2;
  const least = Math.min(0.5, ...bars.map(({ factor }) => factor)) * 0.9;
  const x = (factor: number) => left + ((Math.log(factor) - Math.log(least)) / (Math.log(most) - Math.log(least))) * (right - left);
  const height = bars.length * rowHeight + 60;
  const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter((tick) => tick > least && tick < most);
  const text = (at: number, y: number, words: string, anchor: string, extra = '') =>
    `<text x="${at.toFixed(1)}" y="${y}" text-anchor="${anchor}"${extra}>${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 ${height}" font-family="sans-serif" font-size="13" role="img" aria-label="Times better than the best peer">
<rect width="900" height="${height}" fill="#fff"/>
${text(10, 20, 'Times better than the best other server (longer is better)', 'start', ' font-weight="bold"')}
${ticks.map((tick) => `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="32" y2="${height - 24}" stroke="${tick === 1 ? '#333' : '#ddd'}"/>${text(x(tick), height - 8, `${tick}×`, 'middle', ' fill="#555"')}`).join('\n')}
${bars
  .map(({ title, best, factor }, index) => {
    const y = 36 + index * rowHeight;
    const [from, to] = [x(Math.min(1, factor)), x(Math.max(1, factor))];
    return `${text(left - 100, y + 15, title, 'end')}<rect x="${from.toFixed(1)}" y="${y + 2}" width="${(to - from).toFixed(1)}" height="${rowHeight - 8}" fill="${factor >= 1 ? '#1a7f5a' : '#b5452c'}"/>${text(Math.max(to, x(1)) + 6, y + 15, `${factor.toFixed(factor < 10 ? 2 : 0)}× ${best}`, 'start')}`;
  })
  .join('\n')}
</svg>
`;
}

/** The markers of each table. */
const MARKERS = {
  all: ['<!-- figures: written by `npm run bench`, everything up to the end marker is replaced -->', '<!-- end of figures -->'],
  ssh: ['<!-- figures of SSH: written by `npm run bench -- ssh`, everything up to the end marker is replaced -->', '<!-- end of figures of SSH -->'],
  https: ['<!-- figures of HTTPS: written by `npm run bench -- https`, everything up to the end marker is replaced -->', '<!-- end of figures of HTTPS -->'],
  s3: ['<!-- figures on S3: written by `npm run bench:s3 -- --write`, everything up to the end marker is replaced -->', '<!-- end of figures on S3 -->'],
} as const;

/** Puts the table between the markers of a page, and leaves the rest of the page alone. */
export function replaceFigures(file: string, content: string, which: keyof typeof MARKERS = 'all'): void {
  const [first, last] = MARKERS[which];
  const page = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const [begin, end] = [page.indexOf(first), page.indexOf(last)];
  if (begin === -1 || end === -1) throw new Error(`${file}: the markers between which the figures stand are missing`);
  writeFileSync(file, `${page.slice(0, begin)}${first}\n\n${content}\n\n${page.slice(end)}`);
}
