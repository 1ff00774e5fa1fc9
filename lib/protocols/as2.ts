/** AS2, for messages of partners: the port of HTTPS, or one of its own. */
import { partnersOf } from '../as2/partner-settings';
import { between, from, to, when } from '../logs/audit-queries';
import { TlsPolicy } from '../server-settings';
import type { As2Settings } from './as2-settings';
import type { Protocol, Served } from './protocol';

/** The setting of the server that each prop stands for. */
const KEYS: Readonly<Record<keyof As2Settings, string>> = {
  as2Id: 'identity.as2Id',
  url: 'identity.url',
  agreements: 'partners',
  port: 'port',
  plainPort: 'plainPort',
  path: 'path',
  maxMessageSize: 'messageBytes',
  keepFor: 'keepDays',
  keepMessagesUpTo: 'keepMessageBytes',
  restartFrom: 'restart.fromBytes',
  restartSpace: 'restart.keptBytes',
  restartWait: 'restart.keepHours',
};

const DEFAULT_PATH = '/as2';

/** Where partners send: the port is that of AS2 or of HTTPS, as settings of the server have them. */
function addressOf(domainName: string, port: number | undefined, path = DEFAULT_PATH): string {
  return `https://${domainName}${port === undefined || port === 443 ? '' : `:${port}`}${path}`;
}

const portsOf = ({ as2 }: Served) => [as2?.port, as2?.plainPort].filter((port) => port !== undefined);
const event = (word: string) => `$.unmapped.event = "${word}"`;

export const as2: Protocol = {
  name: 'AS2',
  id: 'As2',
  audited: 'as2',
  handshakes: 'TLS',
  settings: ({ as2: said, https, tlsPolicy }, { domainName = '', as2KeysSecretId = '' }) => {
    if (!said) return {};
    const port = said.port ?? (https ? undefined : 443);
    return {
      as2: {
        path: said.path,
        port,
        plainPort: said.plainPort,
        identity: {
          as2Id: said.as2Id,
          url: said.url ?? addressOf(domainName, port ?? https?.port, said.path),
          signing: { kind: 'secret', secretId: as2KeysSecretId },
        },
        partners: partnersOf(said.agreements ?? [], { fips: tlsPolicy === TlsPolicy.FIPS }),
        messageBytes: said.maxMessageSize?.toBytes(),
        keepDays: said.keepFor?.toDays({ integral: false }),
        keepMessageBytes: said.keepMessagesUpTo?.toBytes(),
        restart: {
          fromBytes: said.restartFrom?.toBytes(),
          keptBytes: said.restartSpace?.toBytes(),
          keepHours: said.restartWait?.toHours({ integral: false }),
        },
      },
    };
  },
  block: { key: 'as2', from: 'server.as2' },
  derived: [...Object.entries(KEYS).map(([prop, key]) => [`as2.${key}`, `server.as2.${prop}`] as const), ['as2.identity', 'server.as2 and as2Keys']],
  openings: (served) => portsOf(served).map((port) => ({ label: `AS2 ${port}`, low: port, high: port, beginsSessions: true })),
  outputs: (served, domainName) =>
    served.as2
      ? [
          ...(portsOf(served).length > 0 ? [{ id: 'As2Port', value: portsOf(served).join(','), description: 'AS2' }] : []),
          {
            id: 'As2Address',
            value: served.as2.identity.url ?? addressOf(domainName, served.as2.port ?? served.https?.port, served.as2.path),
            description: 'Where partners of AS2 send',
          },
        ]
      : [],
  logsIn: false,
  failures: [
    {
      name: 'ReceiptsMissing',
      pattern: `{ ${event('as2-delivery')} && $.unmapped.what = "message" && ($.unmapped.reason = "no receipt has come*" || $.unmapped.reason = "the answer is no receipt") }`,
      words: 'A partner of AS2 did not receipt a message in time; it is sent again. The saved query "as2-message" says what is known of it.',
    },
    {
      name: 'KeysRefused',
      pattern: `{ ${event('configuration')} && $.unmapped.what = "AS2 certificates" && $.status_id = 2 }`,
      words: 'An instance can not read the keys of AS2, or not use them, and goes on with the last good ones; the audit says why.',
    },
  ],
  failuresByPeer: {
    name: 'Failures',
    dimension: 'Partner',
    attribute: '$.unmapped.partner',
    patterns: [
      `{ ${event('as2-message')} && $.status_id = 2 }`,
      // What waits for its next attempt is no failure yet.
      `{ ${event('as2-delivery')} && ($.unmapped.state = "failed" || $.unmapped.state = "given-up") }`,
    ],
    words: (partner) =>
      `Messages from or to ${partner} fail: one of it was refused, or it refused one or did not take it in all attempts. The saved query "as2-failures-by-partner" says why.`,
  },
  rows: [
    {
      title: 'AS2 messages that came, by partner and disposition',
      lines: [
        'filter unmapped.event = "as2-message"',
        'stats count(*) as messages by concat(unmapped.partner, ": ", unmapped.disposition) as disposition',
        'sort messages desc',
        'limit 10',
      ],
    },
    {
      title: 'AS2 messages to partners, by what became of them',
      lines: [
        'filter unmapped.event = "as2-delivery"',
        'stats count(*) as attempts by concat(unmapped.partner, ": ", unmapped.state) as state',
        'sort attempts desc',
        'limit 10',
      ],
    },
    {
      title: 'Why AS2 messages failed',
      lines: [
        'filter unmapped.event in ["as2-message", "as2-delivery"] and status_id = 2',
        'stats count(*) as failures by concat(unmapped.partner, ": ", coalesce(unmapped.reason, unmapped.disposition)) as reason',
        'sort failures desc',
        'limit 10',
      ],
    },
  ],
  queries: (table) => [
    {
      name: 'as2-message',
      description: 'AS2 message by Message-ID: everything that is known of it, each attempt, its disposition and the digest that was receipted (MIC)',
      values: [{ name: 'Message-ID', example: '<order-1@partner>' }, from, to],
      sql: `SELECT ${when}, unmapped.event AS event, unmapped.what AS what, unmapped.partner AS partner, unmapped.state AS state, status,
  unmapped.disposition AS disposition, unmapped.mic AS mic, unmapped.layers AS layers, unmapped.receipt AS receipt, unmapped.bytes AS bytes,
  unmapped.path AS path, unmapped.reason AS reason, src_endpoint.ip AS address, metadata.correlation_uid AS session
FROM ${table}
WHERE unmapped.message_id = ? AND ${between}
ORDER BY time`,
    },
    {
      name: 'as2-failures-by-partner',
      description: 'What failed with each partner of AS2, and why: messages that were refused, and attempts to send',
      values: [from, to],
      sql: `SELECT unmapped.partner AS partner, unmapped.event AS event, unmapped.what AS what, coalesce(unmapped.state, unmapped.disposition) AS outcome,
  unmapped.reason AS reason, count(*) AS failures, from_unixtime(max(time) / 1000.0) AS last
FROM ${table}
WHERE unmapped.event IN ('as2-message', 'as2-delivery') AND status_id = 2 AND ${between}
GROUP BY unmapped.partner, unmapped.event, unmapped.what, coalesce(unmapped.state, unmapped.disposition), unmapped.reason
ORDER BY failures DESC, partner, event`,
    },
  ],
};
