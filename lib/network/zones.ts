/** Availability zones by their order instead of their names, which AWS CDK would ask the account for. */
import { ContextProvider, Fn, Stack, Token } from 'aws-cdk-lib';
import { ContextProvider as Provider } from 'aws-cdk-lib/cloud-assembly-schema';
import type { IConstruct } from 'constructs';

/** The first zones of the region, by their order. */
export function zonesByOrder(count = 3): string[] {
  return Array.from({ length: count }, (_, index) => Fn.select(index, Fn.getAzs()));
}

/**
 * Makes a network in whose stack zones are named by their order, so that synthesis takes no credentials. Where the names are known already, by the
 * context of the app or because the stack says them itself, they stay what they are: another zone would mean another subnet.
 */
export function withoutAskingForZones<Network>(scope: IConstruct, make: () => Network): Network {
  const stack = Stack.of(scope);
  if (zonesAreKnown(stack)) return make();
  const zones = zonesByOrder();
  Object.defineProperty(stack, 'availabilityZones', { configurable: true, get: () => zones });
  try {
    return make();
  } finally {
    Reflect.deleteProperty(stack, 'availabilityZones');
  }
}

function zonesAreKnown(stack: Stack): boolean {
  const { account, region } = stack;
  if (Token.isUnresolved(account) || Token.isUnresolved(region)) return true; // by their order, as AWS CDK has them
  if (getter(stack) !== getter(Stack.prototype)) return true;
  const { key } = ContextProvider.getKey(stack, { provider: Provider.AVAILABILITY_ZONE_PROVIDER });
  return stack.node.tryGetContext(key) !== undefined;
}

/** The getter that counts for an object, wherever in its line of classes it is. */
function getter(of: object): unknown {
  for (let one: object | null = of; one; one = Object.getPrototypeOf(one)) {
    const found = Object.getOwnPropertyDescriptor(one, 'availabilityZones');
    if (found) return found.get ?? found.value;
  }
  return undefined;
}
