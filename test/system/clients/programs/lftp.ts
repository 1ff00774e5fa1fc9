import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ran, run } from '../../support/served';
import { type Client, everything, type Step, type Target, versionOf } from './client';

const priorities = { '1.2': 'NORMAL:-VERS-ALL:+VERS-TLS1.2', '1.3': 'NORMAL:-VERS-ALL:+VERS-TLS1.3' };
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

function commandFor([name, first, second = '']: Step): string {
  switch (name) {
    case 'make-folder':
      return `mkdir ${quoted(first)}`;
    case 'list':
      return `ls ${quoted(first)}`;
    case 'upload':
      return `put ${quoted(first)} -o ${quoted(second)}`;
    case 'download':
      return `get ${quoted(first)} -o ${quoted(second)}`;
    case 'resume-download':
      return `get -c ${quoted(first)} -o ${quoted(second)}`;
    case 'resume-upload':
      return `put -c ${quoted(first)} -o ${quoted(second)}`;
    case 'rename':
      return `mv ${quoted(first)} ${quoted(second)}`;
    case 'delete':
      return `rm ${quoted(first)}`;
    case 'habits':
      throw new Error('lftp has a script of its own for its habits');
  }
}

export const lftp: Client = {
  name: 'lftp (GnuTLS)',
  remark: '`set ftp:ssl-force true`.',
  version: () => versionOf('lftp', '--version'),
  can: everything,
  cannot: [],
  run: (target, steps) => lftpScript(target, steps.map(commandFor)),
};

/** Runs commands of lftp after those that log in. */
export function lftpScript({ mode, version, host, port, ca, user, password, folder }: Target, commands: readonly string[]): Promise<Ran> {
  const script = join(folder, 'commands.lftp');
  const settings = [
    `set ssl:ca-file ${quoted(ca)}`,
    `set ssl:priority ${priorities[version]}`,
    'set ftp:ssl-force true',
    'set ftp:ssl-protect-data true',
    'set net:max-retries 1',
    'set cmd:fail-exit true',
    'set xfer:clobber true',
    `open -u ${quoted(user)},${quoted(password)} ${mode === 'explicit' ? 'ftp' : 'ftps'}://${host}:${port}/`,
  ];
  writeFileSync(script, [...settings, ...commands, 'bye'].join('\n'));
  return run('lftp', ['-f', script]);
}
