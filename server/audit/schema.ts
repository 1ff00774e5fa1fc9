/**
 * The lines that the server writes, as a schema: OCSF (Open Cybersecurity Schema Framework) classes with what this server
 * fills in. Tests hold every line against it, and a table for queries can be generated from it.
 */
import { z } from 'zod';

const endpoint = z.strictObject({ ip: z.string(), port: z.number().int() });
const user = z.strictObject({ name: z.string() });
const tls = z.strictObject({
  version: z.string(),
  cipher: z.string(),
  sni: z.string().optional(),
  certificate: z
    .strictObject({ serial_number: z.string(), issuer: z.string(), subject: z.string().optional(), fingerprints: z.array(fingerprint()) })
    .optional(),
});

function fingerprint() {
  return z.strictObject({ algorithm: z.literal('SHA-256'), algorithm_id: z.literal(3), value: z.string().regex(/^[0-9a-f]{64}$/) });
}

const file = z.strictObject({
  name: z.string(),
  path: z.string(),
  type_id: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  size: z.number().int().optional(),
  hashes: z.array(fingerprint()).optional(),
});

/** What the server says of itself when it starts, lives, drains and stops. */
const serverDetail = z.strictObject({
  listeners: z
    .array(z.strictObject({ mode: z.string(), host: z.string(), port: z.number().int() }))
    .readonly()
    .optional(),
  passive: z.string().optional(),
  tls_policy: z.string().optional(),
  parts: z
    .array(z.strictObject({ part: z.string(), state: z.string() }))
    .optional()
    .describe('What it works with, and whether it is on.'),
  sessions: z.number().int().optional().describe('Sessions that are open; at a drain that timed out, those that were cut.'),
  transfers: z.number().int().optional(),
});
export type ServerDetail = Readonly<z.infer<typeof serverDetail>>;

/** What OCSF has no attribute for. Listed in full, so that the table for queries has a column for each. */
const unmapped = z.strictObject({
  event: z.string().optional().describe('What happened, in one word of the server.'),
  protocol: z.string().optional().describe('What was spoken: `ftps`, `ssh`, `https` or `as2`.'),
  listener: z.string().optional(),
  channel: z.enum(['control', 'data']).optional(),
  detail: z.string().optional(),
  seconds: z.number().optional(),
  resumed: z.boolean().optional().describe('Whether the TLS session resumed an earlier one.'),
  binding: z.string().optional().describe('What tied a data connection to its control connection.'),
  client_certificate: z.string().optional().describe('SHA-256.'),
  client_certificate_subject: z.string().optional(),
  addresses: z.number().int().min(2).optional().describe('How many addresses the events came from, where the line stands for several; it names the first.'),
  passive_port: z.number().int().optional(),
  outcome: z.string().optional(),
  source: z.string().optional().describe('Where the account was found.'),
  token: z.string().optional().describe('Id of the token by which a program came in.'),
  link: z.string().optional().describe('Id of the link by which somebody without an account came in.'),
  key: z.string().optional().describe('Fingerprint of the key that somebody logs in with over SSH.'),
  scope: z.enum(['address', 'account']).optional(),
  argument: z.string().optional(),
  renamed_to: z.string().optional(),
  replaced: z.boolean().optional(),
  reason: z.string().optional(),
  offset: z.number().int().optional().describe('Bytes that were there before the transfer.'),
  encrypted: z.boolean().optional(),
  verdict: z
    .strictObject({
      result: z.string(),
      signature: z.string().optional(),
      engine: z.string().optional(),
      detail: z.string().optional(),
      quarantined: z.string().optional().describe('Id in the quarantine.'),
    })
    .optional()
    .describe('Of the malware scanner.'),
  ...serverDetail.shape,
  what: z.string().optional(),
  user: z.string().optional().describe('The account, where the class has no place for it.'),
  operator: z.string().optional().describe('Who did it, by the name of the operating system.'),
  home: z.string().optional(),
  sha256: z.string().optional().describe('Of the file, where the class has no place for it.'),
  bytes: z.number().int().optional(),
  modified: z.string().optional().describe('ISO 8601.'),
  path: z.string().optional().describe('The file, where the class has no place for it.'),
  partner: z.string().optional().describe('AS2 name of a partner.'),
  message_id: z.string().optional().describe('Of a message of AS2.'),
  disposition: z.string().optional().describe('What its receipt says of it.'),
  layers: z.string().optional().describe('How it was protected, from the outside in.'),
  mic: z.string().optional().describe('Digest of what was taken, as its receipt has it, and the algorithm.'),
  receipt: z.enum(['sync', 'async', 'none']).optional().describe('How it is receipted.'),
  payloads: z
    .array(z.strictObject({ name: z.string(), bytes: z.number().int(), sha256: z.string().optional() }))
    .readonly()
    .optional()
    .describe('Files of a message of AS2, in its order.'),
  subject: z.string().optional(),
  serial_number: z.string().optional(),
  not_after: z.string().optional(),
  days_left: z.number().optional(),
  part: z.string().optional(),
  state: z.string().optional(),
  chains: z
    .array(z.strictObject({ id: z.string(), previous: z.string(), hash: z.string() }))
    .readonly()
    .optional()
    .describe('What of each chain was in a file that was deleted: the hash before its first line, and that of its last.'),
  chain: z
    .strictObject({ id: z.string(), previous: z.string(), hash: z.string() })
    .optional()
    .describe('Ties the line to the one before it; `ftps audit verify` checks it.'),
});

