import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Ran, run } from '../../support/served';
import { type Client, everything, inTurn, type Step, type Target, versionOf } from './client';

/** From PyPI: Debian's is years old, and newer ones upload under a partial name. */
const PROGRAM = `${process.env.CDK_FTPS_VENV ?? ''}/bin/rclone`;

/** rclone takes a remote and its settings from the command line; the password only in a scrambled form. */
function call({ mode, version, host, port, ca, user, password }: Target, ...args: string[]): Promise<Ran> {
  const pass = spawnSync(PROGRAM, ['obscure', '-'], { input: password }).stdout.toString().trim();
  const settings = [
    '--ftp-host',
    host,
    '--ftp-port',
    String(port),
    '--ftp-user',
    user,
    '--ftp-pass',
    pass,
    mode === 'explicit' ? '--ftp-explicit-tls' : '--ftp-tls',
  ];
  return run('env', [
    `SSL_CERT_FILE=${ca}`,
    PROGRAM,
    '--config',
    '',
    '--retries',
    '1',
    ...settings,
    ...(version === '1.2' ? ['--ftp-disable-tls13'] : []),
    ...args,
  ]);
}

function one(target: Target, [name, first, second = '']: Step): Promise<Ran> {
  switch (name) {
    case 'make-folder':
      return call(target, 'mkdir', `:ftp:${first}`);
    case 'list':
      return call(target, 'lsl', `:ftp:${first}`);
    case 'upload':
      return call(target, 'copyto', first, `:ftp:${second}`);
    case 'download':
      return call(target, 'copyto', `:ftp:${first}`, second);
    case 'rename':
      return call(target, 'moveto', `:ftp:${first}`, `:ftp:${second}`);
    case 'delete':
      return call(target, 'deletefile', `:ftp:${first}`);
    default:
      throw new Error(`rclone can't ${name}`);
  }
}

export const rclone: Client & { copy(target: Target, folder: string, to: string): Promise<Ran> } = {
  /** Copies what is new or has changed. */
  copy: (target, folder, to) => call(target, 'copy', '--ftp-concurrency', '2', folder, `:ftp:${to}`),
  name: 'rclone',
  remark: 'Does not resume; moves four files at once. Trusts what SSL_CERT_FILE names; its FTP part ignores --ca-cert.',
  version: () => versionOf(PROGRAM, 'version'),
  can: everything,
  cannot: ['resume-download', 'resume-upload'],
  async run(target, steps) {
    const uploads = steps.filter(([name]) => name === 'upload');
    if (uploads.length < 2 || uploads.length < steps.length) return inTurn(steps, (step) => one(target, step));
    const folder = mkdtempSync(join(target.folder, 'rclone-'));
    for (const [, file, path] of uploads) copyFileSync(file, join(folder, basename(path!)));
    return call(target, 'copy', folder, `:ftp:${dirname(uploads[0]![2]!)}`);
  },
};
