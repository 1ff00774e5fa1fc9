/** vsftpd, ProFTPD and pure-ftpd from Debian's packages, unpacked beside each other (as packages they conflict) and run from there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CIPHER, UID, USER, type Workplace } from '../workplace';
import type { Peer } from './peer';

/** The servers, and the libraries they need that a small Debian lacks. */
const PACKAGES = [
  'vsftpd',
  'proftpd-core',
  'proftpd-mod-crypto',
  'pure-ftpd',
  'libwrap0',
  'libhashkit2',
  'libhiredis0.14',
  'libmemcached11',
  'libmemcachedutil2',
  'libsodium23',
  'libpcre2-posix3',
];

/** The servers of FTPS. */
export const unpackPeers = (cache: string): string => unpack(join(cache, 'bench-peers'), PACKAGES);

/** Downloads and unpacks packages once; later runs find them there. */
export function unpack(folder: string, packages: readonly string[]): string {
  if (existsSync(join(folder, 'complete'))) return folder;
  rmSync(folder, { recursive: true, force: true });
  const debs = join(folder, 'debs');
  mkdirSync(debs, { recursive: true });
  const run = (program: string, args: string[], cwd: string) => {
    const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  };
  run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'update', '-qq'], debs);
  run('apt-get', ['download', '-qq', ...packages], debs);
  for (const name of readdirSync(debs)) run('dpkg-deb', ['-x', join(debs, name), folder], debs);
  writeFileSync(join(folder, 'complete'), '');
  return folder;
}

export const libraries = ({ packages }: Workplace) => ({ LD_LIBRARY_PATH: join(packages, 'usr/lib/x86_64-linux-gnu') });
export const lines = (settings: Readonly<Record<string, string | number>>, between: string) =>
  Object.entries(settings)
    .map(([key, value]) => `${key}${between}${value}\n`)
    .join('');

export function packageVersion({ packages }: Pick<Workplace, 'packages'>, name: string): string | undefined {
  const file = readdirSync(join(packages, 'debs')).find((one) => one.startsWith(`${name}_`));
  return file?.split('_')[1]?.replaceAll('%3a', ':');
}

/** The peers check the password of a Unix account; its files are laid over the machine's own, for the server's process alone. `further`: more lines of passwd. */
export function asUnixAccount({ home, hash }: Workplace, folder: string, command: string, further = ''): string {
  writeFileSync(
    join(folder, 'passwd'),
    `${further}root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n${USER}:x:${UID}:${UID}::${home}:/bin/sh\n`,
  );
  writeFileSync(join(folder, 'shadow'), `${USER}:${hash.crypt}:19000:0:99999:7:::\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'group'), `root:x:0:\nnogroup:x:65534:\n${USER}:x:${UID}:\n`);
  mkdirSync(join(folder, 'pam.d'));
  writeFileSync(join(folder, 'pam.d/bench'), 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n');
  const over = ['passwd', 'shadow', 'group', 'pam.d'].map((name) => `mount --bind ${folder}/${name} /etc/${name}`).join(' && ');
  return `exec unshare --mount sh -c '${over} && exec ${command}'`;
}

export const vsftpd: Peer = {
  name: 'vsftpd',
  forks: true,
  version: (place) => packageVersion(place, 'vsftpd'),
  launch(place, ports, folder) {
    mkdirSync(join(folder, 'empty'));
    writeFileSync(
      join(folder, 'vsftpd.conf'),
      lines(
        {
          listen: 'YES',
          background: 'NO',
          listen_address: '127.0.0.1',
          listen_port: ports.control,
          pasv_min_port: ports.passive,
          pasv_max_port: ports.passive + 15,
          anonymous_enable: 'NO',
          local_enable: 'YES',
          write_enable: 'YES',
          local_umask: '022',
          pam_service_name: 'bench',
          nopriv_user: 'nobody',
          ftp_username: 'nobody',
          secure_chroot_dir: join(folder, 'empty'),
          chroot_local_user: 'YES',
          allow_writeable_chroot: 'YES',
          ssl_enable: 'YES',
          force_local_data_ssl: 'YES',
          force_local_logins_ssl: 'YES',
          rsa_cert_file: place.certificate,
          rsa_private_key_file: place.key,
          ssl_ciphers: CIPHER.tls12,
          // Required reuse makes it refuse curl after small uploads under TLS 1.3.
          require_ssl_reuse: 'NO',
          xferlog_enable: 'YES',
          vsftpd_log_file: join(folder, 'log'),
          max_per_ip: 0,
          max_clients: 0,
        },
        '=',
      ),
    );
    return { command: asUnixAccount(place, folder, `${place.packages}/usr/sbin/vsftpd ${folder}/vsftpd.conf`), environment: libraries(place) };
  },
};

export const proftpd: Peer = {
  name: 'ProFTPD',
  forks: true,
  version: (place) => packageVersion(place, 'proftpd-core'),
  launch(place, ports, folder) {
    writeFileSync(
      join(folder, 'proftpd.conf'),
      `ModulePath ${place.packages}/usr/lib/proftpd\nLoadModule mod_tls.c\n${lines(
        {
          ServerType: 'standalone',
          DefaultAddress: '127.0.0.1',
          Port: ports.control,
          PassivePorts: `${ports.passive} ${ports.passive + 15}`,
          User: 'nobody',
          Group: 'nogroup',
          AuthPAM: 'off',
          AuthOrder: 'mod_auth_unix.c',
          RequireValidShell: 'off',
          DefaultRoot: '~',
          AllowOverwrite: 'on',
          AllowStoreRestart: 'on',
          MaxInstances: 'none',
          UseReverseDNS: 'off',
          WtmpLog: 'off',
          PidFile: join(folder, 'pid'),
          ScoreboardFile: join(folder, 'scoreboard'),
          SystemLog: join(folder, 'system.log'),
          TransferLog: join(folder, 'transfer.log'),
          TLSEngine: 'on',
          TLSRequired: 'on',
          TLSProtocol: 'TLSv1.2 TLSv1.3',
          TLSCipherSuite: CIPHER.tls12,
          TLSRSACertificateFile: place.certificate,
          TLSRSACertificateKeyFile: place.key,
          TLSOptions: 'NoSessionReuseRequired',
        },
        ' ',
      )}`,
    );
    return { command: asUnixAccount(place, folder, `${place.packages}/usr/sbin/proftpd -n -q -c ${folder}/proftpd.conf`), environment: libraries(place) };
  },
};

export const pureFtpd: Peer = {
  name: 'pure-ftpd',
  forks: true,
  version: (place) => packageVersion(place, 'pure-ftpd'),
  launch(place, ports, folder) {
    const options = [
      `-S 127.0.0.1,${ports.control}`,
      `-p ${ports.passive}:${ports.passive + 15}`,
      '-l unix',
      '-A -E -H -4 -Y 2',
      `-J ${CIPHER.tls12}`,
      `-2 ${place.combined}`,
      // Its defaults: 50 clients in all, 8 of an address, 10,000 entries in a listing.
      '--maxclientsnumber 2000 --maxclientsperip 2000 --limitrecursion 200000:50',
      `-g ${folder}/pid`,
      `-O clf:${folder}/log`,
    ];
    return { command: asUnixAccount(place, folder, `${place.packages}/usr/sbin/pure-ftpd ${options.join(' ')}`), environment: libraries(place) };
  },
};
