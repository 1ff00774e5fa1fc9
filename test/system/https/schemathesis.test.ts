/**
 * The API of the built server as schemathesis tries it by the OpenAPI document that is served: requests that fit and requests that do not, and what is
 * answered held against what the document says. https://schemathesis.readthedocs.io
 * EXAMPLES_PER_OPERATION: how many of each are made up; a hundred take some minutes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, newToken, type Token, writeToken } from '../../../server/identity/token';
import { HttpsClient } from '../../server/https/served';
import { CertificateFolder } from '../../server/support/certificates';
import { cheapHash } from '../support/restartable';
import { PASSWORD, run, type ServedProcess, serveConfigured } from '../support/served';

const EXAMPLES = Number(process.env['EXAMPLES_PER_OPERATION'] ?? 5);
/** Whoever may guess no more is told nothing else: nobody is locked out, and nothing is refused for its number. */
const NO_END = 1_000_000;
const MOST_USES = 1_000;
/** Of uploads that were begun before, so that some go on. */
const BEGUN = 8;

/** Whose files are tried, and whose links are: what schemathesis finds of its own it also deletes. */
const [tried, giver] = [newToken('tried'), newToken('giver')];
let place: CertificateFolder;
let server: ServedProcess;
let client: HttpsClient;
beforeAll(async () => {
  place = await CertificateFolder.create();
  const account = ({ user, id, secret }: Token) => ({
    user,
    home: `/${user}`,
    passwordHash: cheapHash(PASSWORD),
    tokens: [{ id, sha256: digestOf(secret), scopes: ['read', 'write'] }],
  });
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    https: { port: 0, requestsPerMinute: NO_END, links: { maxSeconds: 31_536_000, mostUses: MOST_USES, perAccount: NO_END } },
    passive: { ports: 'any:4' },
    tls: { certificates: [await place.put('server', await place.authority.issue())] },
    identity: [{ kind: 'file', file: await place.write('accounts.json', JSON.stringify({ accounts: [account(tried), account(giver)] })) }],
    limits: { lockout: { failuresPerAddress: NO_END, failuresPerAccount: NO_END } },
  });
  client = new HttpsClient(server.https!, { ca: place.authority.pem });
  await place.write('ca.pem', place.authority.pem);
  for (const folder of ['tried/folder', 'giver/drop']) mkdirSync(join(server.files, folder), { recursive: true });
  for (const file of ['tried/report', 'tried/folder/inside', 'giver/report']) writeFileSync(join(server.files, file), 'content');
});
afterAll(async () => {
  client?.close();
  await server?.stop();
  await place?.remove();
});

const bearer = (token: Token) => ({ authorization: `Bearer ${writeToken(token)}` });
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** What stands in the address of a new link. */
async function link(kind: 'download' | 'drop', path: string): Promise<string> {
  const { json } = await client.ask('POST', '/api/v1/links', { headers: bearer(giver), body: { kind, path, uses: MOST_USES } });
  return json.url.split('/l/')[1];
}

/** Ids of uploads that were begun there. */
function begun(at: string, headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const begin = async (_: unknown, index: number) => {
    const metadata = { 'upload-length': '100000', 'upload-metadata': `path ${base64(`begun-${index}`)},filename ${base64(`begun-${index}`)}` };
    const answer = await client.ask('POST', at, { headers: { 'tus-resumable': '1.0.0', ...metadata, ...headers } });
    return answer.headers['location']!.split('/').at(-1)!;
  };
  return Promise.all(Array.from({ length: BEGUN }, begin));
}

it(`it is what its document says, with ${EXAMPLES} examples of each operation and kind`, async () => {
  const drop = await link('drop', '/drop');
  const known = { drop, download: await link('download', '/report'), own: await begun('/api/v1/uploads', bearer(tried)) };
  const config = await place.write('schemathesis.toml', settings({ ...known, dropped: await begun(`/api/v1/shared/${drop}/uploads`) }));
  const { code, output } = await run(join(process.env['CDK_FTPS_VENV']!, 'bin/schemathesis'), [
    `--config-file=${config}`,
    'run',
    `https://localhost:${server.https}/api/v1/openapi.json`,
    `--tls-verify=${place.path('ca.pem')}`,
    '--checks=all',
    `--max-examples=${EXAMPLES}`,
    '--continue-on-failure',
    '--no-color',
  ]);
  const summary = output.slice(output.indexOf('= SUMMARY ='));
  process.stdout.write(`${/\d+ generated, .*/.exec(summary)?.[0]}\n`);
  if (code !== 0) throw new Error(output);
  // Whatever it says of operations that it did not come to is no failure of theirs.
  expect(summary).toContain('Selected: 37/37');
  expect(summary).toContain('Tested: 37');
});

interface Known {
  readonly drop: string;
  readonly download: string;
  /** Ids of uploads: of the account, and by the link. */
  readonly own: readonly string[];
  readonly dropped: readonly string[];
}

const settings = ({ drop, download, own, dropped }: Known) => `
# The same each time: what was found once is found again.
seed = 1
hooks = "${join(__dirname, 'schemathesis_hooks.py')}"

[cache]
enabled = false

[generation]
database = "none"

[auth.openapi]
token = { bearer = "${writeToken(tried)}" }

# What is there: made up names seldom are. Values of headers in Base64 that are no names would be refused as such.
[dictionaries]
paths = { values = ["report", "folder", "folder/inside", "new"] }
drops = { values = ["${drop}"] }
downloads = { values = ["${download}"] }
own = { values = ${JSON.stringify(own)} }
dropped = { values = ${JSON.stringify(dropped)} }
metadata = { values = ["path ${base64('one')}", "path ${base64('folder/two')},existing ${base64('keep')}", "filename ${base64('three')},path ${base64('three')}"] }
named = { values = ["filename ${base64('one')}", "filetype ${base64('a/b')},filename ${base64('two')}"] }

[parameters]
"path.path" = { dictionary = "paths", probability = 0.4 }

[[operations]]
include-path-regex = "/shared/[{]link[}]/(files|uploads)"
parameters = { "path.link" = { dictionary = "drops", probability = 0.9 }, "path.id" = { dictionary = "dropped", probability = 0.7 }, "header.Upload-Metadata" = { dictionary = "named" } }

[[operations]]
include-path-regex = "/shared/[{]link[}](/file|/unlock)?$"
parameters = { "path.link" = { dictionary = "downloads", probability = 0.9 } }

[[operations]]
include-path-regex = "^/api/v1/uploads"
parameters = { "path.id" = { dictionary = "own", probability = 0.7 }, "header.Upload-Metadata" = { dictionary = "metadata" } }

# Whatever 4xx it is, it is refused: 412 where the version of tus is not said, or conditions do not fit (RFC 9110 has them looked at first), 413, 416, 431.
[checks]
negative_data_rejection.expected-statuses = ["4xx"]

# tus says 412 where its version is not said. Behind a made up offset nothing can be brought (409), nor more than was said (413); an account has so many uploads at once (429).
[[operations]]
include-path-regex = "/uploads"
[operations.checks]
missing_required_header.expected-statuses = ["400", "401", "412", "415"]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "410", "413", "429"]

# Conditions and ranges that are made up seldom fit the file (412, 416), and the uses of a link come to their end (410).
[[operations]]
include-path-regex = "/file(s/[{](path|name)[}])?$"
[operations.checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "410", "412", "416"]
`;
