/** This server's SFTP, OpenSSH's sshd with its own SFTP server (internal-sftp), and ProFTPD's mod_sftp. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byNode } from '../peers/by-node';
import { asUnixAccount, libraries, lines, packageVersion, proftpd, unpack } from '../peers/debian';
import { ours as oursFtps, settings } from '../peers/ours';
import type { Peer } from '../peers/peer';
import { USER } from '../workplace';
import { sshPlace } from './place';

/** Beside the servers of FTPS, of which ProFTPD is one. */
const openSshFolder = (packages: string) => `${packages}-ssh`;
export const unpackOpenSsh = (packages: string): string => unpack(openSshFolder(packages), ['openssh-server']);

/** `bundle`: another build of it. */
function ours(node: string, hashUploads: boolean, bundle?: string): Peer['launch'] {
  return (place, ports, folder) => {
    const { hostKey, publicKey } = sshPlace(place);
    const { config, command } = settings(place, ports, folder, { hashUploads, equalHash: true, node, bundle, account: { publicKeys: [publicKey] } });
    const withSftp = {
      ...config,
      // FTPS has to have a port; nobody comes there.
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: ports.passive + 17 }],
      sftp: { host: '127.0.0.1', port: ports.control, hostKeys: [{ kind: 'file', file: hostKey }], tries: 100 },
    };
    writeFileSync(join(folder, 'server.json'), JSON.stringify(withSftp));
    return { command };
  };
}

/** `node`: another Node.js, under which this server is measured as well. `builds`: other builds of it, `name=path of its ftps.js`. */
export function sshPeers(node: string | undefined, builds: readonly string[]): Peer[] {
  const own = { ...oursFtps, launch: ours(process.execPath, true) };
  const withoutHash: Peer = { ...own, name: 'cdk-ftps without SHA-256', variant: true, launch: ours(process.execPath, false) };
  const built = builds.map((build): Peer => {
    const at = build.indexOf('=');
    return { ...own, name: build.slice(0, at), variant: true, launch: ours(process.execPath, true, build.slice(at + 1)) };
  });
  return [own, ...(node ? [byNode(own, node, ours(node, true))] : []), ...built, withoutHash, openSsh, modSftp];
}

const openSsh: Peer = {
  name: 'sshd',
  forks: true,
  version: ({ packages }) => packageVersion({ packages: openSshFolder(packages) }, 'openssh-server'),
  launch(place, ports, folder) {
    const { hostKey, userKey } = sshPlace(place);
    writeFileSync(
      join(folder, 'sshd_config'),
      lines(
        {
          ListenAddress: '127.0.0.1',
          Port: ports.control,
          HostKey: hostKey,
          PidFile: 'none',
          AuthorizedKeysFile: `${userKey}.pub`,
          // It looks at every folder above, which are those of a temporary folder.
          StrictModes: 'no',
          UsePAM: 'no',
          PasswordAuthentication: 'yes',
          KbdInteractiveAuthentication: 'no',
          UseDNS: 'no',
          Subsystem: 'sftp internal-sftp',
          ForceCommand: 'internal-sftp',
          // One client machine makes all the load.
          MaxStartups: 10_000,
          LogLevel: 'INFO',
        },
        ' ',
      ),
    );
    const unprivileged = 'sshd:x:47111:65534::/run/sshd:/usr/sbin/nologin\n';
    const program = `${openSshFolder(place.packages)}/usr/sbin/sshd -D -f ${folder}/sshd_config -E ${folder}/log`;
    // It drops its privileges into an empty folder, which here is one of its own.
    const run = `mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/sshd && ${asUnixAccount(place, folder, program, unprivileged)}`;
    return { command: `exec unshare --mount sh -c "${run}"` };
  },
};

const modSftp: Peer = {
  ...proftpd,
  name: 'ProFTPD mod_sftp',
  launch(place, ports, folder) {
    const { hostKey, publicKeyRfc4716 } = sshPlace(place);
    mkdirSync(join(folder, 'keys'));
    writeFileSync(join(folder, 'keys', USER), readFileSync(publicKeyRfc4716));
    writeFileSync(
      join(folder, 'proftpd.conf'),
      `ModulePath ${place.packages}/usr/lib/proftpd\nLoadModule mod_sftp.c\n${lines(
        {
          ServerType: 'standalone',
          DefaultAddress: '127.0.0.1',
          Port: ports.control,
          User: 'nobody',
          Group: 'nogroup',
          AuthPAM: 'off',
          AuthOrder: 'mod_auth_unix.c',
          RequireValidShell: 'off',
          DefaultRoot: '~',
          AllowOverwrite: 'on',
          MaxInstances: 'none',
          UseReverseDNS: 'off',
          WtmpLog: 'off',
          PidFile: join(folder, 'pid'),
          ScoreboardFile: join(folder, 'scoreboard'),
          SystemLog: join(folder, 'system.log'),
          TransferLog: join(folder, 'transfer.log'),
          SFTPEngine: 'on',
          SFTPLog: join(folder, 'sftp.log'),
          SFTPHostKey: hostKey,
          SFTPAuthorizedUserKeys: `file:${folder}/keys/%u`,
          SFTPAuthMethods: 'publickey password',
        },
        ' ',
      )}`,
    );
    return { command: asUnixAccount(place, folder, `${place.packages}/usr/sbin/proftpd -n -q -c ${folder}/proftpd.conf`), environment: libraries(place) };
  },
};
