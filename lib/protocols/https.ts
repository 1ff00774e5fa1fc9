/** HTTPS, for browsers and programs: one port. */
import { issuerSettings } from '../identity/token-issuer';
import { account, between, from, to, when } from '../logs/audit-queries';
import type { HttpsLinks, HttpsSettings } from './https-settings';
import type { Protocol } from './protocol';

/** The setting of the server that each prop stands for. */
const KEYS: Readonly<Record<keyof HttpsSettings, string>> = {
  port: 'port',
  clientCertificates: 'clientCertificates',
  requestsPerMinute: 'requestsPerMinute',
  signInTimeout: 'signInSeconds',
  signInIdleTimeout: 'signInIdleSeconds',
  uploadIdleTimeout: 'uploadIdleSeconds',
  links: 'links',
  issuers: 'issuers',
};

const linksOf = ({ defaultDuration, maxDuration, maxUses, maxPerAccount }: HttpsLinks) => ({
  defaultSeconds: defaultDuration?.toSeconds(),
  maxSeconds: maxDuration?.toSeconds(),
  mostUses: maxUses,
  perAccount: maxPerAccount,
});

/** A message about settings of the server, in the names of props. Those of `overrides` are the server's own. */
export function inPropsOfHttps(message: string): string {
  const named = [
    ...Object.entries(KEYS),
    ['links.defaultDuration', 'links.defaultSeconds'],
    ['links.maxDuration', 'links.maxSeconds'],
    ['links.maxUses', 'links.mostUses'],
    ['links.maxPerAccount', 'links.perAccount'],
  ];
  return named.reduce((text, [prop, key]) => text.replaceAll(new RegExp(`(?<!overrides\\.)\\bhttps\\.${key}\\b`, 'g'), `https.${prop}`), message);
}

export const https: Protocol = {
  name: 'HTTPS',
  id: 'Https',
  audited: 'https',
  handshakes: 'TLS',
  settings: ({ https: said, idleTimeout }, { lockoutTable }) =>
    said
      ? {
          https: {
            port: said.port ?? 443,
            clientCertificates: said.clientCertificates,
            requestsPerMinute: said.requestsPerMinute,
            signInSeconds: said.signInTimeout?.toSeconds(),
            // As long as any other session (PCI DSS 4.0, 8.2.8).
            signInIdleSeconds: (said.signInIdleTimeout ?? idleTimeout)?.toSeconds() ?? 900,
            uploadIdleSeconds: said.uploadIdleTimeout?.toSeconds(),
            links: said.links && linksOf(said.links),
            ...issuerSettings(said.issuers ?? []),
            ...(lockoutTable === undefined ? {} : { signInTable: lockoutTable }),
          },
        }
      : {},
  block: { key: 'https', from: 'server.https' },
  derived: [
    ...Object.entries(KEYS).map(([prop, key]) => [`https.${key}`, `server.https.${prop}`] as const),
    ['https.signInTable', 'sharedLockouts'],
    ['https.signInWith', 'server.https.issuers'],
  ],
  openings: ({ https: served }) => (served ? [{ label: `HTTPS ${served.port}`, low: served.port, high: served.port, beginsSessions: true, sticky: true }] : []),
  outputs: ({ https: served }, domainName) =>
    served
      ? [
          { id: 'HttpsPort', value: `${served.port}`, description: 'HTTPS' },
          {
            id: 'HttpsAddress',
            value: `https://${domainName}${served.port === 443 ? '' : `:${served.port}`}/`,
            description: 'The page for browsers; the API is below /api/v1/',
          },
        ]
      : [],
  logsIn: true,
  failures: [
    {
      name: 'ServerErrors',
      pattern: '{ $.unmapped.event = "request" && $.http_response.code = 500 }',
      words: 'A request over HTTPS met an error of the server itself; the audit says which, and the log of the system why.',
    },
  ],
  rows: [
    {
      title: 'Requests over HTTPS that were refused, by answer',
      lines: ['filter unmapped.event = "request"', 'stats count(*) as requests by message as answer', 'sort requests desc', 'limit 10'],
    },
    {
      title: 'Ways in over HTTPS',
      lines: [
        'filter unmapped.event = "login" and unmapped.protocol = "https" and status_id = 1',
        'stats count(*) as logins by auth_protocol as way',
        'sort logins desc',
        'limit 10',
      ],
    },
    {
      title: 'Tokens by use',
      lines: [
        'filter unmapped.event = "login" and unmapped.protocol = "https" and ispresent(unmapped.token)',
        'stats count(*) as logins by concat(user.name, " ", unmapped.token) as token',
        'sort logins desc',
        'limit 10',
      ],
    },
  ],
  queries: (table) => [
    {
      name: 'tokens-in-use',
      description: 'Which tokens came in, from how many addresses, and when last: which one could be revoked',
      values: [from, to],
      sql: `SELECT "user".name AS account, unmapped.token AS token, count(*) AS logins, count(DISTINCT src_endpoint.ip) AS addresses,
  from_unixtime(max(time) / 1000.0) AS last
FROM ${table}
WHERE class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND unmapped.token IS NOT NULL AND ${between}
GROUP BY "user".name, unmapped.token
ORDER BY last DESC`,
    },
    {
      name: 'https-requests-refused',
      description: 'Every request over HTTPS of one account that was refused, with its answer and why',
      values: [account, from, to],
      sql: `SELECT ${when}, src_endpoint.ip AS address, http_request.http_method AS method, http_request.url.path AS path, http_response.code AS answer,
  status_detail AS reason, connection_info.uid AS session
FROM ${table}
WHERE unmapped.event = 'request' AND actor."user".name = ? AND ${between}
ORDER BY time`,
    },
  ],
};
