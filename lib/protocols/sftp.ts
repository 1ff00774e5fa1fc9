/** SFTP, and SCP, over SSH: one port. */
import { account, between, from, to, when } from '../logs/audit-queries';
import type { Protocol } from './protocol';

export const sftp: Protocol = {
  name: 'SFTP',
  id: 'Sftp',
  audited: 'ssh',
  handshakes: 'SSH',
  settings: ({ sftp: said }, { hostKeySecretId }) =>
    said
      ? {
          sftp: {
            port: said.port ?? 22,
            hostKeys: hostKeySecretId === undefined ? [] : [{ kind: 'secret', secretId: hostKeySecretId }],
            scp: said.scp,
            userCertificates: said.userCertificates,
          },
        }
      : {},
  block: { key: 'sftp', from: 'server.sftp' },
  derived: [
    ['sftp.port', 'server.sftp.port'],
    ['sftp.scp', 'server.sftp.scp'],
    ['sftp.hostKeys', 'hostKeys'],
    ...(['authorities', 'revoked', 'revocationList'] as const).map((key) => [`sftp.userCertificates.${key}`, `server.sftp.userCertificates.${key}`] as const),
  ],
  openings: ({ sftp: served }) => (served ? [{ label: `SFTP ${served.port}`, low: served.port, high: served.port, beginsSessions: true }] : []),
  outputs: ({ sftp: served }) => (served ? [{ id: 'SftpPort', value: `${served.port}`, description: 'SFTP' }] : []),
  logsIn: true,
  failures: [
    {
      name: 'HostKeysRefused',
      pattern: '{ $.unmapped.event = "configuration" && $.unmapped.what = "host keys" && $.status_id = 2 }',
      words: 'An instance can not read the host keys of SFTP, or not use them, and goes on with the last good ones; the audit says why.',
    },
  ],
  rows: [
    {
      title: 'Agreed on with clients of SSH',
      lines: ['filter unmapped.event = "ssh-established"', 'stats count(*) as connections by message', 'sort connections desc', 'limit 10'],
    },
    {
      title: 'Programs of SSH clients',
      lines: ['filter unmapped.event = "ssh-established"', 'stats count(*) as connections by unmapped.detail as program', 'sort connections desc', 'limit 10'],
    },
    {
      title: 'What was asked for over SSH and is not offered',
      lines: [
        'filter unmapped.protocol = "ssh" and status_detail = "not-offered"',
        'stats count(*) as requests by coalesce(unmapped.detail, message) as request',
        'sort requests desc',
        'limit 10',
      ],
    },
  ],
  queries: (table) => [
    {
      name: 'ssh-sessions-of-an-account',
      description: 'Every SSH connection of one account, with what was agreed on and the program of the client',
      values: [from, to, account, from, to],
      sql: `WITH sessions AS (
  SELECT DISTINCT session.uid AS uid
  FROM ${table}
  WHERE class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND ${between} AND "user".name = ?
)
SELECT ${when}, src_endpoint.ip AS address, message AS agreed, unmapped.detail AS program, connection_info.uid AS session
FROM ${table} JOIN sessions ON connection_info.uid = sessions.uid
WHERE unmapped.event = 'ssh-established' AND ${between}
ORDER BY time`,
    },
  ],
};
