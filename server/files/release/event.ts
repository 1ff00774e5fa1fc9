/** The event of an upload that became visible; the release Lambda (lib/storage/release) publishes the same. Its schema is published: docs/upload-released.schema.json. */
import { z } from 'zod';

export const EVENT_SOURCE = 'cdk-ftps';
export const EVENT_TYPE = 'FTPS Upload Released';

/** The detail of the event. Keys may be added in later versions, and none is taken away within one. */
export const releasedUpload = z
  .object({
    id: z.string().min(1).describe('Of the upload; the same each time that its event is delivered, so that it can be acted on once.'),
    storage: z.string().optional().describe('Name of the storage, as its metrics have it. Absent where the settings of the server name none.'),
    user: z.string().describe('Name of the account.'),
    path: z.string().startsWith('/').describe('What the client named the file: text that a stranger chose.'),
    file: z.string().min(1).describe('Where programs of the operator find it: `s3://bucket/key`, or a path of the host.'),
    bytes: z.number().int().nonnegative().describe('Size of the whole file. Bytes.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('Of the bytes that the client sent, in hexadecimal: of the whole file, unless it was appended to. Absent where uploads are not hashed.'),
    verdict: z
      .object({
        result: z.enum(['clean', 'unscanned']).describe('`unscanned`: let through without a verdict, because the settings say so, or by an operator.'),
        engine: z.string().optional().describe('Engine and version of its signatures.'),
        detail: z.string().optional().describe('Why there is no verdict.'),
      })
      .optional()
      .describe('Of the malware scanner. Absent where nothing scans.'),
    client: z.string().describe('Address of the client.'),
    session: z.string().describe('The session in the audit.'),
  })
  .describe('Detail of the EventBridge event `FTPS Upload Released` of the source `cdk-ftps`: a file that a client uploaded became visible.');

/** An upload that became visible. */
export type ReleasedUpload = Omit<z.infer<typeof releasedUpload>, 'id' | 'storage'>;
export type ReleaseDetail = z.infer<typeof releasedUpload>;

/** An entry of PutEvents. */
export interface ReleaseEntry {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
}

export function releaseEvent(bus: string, detail: ReleaseDetail): ReleaseEntry {
  return { EventBusName: bus, Source: EVENT_SOURCE, DetailType: EVENT_TYPE, Detail: JSON.stringify(detail) };
}
