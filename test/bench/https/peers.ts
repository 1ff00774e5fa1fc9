/** This server's HTTPS, and nginx with WebDAV's PUT: the same certificate, TLS 1.3 with AES-256-GCM, files on the same tmpfs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byNode } from '../peers/by-node';
import { packageVersion, unpack } from '../peers/debian';
import { ours as oursFtps, settings } from '../peers/ours';
import type { Peer } from '../peers/peer';
import { CIPHER, USER } from '../workplace';

const folderOf = (packages: string) => `${packages}-https`;
export const unpackNginx = (packages: string): string => unpack(folderOf(packages), ['nginx']);

/** Where a server has its files: beneath the API here, beneath the root there. Behind it stands the path. */
export const filesAt = ({ name }: Peer): string => (name === nginx.name ? '' : '/api/v1/files');

function ours(node: string, hashUploads: boolean): Peer['launch'] {
  return (place, ports, folder) => {
    const { config, command } = settings(place, ports, folder, { hashUploads, equalHash: true, remembersNone: true, node });
    const withHttps = {
      ...config,
      // FTPS has to have a port; nobody comes there.
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: ports.passive + 17 }],
      https: { host: '127.0.0.1', port: ports.control, requestsPerMinute: 1_000_000_000, keepAliveSeconds: 600 },
    };
    writeFileSync(join(folder, 'server.json'), JSON.stringify(withHttps));
    return { command };
  };
}

/** nginx hashes no upload either. */
export const withoutHash: Peer = { ...oursFtps, speaksFirst: false, name: 'cdk-ftps without SHA-256', variant: true, launch: ours(process.execPath, false) };

/** `node`: another Node.js, under which this server is measured as well. */
export function httpsPeers(node: string | undefined): Peer[] {
  const own: Peer = { ...oursFtps, speaksFirst: false, launch: ours(process.execPath, true) };
  return [own, ...(node ? [byNode(own, node, ours(node, true))] : []), withoutHash, nginx];
}

export const nginx: Peer = {
  name: 'nginx',
  forks: false,
  speaksFirst: false,
  version: ({ packages }) => packageVersion({ packages: folderOf(packages) }, 'nginx'),
  launch(place, ports, folder) {
    const temporary = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
    mkdirSync(join(folder, 'body'));
    writeFileSync(join(folder, 'accounts'), `${USER}:${place.hash.crypt}\n`);
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; user root; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes auto; worker_rlimit_nofile 65536;
events { worker_connections 16384; }
http {
  ${temporary} client_body_temp_path ${folder}/body; access_log ${folder}/access.log;
  sendfile on; tcp_nopush on; keepalive_timeout 600; keepalive_requests 1000000; client_max_body_size 0;
  server {
    listen 127.0.0.1:${ports.control} ssl;
    ssl_certificate ${place.certificate}; ssl_certificate_key ${place.key};
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites ${CIPHER.tls13};
    root ${place.home};
    dav_methods PUT DELETE;
    location /one-mib { auth_basic files; auth_basic_user_file ${folder}/accounts; }
  }
}
`,
    );
    return { command: `exec ${folderOf(place.packages)}/usr/sbin/nginx -c ${folder}/nginx.conf` };
  },
};
