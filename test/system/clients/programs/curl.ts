import { type Ran, run } from '../../support/served';
import { type Client, everything, inTurn, type Step, type Target, versionOf } from './client';

const url = ({ mode, host, port }: Target) => `${mode === 'explicit' ? 'ftp' : 'ftps'}://${host}:${port}/`;

/** One call, hence one control connection, for steps of one kind that follow each other. */
function call(target: Target, ...args: string[]): Promise<Ran> {
  const { ca, version, user, password } = target;
  const login = `user = "${user}:${password.replaceAll('"', '\\"')}"\n`;
  return run('curl', ['-sS', '--config', '-', '--cacert', ca, '--ssl-reqd', `--tlsv${version}`, '--tls-max', version, ...args], login);
}

function one(target: Target, [name, first, second = '']: Step): Promise<Ran> {
  const root = url(target);
  switch (name) {
    case 'make-folder':
      return call(target, '--ftp-create-dirs', `${root}${first}/`);
    case 'list':
      return call(target, `${root}${first}/`);
    case 'upload':
      return call(target, '-T', first, `${root}${second}`);
    case 'download':
      return call(target, `${root}${first}`, '-o', second);
    case 'resume-download':
      return call(target, '-C', '-', `${root}${first}`, '-o', second);
    case 'resume-upload':
      return call(target, '-C', '-', '-T', first, `${root}${second}`);
    case 'rename':
      return call(target, '--head', root, '-Q', `RNFR ${first}`, '-Q', `RNTO ${second}`);
    case 'delete':
      return call(target, '--head', root, '-Q', `DELE ${first}`);
    default:
      throw new Error(`curl can't ${name}`);
  }
}

export const curl: Client = {
  name: 'curl',
  remark: 'Give it the authority with `--cacert`, never `-k`: without verification newer ones resume no session.',
  version: () => versionOf('curl', '--version'),
  can: everything,
  cannot: [],
  run(target, steps) {
    const uploads = steps.filter(([name]) => name === 'upload');
    if (uploads.length > 1 && uploads.length === steps.length)
      return call(target, ...uploads.flatMap(([, file, path]) => ['-T', file, `${url(target)}${path}`]));
    return inTurn(steps, (step) => one(target, step));
  },
};
