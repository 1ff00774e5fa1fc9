/** docs/pictures/dashboard.svg: the page of CloudWatch as its body lays it out. Titles and metrics, no figures: there are none before a service runs. */
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
      text: 'Its layout, drawn from the template: where a graph will be stand the lines it will have. No figures, for these come from a running service.',
    }),
    ...widgets.map(drawn),
  ]);
}

/** A name for what is known only when deployed. */
function referenceIn(part: unknown): string {
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::ImportValue': imported } = part as Record<string, unknown>;
  return String(ref ?? (Array.isArray(attribute) ? attribute[0] : undefined) ?? String(imported).replace(/^.*ExportsOutputRef/, '')).replace(
    /[0-9A-F]{8,}$/,
    '',
  );
}

function drawn({ type, x, y, width, height, properties }: Widget): string {
  const [left, top] = [10 + x * CELL, TOP + y * ROW];
  const lines = linesOf(type, properties);
  const room = Math.max(1, Math.floor((height * ROW - 44) / 17));
  const columns = type === 'alarm' ? 5 : 1;
  const shown = lines.slice(0, room * columns);
  const rest = lines.length - shown.length;
  const limit = Math.floor((width * CELL - 28) / columns / 5.9) - (columns > 1 ? 2 : 0);
  const words = shown.map((line, index) =>
    text({
      x: left + 14 + (index % columns) * ((width * CELL) / columns),
      y: top + 44 + Math.floor(index / columns) * 17,
      text: line.length > limit ? `${line.slice(0, limit - 1)}…` : line,
    }),
  );
  const [heading, kind] = type === 'text' ? [String(properties.markdown).split('\n')[0]!.replace(/^#+ /, ''), ''] : [properties.title, properties.view ?? type];
  return [
    `<rect class="box" x="${left + 3}" y="${top + 3}" width="${width * CELL - 6}" height="${height * ROW - 6}" rx="5"/>`,
    text({ x: left + 14, y: top + 23, text: heading, kind: 'head' }),
    text({ x: left + width * CELL - 14, y: top + 23, text: rest > 0 ? `${kind}, ${rest} more` : kind, kind: 'note', anchor: 'end' }),
    ...words,
  ].join('');
}

/** What the widget will show, a line each. */
function linesOf(type: string, { markdown, alarms, metrics, query, annotations }: Widget['properties']): string[] {
  if (type === 'text') return String(markdown).split('\n').slice(1);
  if (type === 'alarm') return alarms.map((id: string) => id.replace(/^Service(Alarms|Certificate(?=Rotated))?/, '').replace(/[0-9A-F]{8}$/, ''));
  if (type === 'log')
    return String(query)
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/^\| /, ''));
  const visible = (metrics as unknown[][]).filter((metric) => (metric.at(-1) as { visible?: boolean }).visible !== false);
  const series = visible.map((metric) => {
    const { label, stat, expression } = metric.at(-1) as Record<string, string>;
    const named = metric.filter((part) => typeof part === 'string').at(-1) as string | undefined;
    return [label ?? named, expression ?? [stat, named].filter(Boolean).join(' of ')].filter(Boolean).join(': ');
  });
  return [...series, ...(annotations?.horizontal ?? []).map(({ label, value }: { label?: string; value: number }) => `line at ${label ?? value}`)];
}