/** What every class has (OCSF "Base Event"). */
const base = {
  time: z.number().int().describe('Milliseconds since 1970.'),
  count: z.number().int().min(2).optional().describe('How many events like this one the line stands for; absent where it is one.'),
  start_time: z.number().int().optional().describe('Of the first of them. Milliseconds since 1970.'),
  end_time: z.number().int().optional().describe('Of the last of them. Milliseconds since 1970.'),
  type_uid: z.number().int(),
  severity_id: z.number().int().min(1).max(5),
  severity: z.string(),
  status_id: z.union([z.literal(1), z.literal(2), z.literal(99)]),
  status: z.string(),
  status_detail: z.string().optional().describe('The reason, one word that can be counted.'),
  message: z.string(),
  metadata: z.strictObject({
    version: z.string(),
    profiles: z.array(z.literal('host')).optional().describe('Profiles of OCSF that the line makes use of.'),
    product: z.strictObject({ name: z.string(), vendor_name: z.string(), version: z.string() }),
    sequence: z.number().int(),
    correlation_uid: z.string().optional().describe('The session.'),
  }),
  unmapped: unmapped.optional(),
};

const network = {
  src_endpoint: endpoint,
  dst_endpoint: endpoint,
  connection_info: z.strictObject({ uid: z.string(), direction_id: z.literal(1), protocol_name: z.literal('tcp') }),
};

const activity = (...ids: readonly [number, ...number[]]) => ({ activity_id: z.union(ids.map((id) => z.literal(id))), activity_name: z.string() });

export const networkActivity = z.strictObject({
  ...base,
  ...network,
  category_uid: z.literal(4),
  class_uid: z.literal(4001),
  ...activity(1, 2, 4, 5, 99),
  tls: tls.optional(),
  actor: z.strictObject({ user }).optional(),
});
export const httpActivity = z.strictObject({
  ...base,
  ...network,
  category_uid: z.literal(4),
  class_uid: z.literal(4002),
  ...activity(2, 3, 4, 5, 6, 7, 9, 99),
  http_request: z.strictObject({ http_method: z.string(), url: z.strictObject({ path: z.string() }) }),
  http_response: z.strictObject({ code: z.number().int() }),
  actor: z.strictObject({ user }).optional(),
});
export const ftpActivity = z.strictObject({
  ...base,
  ...network,
  category_uid: z.literal(4),
  class_uid: z.literal(4008),
  ...activity(1, 2, 4, 5, 6, 99),
  command: z.string(),
  codes: z.array(z.number().int()).optional(),
  name: z.string().optional(),
  file: file.optional(),
  actor: z.strictObject({ user }).optional(),
  traffic: z.strictObject({ bytes: z.number().int() }).optional(),
  duration: z.number().int().optional().describe('Milliseconds.'),
});
/** What was agreed on with a client of SSH, or why nothing was. Its connections are Network Activity, its files FTP Activity, as those of FTPS. */
export const sshActivity = z.strictObject({
  ...base,
  ...network,
  category_uid: z.literal(4),
  class_uid: z.literal(4007),
  ...activity(1, 4),
  protocol_ver: z.literal('2.0').optional(),
  actor: z.strictObject({ user }).optional(),
});
export const authentication = z.strictObject({
  ...base,
  category_uid: z.literal(3),
  class_uid: z.literal(3002),
  ...activity(1, 99),
  user,
  src_endpoint: endpoint,
  dst_endpoint: endpoint,
  session: z.strictObject({ uid: z.string() }),
  is_remote: z.literal(true),
  is_cleartext: z.literal(false),
  is_mfa: z.boolean().optional(),
  auth_protocol: z.string().optional(),
  certificate: z
    .strictObject({ subject: z.string().optional(), serial_number: z.string(), issuer: z.string() })
    .optional()
    .describe('Of SSH: the id that the authority gave it, its number, and the fingerprint of the key of the authority.'),
});
export const applicationLifecycle = z.strictObject({
  ...base,
  category_uid: z.literal(6),
  class_uid: z.literal(6002),
  ...activity(3, 4, 5, 8, 99),
  app: z.strictObject({ name: z.string(), vendor_name: z.string(), version: z.string() }),
});

/** Any line of the audit. */
export const auditLine = z.discriminatedUnion('class_uid', [networkActivity, httpActivity, sshActivity, ftpActivity, authentication, applicationLifecycle]);
export type AuditLine = z.infer<typeof auditLine>;
