import { auditColumns } from '../../../lib/logs/audit-columns';
import { auditMetrics } from '../../../lib/logs/audit-metrics';
import { type Resources, serviceTemplate } from '../support';

/** Every attribute that a line can have, `actor.user.name` for example, those of structs within arrays included. */
function attributes(): Set<string> {
  const found = new Set<string>();
  const walk = (name: string, type: string) => {
    found.add(name);
    if (type.startsWith('array<')) walk(name, type.slice('array<'.length, -1));
    for (const field of type.startsWith('struct<') ? split(type.slice('struct<'.length, -1)) : []) {
      const colon = field.indexOf(':');
      walk(`${name}.${field.slice(0, colon)}`, field.slice(colon + 1));
    }
  };
  for (const { name, type } of auditColumns()) walk(name, type);
  return found;
}

/** At the outermost commas. */
function split(fields: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of fields) {
    depth += Number(character === '<') - Number(character === '>');
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

describe('an attribute that nobody writes is not asked for', () => {
  const known = attributes();
  const template = serviceTemplate({ server: { sftp: {}, https: {} } });

  it('by a metric', () => {
    const asked = Object.values(auditMetrics).flatMap((metric) => `${metric.pattern} ${'value' in metric ? metric.value : ''}`.match(/(?<=\$\.)[\w.]+/g)!);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
    expect(asked.length).toBeGreaterThan(20);
  });

  it('by the dashboard', () => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard') as Resources);
    const body = JSON.stringify(dashboard.Properties.DashboardBody);
    const asked = ['unmapped', 'traffic', 'actor', 'src_endpoint', 'user'].flatMap((head) => body.match(new RegExp(`(?<![\\w.])${head}\\.[\\w.]+`, 'g')) ?? []);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
    expect(asked.length).toBeGreaterThan(8);
  });
});
