/**
 * Writes test/server/audit/ocsf-1.6.0.schema.json: the classes that the audit uses, as JSON Schema, out of the schema that OCSF publishes.
 * usage: git clone --branch 1.6.0 https://github.com/ocsf/ocsf-schema && npx tsx tools/ocsf.ts ocsf-schema
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of the classes, and the profiles by which a line may add attributes (named in metadata.profiles). */
const CLASSES = [
  'network/network_activity',
  'network/http_activity',
  'network/ftp_activity',
  'network/ssh_activity',
  'iam/authentication',
  'application/application_lifecycle',
];
const PROFILES = ['host'];
/** Objects that the audit fills in. An attribute of any other object is refused, so that nothing is written unchecked. */
const OBJECTS = [
  'metadata',
  'product',
  'network_endpoint',
  'network_connection_info',
  'network_traffic',
  'http_request',
  'http_response',
  'url',
  'tls',
  'certificate',
  'fingerprint',
  'file',
  'user',
  'session',
  'actor',
];

type Json = Record<string, unknown>;
interface Attribute {
  readonly requirement?: 'required' | 'recommended' | 'optional';
  readonly enum?: Record<string, { readonly caption: string }>;
}
interface Definition {
  readonly uid?: number;
  readonly name: string;
  readonly category?: string;
  readonly extends?: string;
  readonly attributes: Record<string, Attribute | string[]>;
  readonly constraints?: Record<string, string[]>;
}
interface DictionaryEntry extends Attribute {
  readonly type: string;
  readonly is_array?: boolean;
  readonly sibling?: string;
}
interface Type {
  readonly type?: string;
  readonly regex?: string;
  readonly range?: [number, number];
  readonly max_len?: number;
}

const [checkout] = process.argv.slice(2);
if (checkout === undefined) throw new Error('usage: npx tsx tools/ocsf.ts CHECKOUT');
const read = (path: string) => JSON.parse(readFileSync(join(checkout, path), 'utf8'));

const { version } = read('version.json') as { version: string };
const dictionary = read('dictionary.json') as { attributes: Record<string, DictionaryEntry>; types: { attributes: Record<string, Type> } };
const categories = read('categories.json').attributes as Record<string, { uid: number }>;

/** A definition with everything that it inherits. */
function resolved(path: string, parentOf: (name: string) => string): Definition {
  const own = read(path) as Definition;
  const parent = own.extends === undefined ? undefined : resolved(parentOf(own.extends), parentOf);
  const attributes: Record<string, Attribute> = {};
  for (const source of [parent?.attributes ?? {}, own.attributes])
    for (const [name, attribute] of Object.entries(source)) {
      // `$include` brings in profiles, which are optional; those in use are added by name.
      if (name.startsWith('$')) continue;
      const before = attributes[name];
      const next = attribute as Attribute;
      attributes[name] = { ...before, ...next, enum: next.enum || before?.enum ? { ...before?.enum, ...next.enum } : undefined };
    }
  return { ...parent, ...own, category: own.category ?? parent?.category, constraints: own.constraints ?? parent?.constraints, attributes };
}

const classParents: Record<string, string> = {
  base_event: 'events/base_event.json',
  network: 'events/network/network.json',
  iam: 'events/iam/iam.json',
  application: 'events/application/application.json',
};

function typeSchema({ type, is_array }: DictionaryEntry): Json | false {
  const one = scalar(type);
  return one && is_array ? { type: 'array', items: one } : one;
}

function scalar(type: string): Json | false {
  if (type === 'object' || type === 'json_t') return { type: 'object' };
  const known = dictionary.types.attributes[type];
  if (!known) return OBJECTS.includes(type) ? { $ref: `#/$defs/${type}` } : false;
  const base = known.type ?? type;
  const limits: Json = {};
  if (known.regex) limits.pattern = known.regex;
  if (known.max_len) limits.maxLength = known.max_len;
  if (known.range) [limits.minimum, limits.maximum] = known.range;
  if (base === 'boolean_t') return { type: 'boolean' };
  if (base === 'float_t') return { type: 'number' };
  return { type: base === 'string_t' ? 'string' : 'integer', ...limits };
}

/** A definition as JSON Schema. An enumeration's word must be the caption of its number, unless the number is 99, Other. */
function jsonSchema({ attributes, constraints }: Definition): Json {
  const properties: Json = {};
  const words: Json[] = [];
  for (const [name, attribute] of Object.entries(attributes) as [string, Attribute][]) {
    const entry = dictionary.attributes[name];
    if (!entry) throw new Error(`the dictionary has no ${name}`);
    const schema = typeSchema(entry);
    const choices = { ...entry.enum, ...attribute.enum };
    const numbers = Object.keys(choices).map(Number);
    properties[name] = schema && numbers.length > 0 && !numbers.some(Number.isNaN) ? { ...schema, enum: numbers } : schema;
    if (entry.sibling === undefined || !(entry.sibling in attributes)) continue;
    for (const number of numbers.filter((one) => one !== 99))
      words.push({
        if: { properties: { [name]: { const: number }, [entry.sibling]: { type: 'string' } }, required: [name, entry.sibling] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { [entry.sibling]: { const: choices[number]!.caption } } },
      });
  }
  const required = (Object.entries(attributes) as [string, Attribute][]).filter(([, { requirement }]) => requirement === 'required').map(([name]) => name);
  return {
    type: 'object',
    properties,
    required,
    additionalProperties: false,
    ...(constraints?.at_least_one ? { anyOf: constraints.at_least_one.map((name) => ({ required: [name] })) } : {}),
    ...(constraints?.just_one ? { oneOf: constraints.just_one.map((name) => ({ required: [name] })) } : {}),
    ...(words.length > 0 ? { allOf: words } : {}),
  };
}

const profiled = Object.assign({}, ...PROFILES.map((name) => read(`profiles/${name}.json`).attributes)) as Record<string, Attribute>;

function classSchema(path: string): Json {
  const definition = resolved(`events/${path}.json`, (name) => classParents[name]!);
  const category = categories[definition.category!]!.uid;
  const schema = jsonSchema({ ...definition, attributes: { ...profiled, ...definition.attributes } });
  const properties = schema.properties as Record<string, Json>;
  properties.category_uid = { const: category };
  properties.class_uid = { const: category * 1_000 + definition.uid! };
  // What a profile adds must be announced.
  for (const [profile, names] of PROFILES.map((name) => [name, Object.keys(read(`profiles/${name}.json`).attributes)] as const))
    for (const name of names.filter((one) => !(one in definition.attributes)))
      (schema.allOf as Json[]).push({
        if: { required: [name] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { metadata: { properties: { profiles: { contains: { const: profile } } }, required: ['profiles'] } } },
      });
  return { title: definition.name, ...schema };
}

const objectSchema = (name: string) => jsonSchema(resolved(`objects/${name}.json`, (parent) => `objects/${parent}.json`));

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $comment: `OCSF ${version}, Apache-2.0, https://github.com/ocsf/ocsf-schema; written by tools/ocsf.ts`,
  oneOf: CLASSES.map((path) => ({ $ref: `#/$defs/${path.split('/')[1]}` })),
  $defs: Object.fromEntries([...CLASSES.map((path) => [path.split('/')[1], classSchema(path)]), ...OBJECTS.map((name) => [name, objectSchema(name)])]),
};
writeFileSync(join(__dirname, '../test/server/audit/ocsf-1.6.0.schema.json'), `${JSON.stringify(schema, null, 1)}\n`);
