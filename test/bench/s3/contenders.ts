/** Who is compared on S3: this server, rclone as a server and as a client, and the AWS CLI. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';
import type { ServerConfigInput } from '../../../server/config';
import type { Peer, Ports } from '../peers/peer';
import { PASSWORD, USER, type Workplace } from '../workplace';
import { BUCKET, credentials } from './gateway';

const BUNDLE = join(__dirname, '../../../dist/image/ftps.js');

/** Programs of the tests' virtual environment. */
export interface Programs {
  readonly rclone: string;
  readonly aws: string;
}

/** rclone's settings for the gateway; a remote named `s3`. */
export const rcloneEnvironment = (endpoint: string) => ({
  RCLONE_CONFIG: '/dev/null',
  RCLONE_CONFIG_S3_TYPE: 's3',
  RCLONE_CONFIG_S3_PROVIDER: 'AWS',
  RCLONE_CONFIG_S3_ENDPOINT: endpoint,
  RCLONE_CONFIG_S3_FORCE_PATH_STYLE: 'true',
  RCLONE_CONFIG_S3_REGION: credentials.AWS_REGION,
  RCLONE_CONFIG_S3_ACCESS_KEY_ID: credentials.AWS_ACCESS_KEY_ID,
  RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: credentials.AWS_SECRET_ACCESS_KEY,
  RCLONE_CONFIG_S3_NO_CHECK_BUCKET: 'true',
  RCLONE_CONFIG_S3_USE_UNSIGNED_PAYLOAD: 'true', // the body of a small file can't be read twice
});

function ours(place: Workplace, ports: Ports, folder: string, storage: ServerConfigInput['storage']) {
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts: [{ user: USER, home: '/', passwordHash: place.hash.phc }] }));
  mkdirSync(join(folder, 'log'));
  const config: ServerConfigInput = {
    workers: 'auto',
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: ports.control }],
    passive: { ports: `${ports.passive}-${ports.passive + 15}` },
    tls: { certificates: [{ kind: 'file', certificate: place.certificate, key: place.key }] },
    storage,
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
    audit: { destination: join(folder, 'log/audit.json') },
    limits: { connectionsPerMinutePerAddress: 1_000_000 },
  };
  writeFileSync(join(folder, 'server.json'), JSON.stringify(config));
  return { command: `exec ${process.execPath} ${BUNDLE} serve --config ${folder}/server.json` };
}

export const oursOnS3 = (endpoint: string): Peer => ({
  name: 'cdk-ftps',
  forks: false,
  version: () => version,
  launch: (place, ports, folder) => ours(place, ports, folder, { kind: 's3', bucket: BUCKET, endpoint, pathStyle: true, region: credentials.AWS_REGION }),
});

/** The same on tmpfs, for what S3 costs. */
export const oursOnDisk: Peer = {
  name: 'cdk-ftps on disk',
  forks: false,
  version: () => version,
  launch: (place, ports, folder) => ours(place, ports, folder, { kind: 'local', root: place.home }),
};

export const rcloneServer = (endpoint: string, { rclone }: Programs): Peer => ({
  name: 'rclone serve ftp',
  plain: true,
  forks: false,
  version: () => /v(\S+)/.exec(spawnSync(rclone, ['version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
  launch: (_place, ports) => ({
    // Else it asks for each of the 10,000 objects of a listing when its file was last changed. It has a port for each transfer.
    command: `exec ${rclone} serve ftp s3:${BUCKET} --use-server-modtime --addr 127.0.0.1:${ports.control} --passive-port 40000-40255 --user ${USER} --pass ${PASSWORD}`,
    environment: rcloneEnvironment(endpoint),
  }),
});
