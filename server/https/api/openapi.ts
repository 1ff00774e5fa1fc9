/** The OpenAPI document (3.1), made of the routes and their schemas. */
import { z } from 'zod';
import type { HeaderDescription, Route } from './route';
import { PATH_PATTERN, problem } from './schemas';

type Json = Record<string, unknown>;

const COMPONENTS = '#/components/schemas/';
interface PlaceDescription {
  readonly description: string;
  readonly pattern: string;
}

/** What an address has in braces. */
const PLACES: Readonly<Record<string, PlaceDescription>> = {
  path: {
    description: 'Path of the file or folder, without its first slash. Slashes may stand as they are, or as %2F. A name has 255 bytes at most.',
    pattern: PATH_PATTERN,
  },
  link: { description: 'Of the link, as the last part of its address has it.', pattern: '^[a-z2-7]{13}\\.[A-Za-z0-9_-]{43}$' },
  name: { description: 'Name that the file is to have, of 255 bytes at most.', pattern: '^[^/\\u0000-\\u001f\\u007f\\ufffe\\uffff]+$' },
};
const KEYED: Readonly<Record<string, HeaderDescription>> = {
  'Idempotency-Key': {
    description:
      'A string of your own, for example a UUID. The same request with the same key has its effect once, and is answered again as it was; another request with it is refused (422), and so is one that comes while the first is being done (409). Remembered for a day.',
    pattern: '^[A-Za-z0-9_.:~-]{1,255}$',
  },
};
const PROBLEMS = { description: 'Refused; the body says why.', content: { 'application/problem+json': { schema: { $ref: `${COMPONENTS}Problem` } } } };

export function openApi(routes: readonly Route[], prefix: string): Json {
  const schemas: Record<string, Json> = {};
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const at = prefix + route.at;
    paths[at] = { ...paths[at], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  schemaOf(problem, schemas, 'output');
  return {
    openapi: '3.1.1',
    info: {
      title: 'Files',
      version: '1',
      description: 'Files of an account: the same that it has over FTPS and SFTP, under the same rules. Every refusal is a problem (RFC 9457).',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { cookie: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token, as `ftps token create` prints it, or one of an issuer that the server knows.' },
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-ftps', description: 'Of a browser that has signed in.' },
        linkPassword: { type: 'http', scheme: 'basic', description: 'The password of a link that has one; whatever the name.' },
        linkCookie: { type: 'apiKey', in: 'cookie', name: '__Secure-ftps-link', description: 'Of a browser that has said the password of a link.' },
      },
    },
  };
}

function operation(route: Route, schemas: Record<string, Json>): Json {
  const parameters: Json[] = [
    ...[...route.at.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
      name,
      in: 'path',
      required: true,
      ...(PLACES[name] === undefined ? {} : { description: PLACES[name].description }),
      schema: { type: 'string', minLength: 1, ...(PLACES[name] === undefined ? {} : { pattern: PLACES[name].pattern }) },
    })),
    ...queryParameters(route, schemas),
    ...Object.entries({ ...route.headers, ...(route.isKeyed ? KEYED : {}) }).map(([name, said]) =>
      headerParameter(name, typeof said === 'string' ? { description: said } : said),
    ),
  ];
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    ...(route.who === 'anybody' ? { security: [] } : route.who === 'link' ? { security: [{}, { linkPassword: [] }, { linkCookie: [] }] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            // No body is a file with nothing in it; a part of one says what it is.
            ...(route.body === 'bytes' && !route.bodyType ? {} : { required: true }),
            content:
              route.body === 'bytes'
                ? { [route.bodyType ?? 'application/octet-stream']: { schema: { type: 'string', format: 'binary' } } }
                : { [route.isForm ? 'application/x-www-form-urlencoded' : 'application/json']: { schema: schemaOf(route.body, schemas, 'input') } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, { description, schema, type }]) => [
          status,
          {
            description,
            ...(schema ? { content: { 'application/json': { schema: schemaOf(schema, schemas, 'output') } } } : {}),
            ...(type ? { content: { [type]: { schema: { type: 'string', format: 'binary' } } } } : {}),
          },
        ]),
      ),
      default: PROBLEMS,
    },
  };
}

function headerParameter(name: string, { description, pattern, value, isRequired }: HeaderDescription): Json {
  return {
    name,
    in: 'header',
    description,
    ...(isRequired ? { required: true } : {}),
    schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }), ...(value === undefined ? {} : { enum: [value] }) },
  };
}

function queryParameters({ query }: Route, schemas: Record<string, Json>): Json[] {
  if (!query) return [];
  const { properties = {}, required = [] } = schemaOf(query, schemas, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    ...(description ? { description } : {}),
    schema,
  }));
}

/** The schema, with those that have an id of their own put where all can refer to them. */
function schemaOf(schema: z.ZodType, schemas: Record<string, Json>, io: 'input' | 'output'): Json {
  const { $schema: _, $defs = {}, ...own } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' }) as Json & { $defs?: Record<string, Json> };
  for (const [name, { id: _id, ...one }] of Object.entries($defs)) schemas[name] = pointed(one) as Json;
  return pointed(own) as Json;
}

/** References among schemas, as a document with components has them. */
function pointed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, key === '$ref' && typeof one === 'string' ? one.replace('#/$defs/', COMPONENTS) : pointed(one)]),
  );
}
