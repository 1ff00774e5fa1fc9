/** Turns what the server reports into lines of OCSF; how each event is told is said in the file of its class, in ocsf/. */
import type { ServerEvent } from './event';
import { applicationLifecycle } from './ocsf/application-lifecycle';
import { authentication } from './ocsf/authentication';
import { baseEvent, type OcsfContext, type Tellers, type Told } from './ocsf/base-event';
import { ftpActivity } from './ocsf/ftp-activity';
import { httpActivity } from './ocsf/http-activity';
import { networkActivity } from './ocsf/network-activity';
import type { AuditLine } from './schema';

/** An event without a line here does not compile. */
const tellers: Tellers<ServerEvent['kind']> = { ...networkActivity, ...authentication, ...ftpActivity, ...httpActivity, ...applicationLifecycle };

export function toOcsf(event: ServerEvent, context: OcsfContext): AuditLine {
  return JSON.parse(JSON.stringify(lineOf(event, context)));
}

/** The same with members that are undefined, which JSON leaves out. */
export function lineOf(event: ServerEvent, context: OcsfContext): Record<string, unknown> {
  const tell = tellers[event.kind] as (event: ServerEvent, context: OcsfContext) => Told;
  const told = tell(event, context);
  return {
    ...baseEvent(told, context, event),
    ...told.attributes,
    unmapped: nonEmpty({ ...told.unmapped, protocol: 'protocol' in event ? event.protocol : undefined, addresses: context.repeats?.addresses }),
  };
}

function nonEmpty(unmapped: Record<string, unknown>): Record<string, unknown> | undefined {
  return Object.values(unmapped).some((value) => value !== undefined) ? unmapped : undefined;
}
