/** SFTPGo, where a `sftpgo` program is on PATH; Debian has no package of it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UID, USER } from '../workplace';
import type { Peer } from './peer';

export const sftpgo: Peer = {
  name: 'SFTPGo',
  forks: false,
  version: () => /\d+\.\d+\.\d+/.exec(spawnSync('sftpgo', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[0],
  launch(place, ports, folder) {
    const account = { username: USER, password: place.hash.crypt, home_dir: place.home, uid: UID, gid: UID, status: 1, permissions: { '/': ['*'] } };
    writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ version: 16, users: [account] }));
    mkdirSync(join(folder, 'configuration'));
    return {
      command: `exec sftpgo serve -c ${folder}/configuration`,
      environment: {
        SFTPGO_DATA_PROVIDER__DRIVER: 'memory',
        SFTPGO_DATA_PROVIDER__NAME: join(folder, 'accounts.json'),
        SFTPGO_DATA_PROVIDER__CREATE_DEFAULT_ADMIN: 'false',
        SFTPGO_SFTPD__BINDINGS__0__PORT: '0',
        SFTPGO_HTTPD__BINDINGS__0__PORT: '0',
        SFTPGO_FTPD__BINDINGS__0__ADDRESS: '127.0.0.1',
        SFTPGO_FTPD__BINDINGS__0__PORT: String(ports.control),
        SFTPGO_FTPD__BINDINGS__0__TLS_MODE: '1',
        SFTPGO_FTPD__BINDINGS__0__CERTIFICATE_FILE: place.certificate,
        SFTPGO_FTPD__BINDINGS__0__CERTIFICATE_KEY_FILE: place.key,
        SFTPGO_FTPD__PASSIVE_PORT_RANGE__START: String(ports.passive),
        SFTPGO_FTPD__PASSIVE_PORT_RANGE__END: String(ports.passive + 15),
        SFTPGO_LOG_FILE_PATH: join(folder, 'log'),
      },
    };
  },
};
