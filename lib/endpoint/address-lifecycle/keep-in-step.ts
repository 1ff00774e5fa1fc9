/** One pass over group, pool and zone, after which every instance has one address, no address is lost, and DNS names the serving ones alone. */
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { AddressPool } from './address-pool';
import type { HostRecords } from './host-records';
import type { InstanceGroup } from './instance-group';
import { privateIps } from './private-ips';

export interface Pass {
  readonly taken: number;
  readonly given: number;
  /** Instances for which there is no free address yet. */
  readonly waiting: number;
  readonly recordsChanged: boolean;
}

/** Where instances have addresses from: the pool, or the network that they are in. */
export type AddressSource = { readonly kind: 'pool'; readonly pool: AddressPool } | { readonly kind: 'private'; readonly client: EC2Client };

export async function keepInStep({ group, source, records }: { group: InstanceGroup; source: AddressSource; records?: HostRecords }): Promise<Pass> {
  const instances = await group.instances();
  const ids = instances.map(({ id }) => id);
  const { held, taken, given } = source.kind === 'pool' ? await handOut(source.pool, ids) : { held: await privateIps(source.client, ids), taken: 0, given: 0 };
  const serving = instances.flatMap(({ id, serves }) => (serves && held.has(id) ? [held.get(id)!] : []));
  const recordsChanged = (await records?.set(serving)) ?? false;
  return { taken, given, waiting: instances.length - held.size, recordsChanged };
}

/** Takes back what belongs to no instance, then gives to those that have none. */
async function handOut(pool: AddressPool, ids: readonly string[]): Promise<{ held: Map<string, string>; taken: number; given: number }> {
  const held = new Map<string, string>();
  const free = [];
  let taken = 0;
  for (const address of await pool.addresses()) {
    const { instanceId, associationId, ip } = address;
    if (instanceId !== undefined && ids.includes(instanceId) && !held.has(instanceId)) {
      held.set(instanceId, ip);
      continue;
    }
    if (associationId !== undefined) {
      await pool.takeBack(address);
      taken++;
    }
    free.push(address);
  }
  let given = 0;
  for (const id of ids.filter((one) => !held.has(one))) {
    const address = free[0];
    if (address === undefined) break;
    if (!(await pool.give(address, id))) continue;
    free.shift();
    held.set(id, address.ip);
    given++;
  }
  return { held, taken, given };
}
