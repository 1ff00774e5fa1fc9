/** docs/verified.md: what was deployed and what was stood in for, written by the run that did it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A resource that was not made. */
export interface StoodInFor {
  readonly type: string;
  readonly id: string;
  /** What moto said; null where it does not know the type. */
  readonly refusal: string | null;
}

const FILE = join(__dirname, '../../../docs/verified.md');
const BEGIN = '<!-- written by `UPDATE_DOCS=1 npm run test:system -- deploy` -->';
const END = '<!-- end -->';

/** With UPDATE_DOCS=1 writes the table; otherwise throws where the one in the file has other types, or made and stood in for other ones. How many may differ. */
export function writeOrCompare(resources: ReadonlyMap<string, string>, stoodInFor: readonly StoodInFor[]): void {
  const [before, rest = ''] = readFileSync(FILE, 'utf8').split(BEGIN);
  const [old = '', after = ''] = rest.split(END);
  const table = tableOf(resources, stoodInFor);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
  else expect(withoutCounts(old.trim())).toBe(withoutCounts(table));
}

const withoutCounts = (text: string) => text.replaceAll(/\| \d+ (?=\|)/g, '| some ');

/** A row for each type, of `resources`, which are types by their logical ids. */
function tableOf(resources: ReadonlyMap<string, string>, stoodInFor: readonly StoodInFor[]): string {
  const types = [...new Set(resources.values())].sort();
  const rows = types.map((type) => {
    const missing = stoodInFor.filter((one) => one.type === type);
    const made = [...resources.values()].filter((one) => one === type).length - missing.length;
    const refusals = missing.flatMap(({ refusal }) => refusal ?? []);
    const why = refusals.length > 0 ? [...new Set(refusals.map(inWords))].join('; ') : missing.length > 0 ? 'not known to moto’s CloudFormation' : '';
    return `| ${type} | ${made || ''} | ${missing.length || ''} | ${why} |`;
  });
  return ['| resource type | made | stood in for | why |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The last line that a refusal has to say, without what differs between runs. */
function inWords(refusal: string): string {
  const message = /"errorMessage":"([^"]+)"/.exec(refusal)?.[1] ?? refusal.split('\n')[0]!;
  return `refused: ${message.replaceAll('|', '\\|')}`;
}
