/** pyftpdlib from PyPI, in a virtual environment. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CIPHER, USER } from '../workplace';
import type { Peer } from './peer';

const MODULES = ['pyftpdlib==2.2.0', 'pyOpenSSL==26.4.0'];

/** The interpreter of the environment, with the modules in it. */
export function preparePython(cache: string): string {
  const venv = process.env['CDK_FTPS_VENV'] ?? join(cache, 'venv');
  const python = join(venv, 'bin/python');
  const run = (program: string, args: string[]) => {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  };
  if (!existsSync(python)) run('python3', ['-m', 'venv', venv]);
  run('flock', [join(dirname(venv), 'venv.lock'), python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...MODULES]);
  return python;
}

export const pyftpdlib: Peer = {
  name: 'pyftpdlib',
  forks: false,
  version: () => MODULES[0]!.split('==')[1],
  launch(place, ports, folder) {
    const settings = {
      port: ports.control,
      passive: ports.passive,
      certificate: place.combined,
      cipher: CIPHER.tls12,
      user: USER,
      hash: place.hash.crypt,
      home: place.home,
      log: join(folder, 'log'),
    };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
    return { command: `exec ${place.python} ${join(__dirname, 'pyftpdlib_server.py')} ${folder}/settings.json` };
  },
};
