/**
 * The questions that auditors ask, as SQL of Athena over the archive. A `?` stands for a value. The lines carry the time of the
 * event; the partition is the day of arrival, which may be a day later, and later still after an outage.
 */

export interface AuditQuery {
  readonly name: string;
  readonly description: string;
  /** What each `?` stands for, in order, with the value that the saved query shows. */
  readonly values: readonly { readonly name: string; readonly example: string }[];
  readonly sql: string;
}

/** Values that several queries ask for. */
export const from = { name: 'first day', example: '2026-05-01' };
export const to = { name: 'last day', example: '2026-05-31' };
export const account = { name: 'account', example: 'partner' };

/** Two `?`: the first and the last day. */
export const between = `day >= ? AND day <= CAST(date_add('day', 1, CAST(? AS date)) AS varchar)`;
/** When it was. */
export const when = `from_unixtime(time / 1000.0) AS "when"`;

/** What was given up of webhooks; saved where there are some. */
export function webhooksGivenUpQuery(table: string): AuditQuery {
  return {
    name: 'webhooks-given-up',
    description: 'Uploads that a webhook was not told of, with its name and why: for telling it by hand',
    values: [from, to],
    sql: `SELECT ${when}, unmapped.detail AS endpoint, unmapped."user" AS account, unmapped.path AS path, unmapped.reason AS reason
FROM ${table}
WHERE unmapped.event = 'after-release' AND unmapped.what = 'webhook' AND status_id = 2 AND ${between}
ORDER BY time`,
  };
}

