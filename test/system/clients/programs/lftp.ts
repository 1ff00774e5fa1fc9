import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../support/served';
import { type Client, everything, type Step, versionOf } from './client';

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
  }
}

export const lftp: Client = {
  name: 'lftp (GnuTLS)',
  remark: '`set ftp:ssl-force true`.',
  version: () => versionOf('lftp', '--version'),
  can: everything,
  cannot: [],
  run({ mode, version, host, port, ca, user, password, folder }, steps) {
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
    writeFileSync(script, [...settings, ...steps.map(commandFor), 'bye'].join('\n'));
    return run('lftp', ['-f', script]);
  },
};
