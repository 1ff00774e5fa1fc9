/** Schemas are compiled once for all test files: that of OCSF takes longer than most tests that hold lines against it. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CACHE = join(__dirname, '../../../node_modules/.cache/cdk-ftps');

/** Functions that hold a value against these definitions (`$defs`) of a JSON Schema. */
export function compiledOnce<Validate>(file: string, definitions: readonly string[]): Readonly<Record<string, Validate>> {
  const schema = readFileSync(file);
  const { version } = require('ajv/package.json') as { version: string };
  const key = createHash('sha256')
    .update(schema)
    .update([version, ...definitions].join())
    .digest('hex');
  const compiled = join(CACHE, `schema-${key.slice(0, 16)}.cjs`);
  if (!existsSync(compiled)) write(compiled, JSON.parse(schema.toString()), definitions);
  return require(compiled);
}

function write(compiled: string, schema: object, definitions: readonly string[]): void {
  const { default: Ajv2020 } = require('ajv/dist/2020') as typeof import('ajv/dist/2020');
  const { default: standaloneCode } = require('ajv/dist/standalone') as typeof import('ajv/dist/standalone');
  const ajv = new Ajv2020({ allErrors: true, strict: false, code: { source: true } });
  ajv.addSchema(schema, 'schema');
  mkdirSync(CACHE, { recursive: true });
  // Another process may do the same; each puts a whole file into place.
  const begun = `${compiled}.${randomUUID()}`;
  writeFileSync(begun, standaloneCode(ajv, Object.fromEntries(definitions.map((name) => [name, `schema#/$defs/${name}`]))));
  renameSync(begun, compiled);
}
