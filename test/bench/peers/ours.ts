/** This server, as it is packed into the image, with SHA-256 of uploads as by default. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';
import type { ServerConfigInput } from '../../../server/config';
import { USER, type Workplace } from '../workplace';
import type { Peer, Ports } from './peer';

const BUNDLE = join(__dirname, '../../../dist/image/ftps.js');

interface Options {
  readonly hashUploads: boolean;
  /** The Node.js that runs it. Default: the one that runs the bench. */
  readonly node?: string;
  /** What the account has besides. */
  readonly account?: object;
}

/** Its settings, and the command that runs it with those that lie in `server.json`. */
export function settings(place: Workplace, ports: Ports, folder: string, { hashUploads, node = process.execPath, account }: Options) {
  const accounts = [{ user: USER, home: '/', passwordHash: place.hash.phc, ...account }];
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts }));
  mkdirSync(join(folder, 'log'));
  const config: ServerConfigInput = {
    workers: 'auto',
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: ports.control }],
    passive: { ports: `${ports.passive}-${ports.passive + 15}` },
    tls: { certificates: [{ kind: 'file', certificate: place.certificate, key: place.key }] },
    storage: { kind: 'local', root: place.home },
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
    // In a folder of its own, as on an instance: that of the accounts is watched for changes.
    audit: { destination: join(folder, 'log/audit.json'), hashUploads },
    // One client machine makes all the load.
    limits: {
      sessions: 20_000,
      sessionsPerAddress: 20_000,
      sessionsPerAccount: 20_000,
      strangersPerAddress: 1_000_000_000, // an attack is measured, not its refusal
      connectionsPerMinutePerAddress: 1_000_000,
      lockout: { failuresPerAddress: 1_000_000, failuresPerAccount: 1_000_000 },
    },
  };
  return { config, command: `exec ${node} ${BUNDLE} serve --config ${folder}/server.json` };
}

function launch(place: Workplace, ports: Ports, folder: string, hashUploads: boolean) {
  const { config, command } = settings(place, ports, folder, { hashUploads });
  writeFileSync(join(folder, 'server.json'), JSON.stringify(config));
  return { command };
}

export const ours: Peer = { name: 'cdk-ftps', forks: false, version: () => version, launch: (place, ports, folder) => launch(place, ports, folder, true) };
/** The peers hash nothing; what it costs is a row of its own. */
export const oursWithoutHash: Peer = {
  ...ours,
  name: 'cdk-ftps without SHA-256',
  variant: true,
  launch: (place, ports, folder) => launch(place, ports, folder, false),
};
