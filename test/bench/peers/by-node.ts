import { spawnSync } from 'node:child_process';
import type { Peer } from './peer';

/** This server under another Node.js than that of the bench: a variant, named by its version. */
export function byNode(own: Peer, node: string, launch: Peer['launch']): Peer {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1);
  return { ...own, name: `cdk-ftps Node.js ${version.split('.')[0]}`, variant: true, version: () => version, launch };
}
