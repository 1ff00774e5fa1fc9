/** What the constructs provision for the logs, taken out of the synthesized template: filters, table, queries. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AuditLog, SecurityLakeDelivery, ServiceAlarms, ServiceDashboard } from '../../../lib';
import { filterPattern, selected } from '../../lib/logs/filter-pattern';
import { env, type Resources } from '../../lib/support';

/** Everything there is for logs, in one stack. */
function synthesized(props: StackProps): Template {
  const stack = new Stack(new App(), 'Logs', props);
  const auditLog = new AuditLog(stack, 'Logs', { dataEvents: true });
  auditLog.addWebhooks();
  auditLog.addProtocol('AS2');
  const { alarms } = new ServiceAlarms(stack, 'Alarms', { auditLog, emails: ['ops@example.com'], as2Partners: ['Acme'] });
  new ServiceDashboard(stack, 'Dashboard', { auditLog, title: 'ftps.example.com', alarms });
  new SecurityLakeDelivery(stack, 'Lake', { auditLog, lakeBucket: Bucket.fromBucketName(stack, 'LakeBucket', 'aws-security-data-lake-example') });
  return Template.fromStack(stack);
}

export const template = synthesized({ env });
/** The same for any account and region. */
export const agnosticTemplate = synthesized({});

const properties = (type: string) => Object.values(template.findResources(type) as Resources).map(({ Properties }) => Properties as Resources);

/** The values that each metric gets from these lines, by the rules of CloudWatch's metric filters. */
export function metricValues(lines: readonly string[]): Record<string, number[]> {
  const parsed = lines.map((line) => JSON.parse(line));
  const values: Record<string, number[]> = {};
  for (const { FilterPattern, MetricTransformations } of properties('AWS::Logs::MetricFilter')) {
    const [{ MetricName, MetricValue }] = MetricTransformations as [Resources];
    const matches = filterPattern(FilterPattern as string);
    const published = parsed
      .filter(matches)
      .map((line) => (MetricValue === '1' ? 1 : selected(MetricValue, line)))
      .filter((value): value is number => typeof value === 'number');
    // Several filters may publish to one metric.
    const name = MetricName.split('-').at(-1) as string;
    values[name] = [...(values[name] ?? []), ...published];
  }
  return values;
}

export interface Queried {
  readonly lines: number;
  /** What fits no column. */
  readonly misfits: string[];
  readonly rows: number;
  /** Whether what was read back from Parquet is what was written. */
  readonly same: boolean;
  /** Columns that are filled in at least one line. */
  readonly filled: string[];
  readonly results: Record<string, Resources[]>;
}

/** Puts these lines into Parquet by the Glue table and asks the saved queries, with these values for those that are asked. */
export function queried(lines: readonly string[], values: Readonly<Record<string, readonly string[]>>): Queried {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-queries-'));
  try {
    const [table] = properties('AWS::Glue::Table').map(({ TableInput }) => TableInput);
    const [database] = properties('AWS::Glue::Database').map(({ DatabaseInput }) => DatabaseInput);
    const statements = properties('AWS::Athena::PreparedStatement');
    writeFileSync(join(folder, 'table.json'), JSON.stringify({ name: table.Name, database: database.Name, columns: table.StorageDescriptor.Columns }));
    writeFileSync(join(folder, 'lines.jsonl'), lines.map((line) => `${line}\n`).join(''));
    const queries = Object.entries(values).map(([name, given]) => {
      const statement = statements.find(({ StatementName }) => StatementName === name.replaceAll('-', '_'));
      if (!statement) throw new Error(`there is no query "${name}"`);
      return { name, sql: statement['QueryStatement'], values: given };
    });
    writeFileSync(join(folder, 'queries.json'), JSON.stringify(queries));
    return JSON.parse(python(join(__dirname, 'queries.py'), folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a script, or a program of the virtual environment, and gives what it printed; throws with everything it said where it failed. */
export function python(script: string, ...args: string[]): string {
  const bin = join(process.env['CDK_FTPS_VENV'] ?? '', 'bin');
  const [program, rest] = script.endsWith('.py') ? [join(bin, 'python'), [script, ...args]] : [join(bin, script), args];
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (status !== 0) throw new Error(`${script}: ${stdout}${stderr}`);
  return stdout;
}
