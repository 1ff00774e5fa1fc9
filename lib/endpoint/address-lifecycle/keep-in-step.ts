/** One pass over group, pool and zone, after which every instance has one address, no address is lost, and DNS names the serving ones alone, or those that served last. */
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { AddressPool } from './address-pool';
import type { HostRecords } from './host-records';
import type { InstanceGroup } from './instance-group';
import { allOf, type OwnAddresses, ownAddresses } from './own-addresses';

export interface Pass {
  readonly taken: number;
  readonly given: number;
  /** Instances for which there is no free address yet. */
  readonly waiting: number;
  /** Allocations of the pool that are no more. */
  readonly released: readonly string[];
  readonly recordsChanged: boolean;
}

/** Where instances have their IPv4 addresses from: the pool, or the network that they are in. */
export type AddressSource = { readonly kind: 'pool'; readonly pool: AddressPool } | { readonly kind: 'private' };

interface Parts {
  readonly group: InstanceGroup;
  readonly source: AddressSource;
  /** Tells the addresses of instances. */
  readonly client: EC2Client;
  /** Whether IPv6 addresses are recorded as well. */
  readonly ipv6?: boolean;
  readonly records?: HostRecords;
  /** Whether a deployment says that the name is to lead here, whatever of this service it led to. */
  readonly takeOver?: boolean;
}

export async function keepInStep({ group, source, client, ipv6, records, takeOver }: Parts): Promise<Pass> {
  const instances = await group.instances();
  const ids = instances.map(({ id }) => id);
  const own = await ownAddresses(client, ids);
  const none = { all: [], taken: 0, given: 0, released: [] };
  const { held, all, taken, given, released } = source.kind === 'pool' ? await handOut(source.pool, ids) : { held: privateIps(own), ...none };
  const serving = instances.flatMap(({ id, serves }) => {
    const [ip, second] = [held.get(id), ipv6 ? own.get(id)?.ipv6 : undefined];
    return serves && ip !== undefined ? [ip, ...(second === undefined ? [] : [second])] : [];
  });
  // While nobody serves, the name leads to where it led: of a name that does not exist, resolvers say so for a quarter of an hour (RFC 2308, by the SOA of Route 53).
  const earlier = { addresses: new Set([...all, ...allOf(own)]) };
  const recordsChanged = (serving.length > 0 && (await records?.set(serving, { earlier, takeOver }))) || false;
  return { taken, given, waiting: instances.length - held.size, released, recordsChanged };
}

const privateIps = (own: Map<string, OwnAddresses>) => new Map([...own].flatMap(([id, { privateIp }]) => (privateIp ? [[id, privateIp] as const] : [])));

/** Takes back what belongs to no instance, then gives to those that have none. */
async function handOut(
  pool: AddressPool,
  ids: readonly string[],
): Promise<{ held: Map<string, string>; all: string[]; taken: number; given: number; released: string[] }> {
  const held = new Map<string, string>();
  const free = [];
  let taken = 0;
  const addresses = await pool.addresses();
  for (const address of addresses) {
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
  return { held, all: addresses.map(({ ip }) => ip), taken, given, released: pool.missingIn(addresses) };
}
