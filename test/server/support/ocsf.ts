/** Holds lines of the audit against the schema that OCSF publishes (test/server/audit/ocsf-1.6.0.schema.json). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';

const schema = JSON.parse(readFileSync(join(__dirname, '../audit/ocsf-1.6.0.schema.json'), 'utf8'));
const ajv = new Ajv2020({ allErrors: true, strict: false });
ajv.addSchema(schema, 'ocsf');

const classes: Readonly<Record<number, string>> = {
  4001: 'network_activity',
  4002: 'http_activity',
  4008: 'ftp_activity',
  3002: 'authentication',
  6002: 'application_lifecycle',
};
const validators = new Map<number, ValidateFunction>();

/** What is wrong with a line by the words of OCSF; empty where nothing is. */
export function ocsfProblems(line: Record<string, unknown>): string[] {
  const uid = line.class_uid as number;
  const name = classes[uid];
  if (name === undefined) return [`class_uid ${uid} is no class that the audit uses`];
  const validate = validators.get(uid) ?? ajv.getSchema(`ocsf#/$defs/${name}`)!;
  validators.set(uid, validate);
  validate(line);
  const problems = (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  if (line.type_uid !== uid * 100 + (line.activity_id as number)) problems.push('type_uid is not class_uid * 100 + activity_id');
  return problems;
}
