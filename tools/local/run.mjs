// Runs the server bundle that lies in the synthesized image asset, prints how to reach it, and shows its audit as it happens.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { selfTest } from './self-test.mjs';

/** The ftps.js of the image asset, which must be the one that was built. */
export function bundleOfTheImage() {
  const asset = readdirSync('cdk.out').find((name) => name.startsWith('asset.') && existsSync(join('cdk.out', name, 'ftps.js')));
  if (!asset) throw new Error('cdk.out holds no image asset with the server; was the synthesis interrupted?');
  const bundle = resolve('cdk.out', asset, 'ftps.js');
  const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
  if (sha256(bundle) !== sha256('dist/image/ftps.js')) throw new Error(`${bundle} is not the server that was built`);
  return { bundle, sha256: sha256(bundle) };
}

export async function run(args) {
  const test = args.includes('--self-test');
  const { bundle, sha256 } = bundleOfTheImage();
  console.log(`Server   ${bundle.slice(process.cwd().length + 1)}\n         sha256 ${sha256}\n`);
  // The self-test must not collide with a server that runs already.
  const state = test ? mkdtempSync(join(tmpdir(), 'cdk-ftps-')) : resolve('.ftps');
  try {
    return await serve(
      bundle,
      state,
      test,
      args.filter((arg) => arg !== '--self-test'),
    );
  } finally {
    if (test) rmSync(state, { recursive: true, force: true });
  }
}

async function serve(bundle, state, test, args) {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const passwordFile = join(state, 'demo-password');
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, `${randomBytes(12).toString('base64url')}\n`, { mode: 0o600 });
  chmodSync(passwordFile, 0o600);
  const readyFile = join(state, 'ready.json');
  rmSync(readyFile, { force: true });
  const ports = test
    ? ['--explicit-port', '0', '--implicit-port', '0', '--passive-ports', '0-0', '--sftp-port', '0', '--https-port', '0']
    : ['--admin-port', '0', '--sftp-port', '2022', '--https-port', '8443'];
  const server = spawn(
    process.execPath,
    [bundle, 'serve', '--user', 'demo', '--password-file', passwordFile, '--state', state, '--audit', '-', '--ready-file', readyFile, ...ports, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let errors = '';
  server.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise((done) => server.once('exit', (code) => done(code ?? 1)));
  const stop = () => server.kill('SIGTERM');
  // Ctrl-C reaches the server as well, which then drains; this process waits for it.
  process.on('SIGINT', () => {}).on('SIGTERM', stop);

  const ready = await Promise.race([fileAppears(readyFile, state), ended.then(() => undefined)]);
  if (!ready) {
    console.error(errors.trim());
    if (/EADDRINUSE/.test(errors))
      console.error(
        '\nAnother program has the port. Choose others: npm start -- --explicit-port 2122 --implicit-port 2991 --passive-ports 51000-51015 --sftp-port 2023 --https-port 8444',
      );
    return 1;
  }
  const login = { user: 'demo', password: readFileSync(passwordFile, 'utf8').trim() };
  if (!test) explain(ready, login, state);
  const shown = show(bundle, server.stdout);
  if (test) {
    const passed = await selfTest({ ...ready, ...login });
    stop();
    const code = await ended;
    await shown;
    return passed && code === 0 ? 0 : 1;
  }
  const code = await ended;
  await shown;
  console.log('Drained and stopped.');
  return code;
}

/** Pipes the audit through the bundle's own `audit show`. */
function show(bundle, lines) {
  const reader = spawn(process.execPath, [bundle, 'audit', 'show', '-'], { stdio: ['pipe', 'inherit', 'inherit'], detached: true });
  lines.pipe(reader.stdin);
  reader.stdin.on('error', () => {}); // it ended before the last line; nothing is lost but that line's display
  return new Promise((done) => reader.once('exit', done));
}

/** The content of the ready file once it is there and whole. */
function fileAppears(file, folder) {
  return new Promise((done) => {
    const look = () => {
      try {
        const content = JSON.parse(readFileSync(file, 'utf8'));
        watcher.close();
        done(content);
      } catch {
        // not there yet, or not whole yet: the watcher calls again
      }
    };
    const watcher = watch(folder, look);
    look();
  });
}

function explain({ explicit, implicit, passive, admin, sftp, https, ...ready }, { user, password }, folder) {
  const [ca, state] = [ready.ca, folder].map((path) => relative(process.cwd(), path));
  const known = join(state, 'known_hosts');
  const hostKey = readFileSync(join(folder, 'host-key.pub'), 'utf8');
  writeFileSync(join(folder, 'known_hosts'), ['localhost', '127.0.0.1'].map((host) => `[${host}]:${sftp} ${hostKey}`).join(''));
  writeFileSync(join(folder, 'sign-in.json'), JSON.stringify({ user, password }), { mode: 0o600 });
  console.log(`Listening on this machine only: explicit FTPS ${explicit}, implicit FTPS ${implicit}, passive ${passive[0]}-${passive.at(-1)}, SFTP ${sftp}, HTTPS ${https}
Account ${user}, password ${password}, files in ${join(state, 'files')}
Authority of the certificate: ${ca}
Console  http://localhost:${admin}/

To paste into a second terminal, in this folder:

curl     curl --cacert ${ca} --ssl-reqd -u ${user}:${password} -T README.md ftp://localhost:${explicit}/
         curl --cacert ${ca} --ssl-reqd -u ${user}:${password} ftp://localhost:${explicit}/
         curl --cacert ${ca} -u ${user}:${password} -T README.md ftps://localhost:${implicit}/
         curl --cacert ${ca} -u ${user}:${password} ftps://localhost:${implicit}/README.md -o /dev/null

lftp     lftp -u ${user},${password} -e 'set ssl:ca-file ${ca}; set ftp:ssl-force true; set ftp:ssl-protect-data true; ls' ftp://localhost:${explicit}
         lftp -u ${user},${password} -e 'set ssl:ca-file ${ca}; ls' ftps://localhost:${implicit}

sftp     sftp -P ${sftp} -o UserKnownHostsFile=${known} ${user}@localhost
scp      scp -P ${sftp} -o UserKnownHostsFile=${known} README.md ${user}@localhost:/

https    https://localhost:${https}/ in a browser, which warns until it knows the authority
         curl --cacert ${ca} -c ${join(state, 'cookies')} --json @${join(state, 'sign-in.json')} https://localhost:${https}/api/v1/sign-in
         curl --cacert ${ca} -b ${join(state, 'cookies')} -T README.md https://localhost:${https}/api/v1/files/

FileZilla  Host localhost, port ${explicit} with "Require explicit FTP over TLS" or ${implicit} with "Require implicit FTP over TLS"
           Logon type Normal, user ${user}, password ${password}
           It shows the certificate once; compare it with ${join(state, 'server.pem')}

Ctrl-C drains and stops. What happens from here on:
`);
}
