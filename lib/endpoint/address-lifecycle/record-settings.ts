/** What the constructs tell their Lambdas about the records of the host name. */
import { digest } from '../../digest';
import type { Routing } from './host-records';

/** Longer names are cut: a set identifier has 128 characters, and an address needs 40 of them (Amazon Route 53 API reference, "ResourceRecordSet"). */
const LONGEST = 80;

/** A name that one service of an account has alone in all regions: that of its group of instances, and its region. */
export function ownerOf(groupName: string, region: string): string {
  const name = `${groupName} ${region}`;
  return name.length <= LONGEST ? name : `${name.slice(0, LONGEST - 11)}-${digest(name)}`;
}

/** The environment variables ROUTING and HEALTH_CHECK_ID; without them, the service is alone on its name. */
export function routingOf({ ROUTING = '{}', HEALTH_CHECK_ID }: NodeJS.ProcessEnv): Routing {
  return { ...(JSON.parse(ROUTING) as Routing), ...(HEALTH_CHECK_ID ? { healthCheckId: HEALTH_CHECK_ID } : {}) };
}
