/**
 * Files over HTTPS from a program: sends one, lists the folder, fetches it back, with a token in FTPS_TOKEN. Types and paths are those of the server's
 * own description (`npm run generate`).
 * usage: node dist/client.js https://HOST FILE FOLDER TARGET
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream, openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

const [origin = '', file = '', folder = '', target = ''] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl: origin, headers: { authorization: `Bearer ${process.env['FTPS_TOKEN']}` } });

/** What was answered, or an error in the server's own words. */
function answered<T>({ data, error }: { data?: T; error?: components['schemas']['Problem'] }): T {
  if (error) throw new Error(`${error.code}: ${error.title}`);
  return data as T;
}

// With a key a request may be sent again when its answer was lost: the folder is made once.
const made = await api.PUT('/api/v1/folders/{path}', { params: { path: { path: folder }, header: { 'Idempotency-Key': randomUUID() } } });
if (made.error && made.error.code !== 'exists') answered(made);

const name = basename(file);
const path = `${folder}/${name}`;
const sent = answered(
  await api.PUT('/api/v1/files/{path}', {
    params: { path: { path } },
    headers: { 'content-type': 'application/octet-stream' },
    // A file is bytes, which the description calls a string of them.
    body: (await openAsBlob(file)) as unknown as string,
    bodySerializer: (bytes) => bytes,
  }),
);
console.log(`sent ${sent.path}: ${sent.size} bytes, SHA-256 ${sent.sha256}`);

const listed = answered(await api.GET('/api/v1/folders/{path}', { params: { path: { path: folder }, query: { sort: 'modified', order: 'descending' } } }));
for (const entry of listed.entries) console.log(`${entry.type} ${entry.size} ${entry.modified} ${entry.path}`);

const got = answered(await api.GET('/api/v1/files/{path}', { params: { path: { path } }, parseAs: 'stream' }));
await pipeline(Readable.fromWeb(got as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(target));
console.log(`fetched ${path}`);
