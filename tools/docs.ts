/** Writes docs/settings.md from the schema of the server's configuration, docs/upload-released.schema.json from that of the event, the tables of docs/environments.md, docs/compliance.md from the templates, docs/reference.md from docstrings, and the pictures of prod. usage: npm run docs */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { complianceGuide, environmentsApp, pipelineApp } from '../bin/compliance/guide';
import { variantsApp } from '../bin/compliance/variants';
import { comparison, costsGuide, costsTable, withCosts } from '../bin/costs/guide';
import { summarize } from '../bin/summary';
import { serverConfigSchema } from '../server/config';
import { releasedUpload } from '../server/files/release/event';
import { architecture } from './pictures/architecture';
import { dashboard } from './pictures/dashboard';
import { environmentOf } from './pictures/resources';
import { redrawn } from './pictures/terminal';
import { constructReference, propNames, settingsOf } from './reference';

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Of the event of an upload, for consumers: docs/upload-released.schema.json. Keys that it does not name may be there. */
export function eventSchema(): object {
  return { title: 'FTPS Upload Released', ...z.toJSONSchema(releasedUpload, { io: 'input', target: 'draft-2020-12' }) };
}

/** One row a key; what has keys of its own is followed by them. */
export function settingsReference(): string {
  const schema = z.toJSONSchema(serverConfigSchema, { io: 'input', unrepresentable: 'any', target: 'draft-2020-12', reused: 'inline' }) as JsonSchema;
  const sections = Object.entries(schema.properties ?? {}).map(([key, value]) => section(key, value, schema.required?.includes(key) ?? false));
  return `# Settings of the server

The configuration file is one JSON object. A key that is not here, or a value that is not allowed, is refused with everything that is wrong (\`ftps config check FILE\`).
This page is written from the schema (\`npm run docs\`); \`ftps config schema\` prints the same as JSON Schema, for editors.

${sections.join('\n\n')}
`;
}

/** lib/prop-names.ts; `npm run format` lays it out. */
function propNamesModule(): string {
  return `/** What the public interfaces know; written by \`npm run docs\`. */\nexport const PROP_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = ${JSON.stringify(propNames(), null, 2)};\n`;
}

function section(key: string, schema: JsonSchema, required: boolean): string {
  const rows = rowsOf(key, schema, required);
  return `## ${key}\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
}

function rowsOf(key: string, schema: JsonSchema, required: boolean): string[] {
  const own = `| \`${key}\` | ${cell(kindOf(schema))} | ${required ? 'required' : defaultOf(schema)} | ${cell(schema.description ?? '')} |`;
  const inner = schema.items
    ? alternativesOf(schema.items).flatMap((one) => propertyRows(`${key}[]`, one))
    : alternativesOf(schema).flatMap((one) => propertyRows(key, one));
  return [own, ...inner];
}

function propertyRows(prefix: string, schema: JsonSchema): string[] {
  const kind = schema.properties?.['kind']?.const;
  const name = kind === undefined ? prefix : `${prefix}(${String(kind)})`;
  return Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== 'kind')
    .flatMap(([key, value]) => rowsOf(`${name}.${key}`, value, schema.required?.includes(key) ?? false));
}

const alternativesOf = (schema: JsonSchema) => schema.oneOf ?? schema.anyOf ?? [schema];

function kindOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.oneOf?.every(({ properties }) => properties?.['kind']))
    return `one of kind ${schema.oneOf.map(({ properties }) => `\`${String(properties!['kind']!.const)}\``).join(', ')}`;
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kindOf))].join(' or ');
  if (schema.items) return `list of ${kindOf(schema.items)}`;
  return schema.properties ? 'object' : String(schema.type ?? 'text');
}

const defaultOf = ({ default: value }: JsonSchema) => (value === undefined || JSON.stringify(value) === '{}' ? '' : `\`${JSON.stringify(value)}\``);
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A page with a table between the marks of its name. */
function withSettings(page: string, name: string): string {
  const mark = new RegExp(`(<!-- settings of ${name}: .*-->\\n)[\\s\\S]*?(\\n<!-- end of ${name} -->)`);
  if (!mark.test(page)) throw new Error(`there are no marks for the settings of ${name}`);
  return page.replace(mark, (_, before, after) => `${before}\n${settingsOf(name)}\n${after}`);
}

function change(name: string, how: (text: string) => string): void {
  const file = join(__dirname, '..', name);
  writeFileSync(file, how(readFileSync(file, 'utf8')));
}

if (require.main === module) {
  writeFileSync(join(__dirname, '../docs/settings.md'), settingsReference());
  writeFileSync(join(__dirname, '../docs/upload-released.schema.json'), `${JSON.stringify(eventSchema(), undefined, 2)}\n`);
  writeFileSync(join(__dirname, '../docs/reference.md'), constructReference());
  for (const name of ['FtpsEnvironmentSettings', 'FtpsServiceProps', 'FtpsServerSettings']) change('docs/environments.md', (page) => withSettings(page, name));
  writeFileSync(join(__dirname, '../lib/prop-names.ts'), propNamesModule());
  const { context } = JSON.parse(readFileSync(join(__dirname, '../cdk.json'), 'utf8'));
  const environments = environmentsApp({ context });
  // Before the pictures: with them the app is synthesized, after which references between its stacks read as the names of exports.
  writeFileSync(join(__dirname, '../docs/compliance.md'), complianceGuide(environments, variantsApp({ context }), pipelineApp({ context })));
  writeFileSync(join(__dirname, '../docs/costs.md'), costsGuide(environments));
  change('README.md', (page) => withCosts(page, costsTable(environments)));
  change('docs/moving-from-transfer-family.md', (page) => withCosts(page, comparison(environments)));
  const prod = environmentOf(environments, 'prod');
  // What `npm start` says of each environment; the rest of its picture is drawn by the system tests.
  for (const name of ['prod', 'staging'])
    change('docs/pictures/terminal-start.svg', (picture) =>
      redrawn(picture, name, summarize({ Resources: Object.fromEntries(environmentOf(environments, name).resources) })),
    );
  writeFileSync(join(__dirname, '../docs/pictures/architecture.svg'), architecture(prod, 'prod'));
  writeFileSync(join(__dirname, '../docs/pictures/dashboard.svg'), dashboard(prod, 'prod'));
}
