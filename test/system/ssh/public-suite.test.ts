/**
 * The tests of another library, pkg/sftp of Go, against the built server: they start what they take for OpenSSH's `sftp-server`, which is here OpenSSH's
 * client with the server behind it, as an account that may change nothing where
 * they want a server that is read only. They make files by the operating system and by SFTP under the same paths: the server's folder is mounted where they look.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { USER } from '../support/served';
import { READER } from './accounts';
import { openSsh } from './clients';
import { type SshServed, sshServed } from './served';

const SUITE = join(process.env['CDK_FTPS_CACHE'] ?? '', 'pkg-sftp-v1.13.12.test');
/** Where the suite works, on the machine and on the server. */
const MOUNT = 'srv';

/** What fails, and why it does. Whoever mends one takes its line out, here and in docs/sftp.md. */
const atomic = 'looks for the file on the disk while it is being written: it appears when it is closed';
const links = 'makes a link, or follows one: there are none';
const kept = 'looks for permissions or an owner that it has set: they are not kept';
const explained: Record<string, string> = {
  TestClientWrite: atomic,
  TestClientReadFrom: atomic,
  TestClientReadFromSizeMismatch: atomic,
  TestClientStatLink: links,
  TestClientReadLink: links,
  TestClientLink: links,
  TestClientSymlink: links,
  TestClientRemoveAllSymlink: links,
  TestClientChmod: kept,
  TestClientSetuid: kept,
  TestClientChown: kept,
  TestClientSeek: 'reads what was added to a file after it was opened: it is as long as it was then',
  TestClientGetwd: 'wants to begin in the folder in which the process was started: it begins in the home, which is /',
  TestClientWalk: 'walks a path that is relative to that folder',
  TestClientWriteToROFile: 'opens /dev/zero',
};

let served: SshServed;
beforeAll(async () => {
  served = await sshServed();
  mkdirSync(join(served.server.files, MOUNT));
  writeFileSync(join(served.server.files, MOUNT, 'there'), 'a file to be listed');
});
afterAll(() => served?.stop());

/** Runs the tests; answers how each went, and what was said. */
async function suite(): Promise<{ readonly results: Map<string, 'PASS' | 'FAIL' | 'SKIP'>; readonly output: string }> {
  const { server, place } = served;
  const { options } = openSsh(place, 'key');
  const wrapper = join(place.folder, 'sftp-server');
  writeFileSync(
    wrapper,
    `#!/bin/sh
case " $* " in *" -R "*) user=${READER} ;; *) user=${USER} ;; esac
exec ssh -q ${options.map((one) => `'${one}'`).join(' ')} -p ${place.port} "$user@127.0.0.1" -s sftp
`,
  );
  chmodSync(wrapper, 0o700);
  const here = join(server.files, MOUNT);
  const command = `mount --bind '${here}' /${MOUNT} && cd /${MOUNT} && exec '${SUITE}' -integration -sftp '${wrapper}' -test.v -test.timeout 240s -test.run '^Test(Client|NewClient|Sync|Ping|Matches)'`;
  const child = spawn('unshare', ['-m', 'sh', '-c', command], { env: { ...process.env, TMPDIR: `/${MOUNT}` }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  const results = new Map<string, 'PASS' | 'FAIL' | 'SKIP'>();
  for (const [, how, name] of output.matchAll(/^--- (PASS|FAIL|SKIP): (\S+)/gm)) results.set(name!, how as 'PASS');
  return { results, output };
}

it('the tests of pkg/sftp pass, but for those that ask for what is not there', async () => {
  const { results, output } = await suite();
  const failed = [...results].filter(([, how]) => how === 'FAIL').map(([name]) => name);
  const passed = [...results.values()].filter((how) => how === 'PASS').length;
  process.stdout.write(`pkg/sftp: ${JSON.stringify({ passed, failed: failed.length, skipped: results.size - passed - failed.length })}\n`);
  if (process.env['SUITE_OUTPUT']) writeFileSync(process.env['SUITE_OUTPUT'], output);
  expect(failed.sort()).toEqual(Object.keys(explained).sort());
  expect(passed).toBeGreaterThan(40);
}, 300_000);
