/** This server, as it is packed into the image: on its defaults as a user runs it, and with everything equal to the others. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';
import type { ServerConfigInput } from '../../../server/config';
import { USER, type Workplace } from '../workplace';
import { byNode } from './by-node';
import type { Peer, Ports } from './peer';

const BUNDLE = join(__dirname, '../../../dist/image/ftps.js');

interface Options {
  readonly hashUploads: boolean;
  /** Whether the account's hash costs what one of the others costs. Default: its own. */
  readonly equalHash?: boolean;
  /** Whether no password is remembered, as by none of the others. */
  readonly remembersNone?: boolean;
  /** Another build of it. */
  readonly bundle?: string;
  /** The Node.js that runs it. Default: the one that runs the bench. */
  readonly node?: string;
  /** What the account has besides. */
  readonly account?: object;
}

/** Its settings, and the command that runs it with those that lie in `server.json`. */
export function settings(
  place: Workplace,
  ports: Ports,
  folder: string,
  { hashUploads, equalHash, remembersNone, bundle = BUNDLE, node = process.execPath, account }: Options,
) {
  const accounts = [{ user: USER, home: '/', passwordHash: equalHash ? place.hash.phc : place.ownHash.phc, ...account }];
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
    ...(remembersNone ? { passwords: { rememberSeconds: 0 } } : {}),
    // One client machine makes all the load.
    limits: {
      sessions: 20_000,
      sessionsPerAddress: 20_000,
      sessionsPerAccount: 20_000,
      ...(bundle === BUNDLE ? { strangersPerAddress: 1_000_000_000 } : {}), // an attack is measured, not its refusal; older builds do not know it
      connectionsPerMinutePerAddress: 1_000_000,
      lockout: { failuresPerAddress: 1_000_000, failuresPerAccount: 1_000_000 },
    },
  };
  return { config, command: `exec ${node} ${bundle} serve --config ${folder}/server.json` };
}

function peer(name: string, options: Options): Peer {
  return {
    name,
    forks: false,
    version: () => version,
    launch(place, ports, folder) {
      const { config, command } = settings(place, ports, folder, options);
      writeFileSync(join(folder, 'server.json'), JSON.stringify(config));
      return { command };
    },
  };
}

/** On its defaults: uploads are hashed, a password's hash is its own, and one that was right is remembered. */
export const ours: Peer = peer('cdk-ftps', { hashUploads: true });
/** The others hash no upload and remember no password. */
export const oursEqual: Peer = { ...peer('cdk-ftps equal', { hashUploads: false, equalHash: true, remembersNone: true }), variant: true };
/** On its defaults, by another Node.js. */
export const oursByNode = (node: string): Peer => byNode(ours, node, peer('', { hashUploads: true, node }).launch);
/** Another build of it on its defaults: `name=path of its ftps.js`. */
export function oursBuilt(build: string): Peer {
  const at = build.indexOf('=');
  return { ...peer(build.slice(0, at), { hashUploads: true, bundle: build.slice(at + 1) }), variant: true };
}
