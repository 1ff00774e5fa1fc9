// Uploads, lists, downloads and compares over both modes with a real client library (basic-ftp), and by the API of HTTPS. Says what it did.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';

const SIZE = 3_000_000;

/** True where everything was as it should be. */
export async function selfTest({ explicit, implicit, https, ca, user, password }) {
  let passed = true;
  for (const [mode, port] of [
    ['explicit', explicit],
    ['implicit', implicit],
  ]) {
    try {
      await roundTrip(mode, port, { ca: readFileSync(ca), user, password });
    } catch (error) {
      console.error(`  ${mode} mode failed: ${error.message}`);
      passed = false;
    }
  }
  try {
    await byApi(https, { ca: readFileSync(ca), user, password });
  } catch (error) {
    console.error(`  HTTPS failed: ${error.message}`);
    passed = false;
  }
  console.log(passed ? '\nSelf-test passed.' : '\nSelf-test failed.');
  return passed;
}

async function roundTrip(mode, port, { ca, user, password }) {
  const client = new Client(20_000);
  try {
    await client.access({ host: 'localhost', port, user, password, secure: mode === 'implicit' ? 'implicit' : true, secureOptions: { ca, host: 'localhost' } });
    const sent = randomBytes(SIZE);
    const name = `self-test-${mode}.bin`;
    await client.uploadFrom(Readable.from([sent]), name);
    const listed = (await client.list()).find((entry) => entry.name === name);
    if (listed?.size !== SIZE) throw new Error(`the listing says ${listed?.size} bytes instead of ${SIZE}`);
    const received = [];
    await client.downloadTo(
      new Writable({
        write(chunk, _encoding, done) {
          received.push(chunk);
          done();
        },
      }),
      name,
    );
    const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
    const [before, after] = [hash(sent), hash(Buffer.concat(received))];
    if (before !== after) throw new Error(`sent ${before}, received ${after}`);
    await client.remove(name);
    console.log(`  ${mode} mode on port ${port}: uploaded, listed, downloaded ${SIZE} bytes, sha256 ${before.slice(0, 16)}… equal, removed`);
  } finally {
    client.close();
  }
}

/** Signs in as a browser does, and moves a file. */
async function byApi(port, { ca, user, password }) {
  const agent = new Agent({ ca, keepAlive: true });
  const ask = (method, path, expected, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const asked = request({ host: 'localhost', port, agent, method, path: `/api/v1${path}`, headers, timeout: 20_000 }, async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        if (response.statusCode === expected) resolve({ headers: response.headers, body: Buffer.concat(chunks) });
        else reject(new Error(`${method} ${path} was answered ${response.statusCode}`));
      });
      asked.on('error', reject).on('timeout', () => asked.destroy(new Error(`${method} ${path} was not answered`)));
      asked.end(body);
    });
  try {
    const json = JSON.stringify({ user, password });
    const { headers } = await ask('POST', '/sign-in', 201, json, { 'content-type': 'application/json', 'content-length': String(json.length) });
    const session = { cookie: headers['set-cookie'][0].split(';', 1)[0] };
    const sent = randomBytes(SIZE);
    await ask('PUT', '/files/self-test-https.bin', 201, sent, { ...session, 'content-length': String(SIZE) });
    const { body } = await ask('GET', '/files/self-test-https.bin', 200, undefined, session);
    if (!sent.equals(body)) throw new Error('what came back is not what was sent');
    await ask('DELETE', '/files/self-test-https.bin', 204, undefined, session);
    console.log(`  HTTPS on port ${port}: signed in, uploaded, downloaded ${SIZE} bytes, equal, removed`);
  } finally {
    agent.destroy();
  }
}
