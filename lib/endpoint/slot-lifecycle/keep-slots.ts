/** One pass over group, slots and targets, after which every slot belongs to one instance and its ports lead there and nowhere else. */
import type { InstanceGroup } from '../address-lifecycle/instance-group';
import type { InstanceSlots } from './instance-slots';
import type { PortTargets } from './port-targets';

/** A slice of the passive ports; the first slot is number 1. */
export interface SlotPorts {
  readonly low: number;
  readonly high: number;
}

export interface SlotPass {
  readonly given: number;
  /** Instances for which there is no slot yet. */
  readonly waiting: number;
  readonly portsChanged: number;
}

interface Parts {
  readonly group: InstanceGroup;
  readonly slots: InstanceSlots;
  readonly targets: PortTargets;
  readonly ports: readonly SlotPorts[];
}

export async function keepSlots({ group, slots, targets, ports }: Parts): Promise<SlotPass> {
  const ids = (await group.instances()).map(({ id }) => id);
  const tagged = await slots.of(ids);
  const holder = new Map<number, string>();
  for (const id of ids) {
    const slot = tagged.get(id);
    if (slot !== undefined && slot >= 1 && slot <= ports.length && !holder.has(slot)) holder.set(slot, id);
  }
  const without = ids.filter((id) => ![...holder.values()].includes(id));
  let given = 0;
  for (let slot = 1; slot <= ports.length && without.length > 0; slot++) {
    if (holder.has(slot)) continue;
    const id = without.shift()!;
    await slots.give(id, slot);
    holder.set(slot, id);
    given++;
  }
  const groups = await targets.groups();
  let portsChanged = 0;
  for (const [index, { low, high }] of ports.entries())
    for (let port = low; port <= high; port++) {
      const group = groups.get(port);
      if (group === undefined) throw new Error(`port ${port} of slot ${index + 1} has no target group`);
      if (await targets.lead(group, holder.get(index + 1))) portsChanged++;
    }
  return { given, waiting: without.length, portsChanged };
}
