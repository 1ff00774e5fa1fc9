/** Holds lines of the audit against the schema that OCSF publishes (test/server/audit/ocsf-1.6.0.schema.json). */
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { compiledOnce } from './compiled-schema';

const classes: Readonly<Record<number, string>> = {
  4001: 'network_activity',
  4002: 'http_activity',
  4007: 'ssh_activity',
  4008: 'ftp_activity',
  3002: 'authentication',
  6002: 'application_lifecycle',
};
const validators = compiledOnce<ValidateFunction>(join(__dirname, '../audit/ocsf-1.6.0.schema.json'), Object.values(classes));

/** What is wrong with a line by the words of OCSF; empty where nothing is. */
export function ocsfProblems(line: Record<string, unknown>): string[] {
  const uid = line.class_uid as number;
  const name = classes[uid];
  if (name === undefined) return [`class_uid ${uid} is no class that the audit uses`];
  const validate = validators[name]!;
  validate(line);
  const problems = (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  if (line.type_uid !== uid * 100 + (line.activity_id as number)) problems.push('type_uid is not class_uid * 100 + activity_id');
  return problems;
}
