/** What a line of every class has (OCSF "Base Event"), and how an event of the server says the rest. */
import type { ServerEvent } from '../event';

/** The OCSF version whose classes are used. */
const OCSF_VERSION = '1.6.0';

export interface OcsfContext {
  readonly time: number;
  readonly sequence: number;
  readonly productVersion: string;
  /** Set where the line stands for several events like this one. */
  readonly repeats?: Repeats;
}

/** Several events that are told as one. */
export interface Repeats {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
  /** How many addresses they came from, where it was more than one. */
  readonly addresses?: number;
}

/** Severities of OCSF that are used here. */
const severities = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const;

/** `activity_id` and `activity_name`, as the class has them. */
export type Activity = readonly [id: number, name: string];

/** What an event says of itself in a class of OCSF. */
export interface Told {
  readonly classUid: number;
  readonly activity: Activity;
  /** Informational where it is absent. */
  readonly severity?: keyof typeof severities;
  /** A success where it is absent. */
  readonly outcome?: 'success' | 'failure' | 'other';
  /** The reason, one word that can be counted. */
  readonly detail?: string;
  readonly message: string;
  /** Attributes of the class. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** What OCSF has no attribute for. */
  readonly unmapped?: Readonly<Record<string, unknown>>;
}

/** How events of these kinds are told. */
export type Tellers<Kind extends ServerEvent['kind']> = {
  readonly [One in Kind]: (event: Extract<ServerEvent, { readonly kind: One }>, context: OcsfContext) => Told;
};

export function baseEvent(
  { classUid, activity, severity = 1, outcome = 'success', detail, message }: Told,
  { time, sequence, productVersion, repeats }: OcsfContext,
  event: ServerEvent,
) {
  const { session, user } = 'session' in event ? event : { session: undefined, user: undefined };
  return {
    time,
    count: repeats?.count,
    start_time: repeats?.first,
    end_time: repeats?.last,
    category_uid: Math.floor(classUid / 1000),
    class_uid: classUid,
    activity_id: activity[0],
    activity_name: activity[1],
    type_uid: classUid * 100 + activity[0],
    severity_id: severity,
    severity: severities[severity],
    status_id: outcome === 'success' ? 1 : outcome === 'failure' ? 2 : 99,
    status: outcome === 'success' ? 'Success' : outcome === 'failure' ? 'Failure' : 'Other',
    status_detail: detail,
    message: repeats ? `${message}, ${repeats.count} times` : message,
    metadata: {
      version: OCSF_VERSION,
      // The profile that brings the attribute `actor` into the classes of the network.
      profiles: user !== undefined && Math.floor(classUid / 1000) === 4 ? ['host'] : undefined,
      product: { name: 'cdk-ftps', vendor_name: 'cdk-ftps', version: productVersion },
      sequence,
      correlation_uid: session || undefined,
    },
  };
}
