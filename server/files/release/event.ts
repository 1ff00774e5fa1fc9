/** The event of an upload that became visible; the release Lambda (lib/storage/release) publishes the same. */
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';

export const EVENT_SOURCE = 'cdk-ftps';
export const EVENT_TYPE = 'FTPS Upload Released';

/** An upload that became visible; the detail of its event. */
export interface ReleasedUpload {
  readonly user: string;
  /** Virtual: as the client names it. */
  readonly path: string;
  /** Where programs of the operator find it: `s3://bucket/key`, or a path of the host. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256?: string;
  readonly client: string;
  readonly session: string;
}

export function releaseEvent(bus: string, { user, path, file, bytes, sha256, client, session }: ReleasedUpload): PutEventsRequestEntry {
  const detail: ReleasedUpload = { user, path, file, bytes, sha256, client, session };
  return { EventBusName: bus, Source: EVENT_SOURCE, DetailType: EVENT_TYPE, Detail: JSON.stringify(detail) };
}