/** The queries over a table. */
export function auditQueries(table: string): AuditQuery[] {
  return [
    {
      name: 'who-downloaded-a-file',
      description: 'Who downloaded this file, when, from where, and how much of it',
      values: [{ name: 'path', example: '/reports/may.csv' }, from, to],
      sql: `SELECT ${when}, actor."user".name AS account, src_endpoint.ip AS address, traffic.bytes AS bytes, status, unmapped.reason AS reason
FROM ${table}
WHERE class_uid = 4008 AND activity_id = 2 AND file.path = ? AND ${between}
ORDER BY time`,
    },
    {
      name: 'tls-upgrades-of-an-account',
      description: 'Every upgrade to TLS of the control connections of one account, with version and cipher suite',
      values: [from, to, account, from, to],
      sql: `WITH sessions AS (
  SELECT DISTINCT session.uid AS uid
  FROM ${table}
  WHERE class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND ${between} AND "user".name = ?
)
SELECT ${when}, src_endpoint.ip AS address, tls.version AS version, tls.cipher AS cipher, unmapped.listener AS listener, connection_info.uid AS session
FROM ${table} JOIN sessions ON connection_info.uid = sessions.uid
WHERE unmapped.event = 'tls-established' AND unmapped.channel = 'control' AND ${between}
ORDER BY time`,
    },
    {
      name: 'handshake-failures-by-reason',
      description: 'TLS handshakes that failed, counted by reason, with the number of addresses they came from',
      values: [from, to],
      sql: `SELECT status_detail AS reason, unmapped.channel AS channel, count(*) AS failures, count(DISTINCT src_endpoint.ip) AS addresses
FROM ${table}
WHERE unmapped.event = 'handshake-failed' AND ${between}
GROUP BY status_detail, unmapped.channel
ORDER BY failures DESC, reason`,
    },
    {
      name: 'history-of-a-file',
      description: 'Everything that happened to a file: uploads, downloads, renames, deletions',
      values: [{ name: 'path', example: '/reports/may.csv' }, { name: 'path', example: '/reports/may.csv' }, from, to],
      sql: `SELECT ${when}, actor."user".name AS account, src_endpoint.ip AS address, command, activity_name AS activity, status, file.path AS path,
  unmapped.renamed_to AS renamed_to, file.size AS size, file.hashes[1].value AS sha256
FROM ${table}
WHERE class_uid = 4008 AND (file.path = ? OR unmapped.renamed_to = ?) AND ${between}
ORDER BY time`,
    },
    {
      name: 'sessions-of-an-account',
      description: 'Each session of one account: when, from where, what was transferred, how it ended',
      values: [account, account, from, to],
      sql: `SELECT metadata.correlation_uid AS session, from_unixtime(min(time) / 1000.0) AS "from", from_unixtime(max(time) / 1000.0) AS "to",
  min(src_endpoint.ip) AS address,
  count(CASE WHEN unmapped.event = 'transfer' AND activity_id = 1 AND status_id = 1 THEN 1 END) AS uploads,
  count(CASE WHEN unmapped.event = 'transfer' AND activity_id = 2 AND status_id = 1 THEN 1 END) AS downloads,
  coalesce(sum(traffic.bytes), 0) AS bytes
FROM ${table}
WHERE (actor."user".name = ? OR "user".name = ?) AND ${between}
GROUP BY metadata.correlation_uid
ORDER BY "from"`,
    },
    {
      name: 'failed-logins-by-address',
      description: 'Addresses by the logins that were refused, with the accounts they tried',
      values: [from, to],
      sql: `SELECT src_endpoint.ip AS address, count(*) AS failures, count(DISTINCT "user".name) AS accounts, min("user".name) AS one_account,
  from_unixtime(max(time) / 1000.0) AS last
FROM ${table}
WHERE unmapped.event = 'login' AND unmapped.outcome = 'failure' AND ${between}
GROUP BY src_endpoint.ip
ORDER BY failures DESC, address`,
    },
    {
      name: 'transfers-by-account',
      description: 'What each account transferred',
      values: [from, to],
      sql: `SELECT actor."user".name AS account, activity_name AS activity, count(*) AS transfers, sum(traffic.bytes) AS bytes,
  count(CASE WHEN status_id = 2 THEN 1 END) AS failed
FROM ${table}
WHERE unmapped.event = 'transfer' AND activity_id IN (1, 2) AND ${between}
GROUP BY actor."user".name, activity_name
ORDER BY bytes DESC, account`,
    },
    {
      name: 'malware',
      description: 'Uploads in which the scanner found something',
      values: [from, to],
      sql: `SELECT ${when}, actor."user".name AS account, src_endpoint.ip AS address, file.path AS path, unmapped.verdict.signature AS signature, file.hashes[1].value AS sha256
FROM ${table}
WHERE status_detail = 'infected' AND ${between}
ORDER BY time`,
    },
    {
      name: 'refused-by-reason',
      description: 'Connections and requests that were turned away, by channel, reason and address',
      values: [from, to],
      sql: `SELECT unmapped.channel AS channel, status_detail AS reason, src_endpoint.ip AS address, count(*) AS refusals
FROM ${table}
WHERE unmapped.event = 'refused' AND ${between}
GROUP BY unmapped.channel, status_detail, src_endpoint.ip
ORDER BY refusals DESC, channel, reason, address`,
    },
    {
      name: 'changes-of-the-service',
      description: 'Starts, drains, settings and certificates: what changed about the service itself',
      values: [from, to],
      sql: `SELECT ${when}, message, status, unmapped.subject AS certificate, unmapped.serial_number AS serial_number, unmapped.not_after AS not_after,
  coalesce(unmapped.reason, unmapped.detail) AS detail, app.version AS version
FROM ${table}
WHERE class_uid = 6002 AND NOT (status_detail = 'alive' OR status_detail = 'served') AND ${between}
ORDER BY time`,
    },
  ];
}

/** Where there are several protocols. */
export function sessionsByProtocol(table: string): AuditQuery {
  return {
    name: 'sessions-by-protocol',
    description: 'Which account came by which protocol, how often, and when last: who could do without one of them',
    values: [from, to],
    sql: `SELECT "user".name AS account, unmapped.protocol AS protocol, unmapped.listener AS listener, count(*) AS sessions, from_unixtime(max(time) / 1000.0) AS last
FROM ${table}
WHERE class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND ${between}
GROUP BY "user".name, unmapped.protocol, unmapped.listener
ORDER BY account, protocol, listener`,
  };
}

/** The query with its example values in place, for a person to edit. */
export function withExamples({ sql, values }: AuditQuery): string {
  const left = [...values];
  return sql.replaceAll('?', () => `'${left.shift()?.example}'`);
}
