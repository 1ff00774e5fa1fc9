/** docs/pictures/dashboard.svg: the page of CloudWatch as its body lays it out. Titles and metrics, no figures: there are none before a service runs. */
import { wrap } from '../../bin/terminal/wrap';
import type { Environment } from './resources';
import { drawing, text } from './svg';

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  // biome-ignore lint/suspicious/noExplicitAny: properties differ by type
  readonly properties: any;
}

const [CELL, ROW, TOP] = [44, 26, 70];

export function dashboard({ resources }: Environment, name: string): string {
  const body = [...resources.values()].find(({ Type }) => Type === 'AWS::CloudWatch::Dashboard')!.Properties.DashboardBody;
  const parts: unknown[] = typeof body === 'string' ? [body] : body['Fn::Join'][1];
  const { widgets } = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : referenceIn(part))).join('')) as { widgets: Widget[] };
  const rows = Math.max(...widgets.map(({ y, height }) => y + height));
  return drawing(24 * CELL + 20, TOP + rows * ROW + 12, `The dashboard of ${name}`, [
    text({ x: 14, y: 32, text: `The dashboard of ${name}`, kind: 'title' }),
    text({
      x: 14,
      y: 52,
      text: 'Its layout, drawn from the template, with what each graph and table will show. It is empty, because figures come from a running service.',
    }),
    ...widgets.map(drawn),
  ]);
}

/** A name for what is known only when deployed: the logical id without its hash. */
function referenceIn(part: unknown): string {
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::GetStackOutput': output } = part as Record<string, { OutputName: string } | string | string[] | undefined>;
  const elsewhere = (output as { OutputName: string } | undefined)?.OutputName.replace(/^.*Output(Ref|FnGetAtt)/, '');
  const id = ref ?? (Array.isArray(attribute) ? attribute[0] : undefined) ?? elsewhere;
  return String(id).replace(/[0-9A-F]{8}([0-9A-F]{8}|Arn[0-9A-F]{8})?$/, '');
}

const KINDS: Readonly<Record<string, string>> = { timeSeries: 'graph', singleValue: 'figures', bar: 'bars', alarm: 'a light each' };

function drawn({ type, x, y, width, height, properties }: Widget): string {
  const [left, top, right, bottom] = [10 + x * CELL, TOP + y * ROW, 10 + (x + width) * CELL, TOP + (y + height) * ROW];
  const columns = type === 'alarm' ? 5 : 1;
  const limit = Math.floor(((right - left - 40) / columns - 8) / 6.1);
  const graph = properties.view === 'timeSeries';
  const start = top + (graph ? 60 : 44);
  const place = (index: number) => ({ x: left + 14 + (index % columns) * ((right - left) / columns), y: start + Math.floor(index / columns) * 17 });
  const lines = linesOf(type, properties).flatMap(({ text: words, colour }) =>
    wrap(words, 0, limit)
      .split('\n')
      .map((row, index) => ({ words: row, colour: index === 0 ? colour : undefined })),
  );
  const words = lines.map(({ words: row, colour }, index) => {
    const at = place(index);
    if (at.y > bottom - 8) throw new Error(`the widget "${properties.title}" is drawn too small for what it shows`);
    if (!graph) return text({ ...at, text: row });
    const swatch = colour ? `<rect x="${at.x + 10}" y="${at.y - 9}" width="10" height="10" rx="2" fill="${colour}"/>` : '';
    return `${swatch}${text({ x: at.x + 27, y: at.y, text: row })}`;
  });
  const [heading, kind] =
    type === 'text'
      ? [String(properties.markdown).split('\n')[0]!.replace(/^#+ /, ''), '']
      : [properties.title, KINDS[properties.view ?? type] ?? properties.view];
  return [
    `<rect class="box" x="${left + 3}" y="${top + 3}" width="${right - left - 6}" height="${bottom - top - 6}" rx="5"/>`,
    text({ x: left + 14, y: top + 23, text: heading, kind: 'head' }),
    text({ x: right - 14, y: bottom - 11, text: kind, kind: 'note', anchor: 'end' }),
    ...(graph ? axes(left + 14, top + 42, right - 14, bottom - 28, properties.yAxis) : []),
    ...words,
  ].join('');
}

/** An empty graph: what its axes count. */
function axes(
  left: number,
  top: number,
  right: number,
  bottom: number,
  { left: one, right: other }: Readonly<Record<string, { readonly label: string } | undefined>>,
): string[] {
  return [
    `<path class="axis" d="M${left} ${top + 5}V${bottom}H${right}${other ? `V${top + 5}` : ''}"/>`,
    text({ x: left, y: top, text: one!.label, kind: 'note' }),
    ...(other ? [text({ x: right, y: top, text: other.label, kind: 'note', anchor: 'end' })] : []),
  ];
}

interface Line {
  readonly text: string;
  readonly colour?: string;
}

/** What the widget will show, a line each. */
function linesOf(type: string, { markdown, alarms, metrics, query, annotations, yAxis }: Widget['properties']): Line[] {
  if (type === 'text') return rows(String(markdown)).slice(1);
  if (type === 'alarm')
    return alarms.map((id: string) => ({ text: inWords(id.replace(/^Service(Alarms|CertificateRotated(?=Rotation)|Certificate(?=Rotated))?/, '')) }));
  if (type === 'log')
    return rows(String(query))
      .slice(1)
      .map(({ text: line }) => ({ text: line.replace(/^\| /, '') }));
  const visible = (metrics as unknown[][]).filter((metric) => (metric.at(-1) as { visible?: boolean }).visible !== false);
  const series = visible.map((metric) => {
    const { label, stat, expression, color } = metric.at(-1) as Record<string, string>;
    const named = metric
      .filter((part) => typeof part === 'string')
      .at(-1)
      ?.replace(/^.*-/, '');
    return { text: [label ?? named, expression ?? [stat, named].filter(Boolean).join(' of ')].filter(Boolean).join(': '), colour: color };
  });
  const marks = (annotations?.horizontal ?? []).map(({ label, value }: { label?: string; value: number }) => ({ text: `mark at ${label ?? value}` }));
  const scale = yAxis?.left?.max === undefined ? [] : [{ text: `from ${yAxis.left.min} to ${yAxis.left.max}` }];
  return [...series, ...scale, ...marks];
}

/** `CertificateDaysLeft30` → `Certificate days left 30`, `RotationFailedstore` → `Rotation failed: store` */
const inWords = (id: string) =>
  id
    .replace(/Failed(?=[a-z])/, 'Failed: ')
    .replaceAll(/(?<=[a-z])(?=[A-Z\d])/g, ' ')
    .replaceAll(/ [A-Z]/g, (letter) => letter.toLowerCase());

const rows = (words: string): Line[] => words.split('\n').map((line) => ({ text: line }));
