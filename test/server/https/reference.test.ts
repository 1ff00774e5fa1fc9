import Ajv2020 from 'ajv/dist/2020';
import { type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
beforeAll(async () => {
  server = await httpsServed({ https: { requestsPerMinute: 5 } });
});
afterAll(() => server.close());

it('the OpenAPI document says every request, its schemas are valid, and everything that it refers to is there', async () => {
  const { json } = await server.connect().ask('GET', '/api/v1/openapi.json');
  expect(json.openapi).toMatch(/^3\.1\./);
  expect(Object.keys(json.paths)).toEqual(expect.arrayContaining(['/api/v1/files/{path}', '/api/v1/folders', '/api/v1/uploads/{id}', '/api/v1/sign-in']));
  const ids = Object.values<Record<string, { operationId: string }>>(json.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, name] of JSON.stringify(json).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) expect(json.components.schemas).toHaveProperty(name!);
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
  ajv.addSchema({ $id: 'api', ...json });
  for (const name of Object.keys(json.components.schemas)) ajv.compile({ $ref: `api#/components/schemas/${name}` });
});

it('an answer is what the document says', async () => {
  const client = await server.signedIn();
  const { json } = await client.ask('GET', '/api/v1/openapi.json');
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
  ajv.addSchema({ $id: 'api', ...json });
  const says = (name: string, value: unknown) => expect(ajv.validate({ $ref: `api#/components/schemas/${name}` }, value)).toBe(true);
  says('Uploaded', (await client.ask('PUT', '/api/v1/files/a', { body: Buffer.from('x') })).json);
  says('Listing', (await client.ask('GET', '/api/v1/folders')).json);
  says('Problem', (await client.ask('GET', '/api/v1/entries/missing')).json);
});

it('the reference is a page without a script, with every request on it', async () => {
  const { body, headers } = await server.connect().ask('GET', '/api/v1/');
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(body.toString()).toContain('<code>PUT /api/v1/files/{path}</code>');
  expect(body.toString()).not.toContain('<script');
});

it('an account has so many requests a minute, and is told what is left', async () => {
  const client = server.connect();
  client.cookie = (await server.signedIn()).cookie;
  let answer = await client.ask('GET', '/api/v1/sign-in');
  expect(answer.headers['ratelimit-policy']).toBe('"account";q=5;w=60');
  const left = Number(/r=(\d+);/.exec(answer.headers['ratelimit']!)![1]);
  for (let count = 0; count <= left; count += 1) answer = await client.ask('GET', '/api/v1/sign-in');
  expect(answer).toMatchObject({ status: 429, json: { code: 'too-many-requests' }, headers: { ratelimit: expect.stringMatching(/^"account";r=0;t=\d+$/) } });
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
});
