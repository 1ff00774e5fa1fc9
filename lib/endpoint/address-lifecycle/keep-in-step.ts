/** One pass over group, pool and zone, after which every instance has one address, no address is lost, and DNS names the serving ones alone. */
import type { AddressPool } from './address-pool';
import type { HostRecords } from './host-records';
import type { InstanceGroup } from './instance-group';

export interface Pass {
  readonly taken: number;
  readonly given: number;
  /** Instances for which there is no free address yet. */
  readonly waiting: number;
  readonly recordsChanged: boolean;
}

export async function keepInStep({ group, pool, records }: { group: InstanceGroup; pool: AddressPool; records?: HostRecords }): Promise<Pass> {
  const instances = await group.instances();
  const known = new Set(instances.map(({ id }) => id));
  const held = new Map<string, string>();
  const free = [];
  let taken = 0;
  for (const address of await pool.addresses()) {
    const { instanceId, associationId, ip } = address;
    if (instanceId !== undefined && known.has(instanceId) && !held.has(instanceId)) {
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
  for (const { id } of instances.filter((one) => !held.has(one.id))) {
    const address = free[0];
    if (address === undefined) break;
    if (!(await pool.give(address, id))) continue;
    free.shift();
    held.set(id, address.ip);
    given++;
  }
  const serving = instances.flatMap(({ id, serves }) => (serves && held.has(id) ? [held.get(id)!] : []));
  const recordsChanged = (await records?.set(serving)) ?? false;
  return { taken, given, waiting: instances.length - held.size, recordsChanged };
}
