/**
 * The columns of the table that queries read, generated from the schema of the server's lines: what the server can write has a
 * column, in Glue's types (AWS Glue developer guide, "Data types"), and nothing is described twice.
 */
import { z } from 'zod';
import { auditLine } from '../../server/audit/schema';

export interface AuditColumn {
  readonly name: string;
  /** Type in Glue and Athena: `bigint`, `array<struct<…>>` … */
  readonly type: string;
  readonly comment?: string;
}

/** One column for each attribute that a class of line has; an attribute that several classes have is one column. */
export function auditColumns(): AuditColumn[] {
  const schema = z.toJSONSchema(auditLine) as JsonSchema;
  const { fields } = typeOf(schema, 'line') as Extract<Type, { kind: 'struct' }>;
  return [...fields].map(([name, type]) => ({ name, type: glueType(type), comment: type.comment }));
}

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
}

type Type = (
  | { readonly kind: 'string' | 'bigint' | 'double' | 'boolean' }
  | { readonly kind: 'array'; readonly of: Type }
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, Type> }
) & { readonly comment?: string };

function typeOf(schema: JsonSchema, path: string): Type {
  const comment = schema.description;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return { ...alternatives.map((one) => typeOf(one, path)).reduce((a, b) => merged(a, b, path)), ...(comment ? { comment } : {}) };
  switch (schema.type) {
    case 'string':
    case 'boolean':
      return { kind: schema.type, comment };
    case 'integer':
      return { kind: 'bigint', comment };
    case 'number':
      return { kind: Number.isInteger(schema.const) ? 'bigint' : 'double', comment };
    case 'array':
      return { kind: 'array', of: typeOf(schema.items ?? {}, `${path}[]`), comment };
    case 'object':
      if (schema.additionalProperties !== false) throw new Error(`${path}: takes any attribute, so that no column can hold it; use z.strictObject`);
      return {
        kind: 'struct',
        fields: new Map(Object.entries(schema.properties ?? {}).map(([name, one]) => [columnName(name, path), typeOf(one, `${path}.${name}`)])),
        comment,
      };
    default:
      throw new Error(`${path}: has no type that a column can have`);
  }
}

function merged(a: Type, b: Type, path: string): Type {
  const comment = a.comment ?? b.comment;
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = new Map(a.fields);
    for (const [name, type] of b.fields) {
      const before = fields.get(name);
      fields.set(name, before ? merged(before, type, `${path}.${name}`) : type);
    }
    return { kind: 'struct', fields, comment };
  }
  if (a.kind === 'array' && b.kind === 'array') return { kind: 'array', of: merged(a.of, b.of, `${path}[]`), comment };
  if (a.kind !== b.kind) throw new Error(`${path}: is ${a.kind} in one class of line and ${b.kind} in another; a column has one type`);
  return { ...a, comment };
}

/** Glue keeps names in lower case, and what is written otherwise would not be found again. */
function columnName(name: string, path: string): string {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) throw new Error(`${path}.${name}: is no name for a column; use lower case, digits and _`);
  return name;
}

function glueType(type: Type): string {
  if (type.kind === 'array') return `array<${glueType(type.of)}>`;
  if (type.kind === 'struct') return `struct<${[...type.fields].map(([name, one]) => `${name}:${glueType(one)}`).join(',')}>`;
  return type.kind;
}
