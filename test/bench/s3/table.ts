/** The figures on S3 as a table: every row for every contender, or why there is none. */
import { cpus } from 'node:os';
import type { S3Row, Target } from './rows';

type Figures = Readonly<Record<string, number>>;

/** What was measured, by row and contender. */
export class S3Results {
  private readonly figures = new Map<string, Figures>();
  private readonly failures = new Map<string, string>();

  add(row: string, contender: string, figures: Figures): void {
    this.figures.set(`${row} ${contender}`, figures);
  }

  fail(row: string, contender: string, why: string): void {
    this.failures.set(`${row} ${contender}`, why);
  }

  value(row: string, contender: string, unit: string): number | undefined {
    return this.figures.get(`${row} ${contender}`)?.[unit];
  }

  why(row: string, contender: string): string | undefined {
    return this.failures.get(`${row} ${contender}`);
  }

  /** The units of a row, as the contenders told them; one without a name where none did. */
  units(row: string, contenders: readonly string[]): string[] {
    const units = [...new Set(contenders.flatMap((name) => Object.keys(this.figures.get(`${row} ${name}`) ?? {})))];
    return units.length > 0 ? units : [''];
  }
}

export const show = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });

/** Ratio or figure, what was asked for, and whether it is reached. */
function judged(target: Target | undefined, value: (name: string) => number | undefined): readonly [string, string, string] {
  const own = value('cdk-ftps');
  if (!target || own === undefined) return ['', '', ''];
  const other = target.to && value(target.to);
  if (target.to && other === undefined) return ['–', '', ''];
  const reached = other === undefined ? own : own / other;
  const times = target.to ? '×' : '';
  const is = (wanted: number) => (target.isLess ? reached <= wanted : reached >= wanted);
  return [
    target.to ? `${show(reached)}× (${target.to})` : '',
    `${target.isLess ? '≤ ' : ''}${target.must}${times} / ${target.aim}${times}`,
    is(target.aim) ? 'aim reached' : is(target.must) ? 'reached' : '**not reached**',
  ];
}

export function table(rows: readonly S3Row[], contenders: readonly string[], results: S3Results, isQuick: boolean): string {
  const notes: string[] = [];
  const noted = (why: string) => {
    if (!notes.includes(why)) notes.push(why);
    return `– ${notes.indexOf(why) + 1})`;
  };
  const cell = ({ id }: S3Row, unit: string, name: string) => {
    const value = results.value(id, name, unit);
    if (value !== undefined) return show(value);
    const why = results.why(id, name);
    return why === undefined ? '' : noted(why.replaceAll('\n', ' '));
  };
  const lines = rows.flatMap((row) =>
    results.units(row.id, contenders).map((unit) => {
      const verdict = judged(row.targets?.[unit], (name) => results.value(row.id, name, unit));
      return [row.title, unit, ...contenders.map((name) => cell(row, unit, name)), ...verdict];
    }),
  );
  const line = (cells: readonly string[]) => `| ${cells.map((one) => one.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    `Measured on ${cpus().length} × ${cpus()[0]?.model.trim()}, Node.js ${process.versions.node}, versitygw 1.8.0 on tmpfs behind the delay of each row, plain HTTP on loopback, rclone serve ftp without TLS; one round${isQuick ? ' of the quick run (files of 256 MiB)' : ', files of 1 GiB'}, all in one run.`,
    '',
    line(['', 'unit', ...contenders, 'ratio', 'must / aim', '']),
    line(['---', '---', ...contenders.map(() => '--:'), '--:', '---', '---']),
    ...lines.map(line),
    ...(notes.length > 0
      ? [
          '',
          notes
            .map((why, index) => `${index + 1}) ${why}`)
            .join('; ')
            .concat('.'),
        ]
      : []),
  ].join('\n');
}
