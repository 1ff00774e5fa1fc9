/** docs/clients.md: the table of what the clients did, written by the run that did it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, Mode, Version } from './programs/client';

export interface Outcome {
  readonly client: Client;
  readonly mode: Mode;
  readonly version: Version;
  /** By what data connections were tied to their control connection. */
  readonly bindings: ReadonlySet<string>;
}

const FILE = join(__dirname, '../../../docs/clients.md');
const BEGIN = '<!-- written by `UPDATE_DOCS=1 npm run test:system -- clients` -->';
const END = '<!-- end -->';

/** With UPDATE_DOCS=1 writes the table; otherwise throws where the one in the file has other clients, modes or versions. */
export async function writeOrCompare(clients: readonly Client[], outcomes: readonly Outcome[]): Promise<void> {
  const text = readFileSync(FILE, 'utf8');
  const [before, rest = ''] = text.split(BEGIN);
  const [old = '', after = ''] = rest.split(END);
  const table = await tableOf(clients, outcomes);
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
  else expect(whoWorks(table)).toEqual(whoWorks(old.trim()));
}

async function tableOf(clients: readonly Client[], outcomes: readonly Outcome[]): Promise<string> {
  const columns = [
    ['explicit', '1.2'],
    ['explicit', '1.3'],
    ['implicit', '1.2'],
    ['implicit', '1.3'],
  ] as const;
  const rows = await Promise.all(
    clients.map(async (client) => {
      const cells = columns.map(([mode, version]) => {
        const outcome = outcomes.find((one) => one.client === client && one.mode === mode && one.version === version);
        return outcome ? tied(outcome) : '-';
      });
      return `| ${[client.name, await client.version(), ...cells, client.remark].join(' | ')} |`;
    }),
  );
  const head = ['client', 'version', ...columns.map(([mode, version]) => `${mode}, TLS ${version}`), 'remarks'];
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows.sort((one, other) => one.localeCompare(other, 'en'))].join('\n');
}

/** Strongest first. */
const words = [
  ['resumed', 'session'],
  ['same-account', 'account'],
  ['address', 'address'],
] as const;

function tied({ bindings }: Outcome): string {
  return words.flatMap(([binding, word]) => (bindings.has(binding) ? [word] : [])).join(', else ');
}

/** What must not change unnoticed: which clients work in which mode and version. Which sessions are at hand is up to their timing. */
function whoWorks(table: string): string[] {
  return table.split('\n').map((row) => {
    const [, name = '', , ...cells] = row.split('|').map((cell) => cell.trim());
    return [name, ...cells.slice(0, 4).map((cell) => (cell === '-' ? 'never' : 'works'))].join('|');
  });
}
