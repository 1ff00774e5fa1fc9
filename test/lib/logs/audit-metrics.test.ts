import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditMetric, auditMetrics, metricsOf, peerMetricsOf, webhooksGivenUp } from '../../../lib/logs/audit-metrics';
import { as2 } from '../../../lib/protocols/as2';
import { https } from '../../../lib/protocols/https';
import { sftp } from '../../../lib/protocols/sftp';
import type { ServerEvent } from '../../../server/audit/event';
import { toOcsf } from '../../../server/audit/ocsf';
import { filterPattern, selected } from './filter-pattern';

const facts = {
  session: 's1',
  protocol: 'ftps' as const,
  listener: 'explicit' as const,
  client: { address: '192.0.2.1', port: 4000 },
  server: { address: '192.0.2.2', port: 21 },
  user: 'demo',
};
const transfer = { kind: 'transfer', command: 'STOR', path: '/a', outcome: 'success', bytes: 7, offset: 0, seconds: 1, encrypted: true, ...facts } as const;
const login = { kind: 'login', login: 'demo', ...facts } as const;

/** Each event, and the metrics that count it or take a value from it. */
const cases: [ServerEvent, Record<string, number>][] = [
  [{ kind: 'connection-opened', ...facts }, { SessionsOpened: 1 }],
  [{ kind: 'connection-closed', seconds: 1, reason: 'quit', ...facts }, {}],
  [
    { kind: 'server', change: 'alive', detail: { sessions: 12, transfers: 3 } },
    { Heartbeats: 1, Sessions: 12 },
  ],
  [{ kind: 'server', change: 'started' }, {}],
  [{ kind: 'server', change: 'drain-timed-out', detail: { sessions: 2 } }, { DrainTimeouts: 1 }],
  [{ kind: 'server', change: 'worker-lost' }, { WorkersLost: 1 }],
  [{ kind: 'handshake-failed', channel: 'control', reason: 'timeout', ...facts }, { HandshakeFailures: 1 }],
  [{ kind: 'handshake-failed', channel: 'data', reason: 'timeout', ...facts }, { HandshakeFailures: 1 }],
  [{ kind: 'refused', channel: 'data', reason: 'stranger', ...facts }, { RefusedPorts: 1 }],
  [{ kind: 'refused', channel: 'control', reason: 'locked-out', ...facts }, { RefusedConnections: 1 }],
  [{ ...login, outcome: 'success' }, { Logins: 1 }],
  [{ ...login, outcome: 'failure', reason: 'wrong-password' }, { FailedLogins: 1 }],
  [{ ...login, outcome: 'unavailable' }, { UnavailableLogins: 1 }],
  [{ kind: 'lockout', scope: 'address', seconds: 30, ...facts }, { Lockouts: 1 }],
  [
    { ...transfer, transfer: 'upload' },
    { Uploads: 1, BytesUploaded: 7 },
  ],
  [
    { ...transfer, transfer: 'download' },
    { Downloads: 1, BytesDownloaded: 7 },
  ],
  [{ ...transfer, transfer: 'listing' }, {}],
  [
    { ...transfer, transfer: 'upload', outcome: 'aborted' },
    { TransferErrors: 1, BytesUploaded: 7 },
  ],
  [
    { ...transfer, transfer: 'upload', outcome: 'failure', verdict: { result: 'infected' } },
    { TransferErrors: 1, Malware: 1, BytesUploaded: 7 },
  ],
  [{ kind: 'health', part: 'scanner', state: 'down' }, { ScannerDown: 1 }],
  [{ kind: 'health', part: 'scanner', state: 'up' }, {}],
  [{ kind: 'health', part: 'directory', state: 'down' }, { PartsDown: 1 }],
  [{ kind: 'health', part: 'ocsp', state: 'down' }, {}],
  [{ kind: 'certificate', change: 'served', daysLeft: 29.5 }, { ServedCertificateDaysLeft: 29.5 }],
  [{ kind: 'certificate', change: 'refused', reason: 'expired' }, { CertificatesRefused: 1 }],
  [{ kind: 'command', command: 'DELE', code: 250, path: '/a', ...facts }, {}],
  [{ kind: 'passive-port', change: 'opened', port: 50_000, ...facts }, {}],
  [{ kind: 'configuration', change: 'refused', what: 'accounts' }, {}],
];

it.each(cases)('%j', (event, expected) => {
  const line = toOcsf(event, { time: 0, sequence: 1, productVersion: '1' }) as never;
  const metrics: AuditMetric[] = Object.values(auditMetrics);
  const counted = metrics.filter(({ pattern }) => filterPattern(pattern)(line)).map((metric) => [metric.name, metric.value ? selected(metric.value, line) : 1]);
  expect(Object.fromEntries(counted)).toEqual(expected);
});

it('each metric has an event here that it counts', () => {
  const named = new Set(cases.flatMap(([, expected]) => Object.keys(expected)));
  expect(Object.values(auditMetrics).map(({ name }) => name)).toEqual(expect.arrayContaining([...named]));
  expect([...named].sort()).toEqual(
    Object.values(auditMetrics)
      .map(({ name }) => name)
      .sort(),
  );
});

it('what has no value is not measured', () => {
  const measured = Object.values(auditMetrics as Record<string, AuditMetric>).filter(({ value }) => value !== undefined);
  expect(measured).toHaveLength(4);
  for (const { name, pattern, value } of measured) {
    const [event] = cases.find(([, expected]) => name in expected)!;
    const line = JSON.parse(JSON.stringify(toOcsf(event, { time: 0, sequence: 1, productVersion: '1' })));
    expect([name, filterPattern(pattern)(line)]).toEqual([name, true]);
    const parts = value!.slice(2).split('.');
    const owner = parts.slice(0, -1).reduce((at, part) => at[part], line);
    delete owner[parts.at(-1)!];
    expect([name, filterPattern(pattern)(line)]).toEqual([name, false]);
  }
});

it('a line that stands for several events counts for as many, and nowhere else', () => {
  const metrics: AuditMetric[] = Object.values(auditMetrics);
  const repeated: [ServerEvent, string][] = [
    [{ kind: 'handshake-failed', channel: 'control', reason: 'timeout', ...facts }, 'HandshakeFailures'],
    [{ kind: 'refused', channel: 'control', reason: 'tls-required', ...facts }, 'RefusedConnections'],
    [{ kind: 'refused', channel: 'data', reason: 'stranger', ...facts }, 'RefusedPorts'],
    [{ ...login, outcome: 'failure', reason: 'wrong-password' }, 'FailedLogins'],
  ];
  for (const [event, name] of repeated) {
    const line = toOcsf(event, { time: 0, sequence: 1, productVersion: '1', repeats: { count: 970, first: 0, last: 1 } }) as never;
    expect(metrics.filter(({ pattern }) => filterPattern(pattern)(line))).toEqual([]);
    expect(
      metrics.filter((metric) => metric.repeated && filterPattern(metric.repeated)(line)).map((metric) => [metric.name, selected('$.count', line)]),
    ).toEqual([[name, 970]]);
  }
});

it('an error of the server itself over HTTPS is counted, and no other refusal', () => {
  const counting = (status: number) => {
    const event = {
      kind: 'request',
      method: 'GET',
      path: '/api/v1/space',
      status,
      reason: 'unavailable',
      ...facts,
      protocol: 'https',
      listener: 'https',
    } as const;
    const line = toOcsf(event, { time: 0, sequence: 1, productVersion: '1' }) as never;
    return metricsOf(https).flatMap(({ name, pattern }) => (filterPattern(pattern)(line) ? [name] : []));
  };
  expect([500, 503, 401, 429].map(counting)).toEqual([['HttpsServerErrors'], [], [], []]);
});

it('of AS2 missing receipts are counted, and what failed for good by partner', () => {
  const counted = (event: ServerEvent) => {
    const line = toOcsf(event, { time: 0, sequence: 1, productVersion: '1' }) as never;
    return [...metricsOf(as2), ...peerMetricsOf(as2)].flatMap(({ name, pattern, dimension }) =>
      filterPattern(pattern)(line) ? [dimension ? `${name} of ${selected(dimension.attribute, line)}` : name] : [],
    );
  };
  const delivery = { kind: 'as2-delivery', what: 'message', partner: 'Acme', user: 'acme', messageId: '<1>', path: '/outbox/a', outcome: 'failure' } as const;
  const message = {
    kind: 'as2-message',
    direction: 'received',
    what: 'message',
    partner: 'Acme',
    messageId: '<1>',
    bytes: 0,
    receipt: 'sync',
    path: '/as2',
    status: 200,
    ...facts,
    protocol: 'as2',
    listener: 'as2',
  } as const;
  expect(counted({ ...delivery, state: 'waiting', detail: 'no receipt has come within 7200 seconds' })).toEqual(['As2ReceiptsMissing']);
  expect(counted({ ...delivery, state: 'waiting', detail: 'the answer is no receipt' })).toEqual(['As2ReceiptsMissing']);
  expect(counted({ ...delivery, state: 'waiting', detail: 'the partner answered 503' })).toEqual([]);
  expect(counted({ ...delivery, state: 'failed', detail: 'the partner answered 503' })).toEqual(['As2Failures of Acme']);
  expect(counted({ ...delivery, what: 'receipt', state: 'given-up', path: undefined })).toEqual(['As2Failures of Acme']);
  expect(counted({ ...delivery, outcome: 'success', state: 'delivered' })).toEqual([]);
  expect(counted({ ...message, outcome: 'failure', disposition: 'error: decryption-failed' })).toEqual(['As2Failures of Acme']);
  expect(counted({ ...message, outcome: 'success', disposition: 'processed' })).toEqual([]);
  expect(counted({ kind: 'configuration', change: 'refused', what: 'AS2 certificates' })).toEqual(['As2KeysRefused']);
  // The words that are counted are those of the server.
  const sender = ['sender', 'send-once'].map((name) => readFileSync(join(__dirname, `../../../server/as2/sending/${name}.ts`), 'utf8')).join('');
  for (const words of ['no receipt has come', 'the answer is no receipt']) expect(sender).toContain(words);
});

it('a webhook that was given up is counted, and none that was taken, nor what else follows an upload', () => {
  const told = { kind: 'after-release', what: 'webhook', endpoint: 'erp', outcome: 'failure', user: 'acme', path: '/a', session: 's1', seconds: 1 } as const;
  const counting = (event: ServerEvent) => filterPattern(webhooksGivenUp.pattern)(toOcsf(event, { time: 0, sequence: 1, productVersion: '1' }) as never);
  expect([told, { ...told, outcome: 'success' as const }, { ...told, what: 'event' as const }].map(counting)).toEqual([true, false, false]);
});

it('a protocol beside FTPS is counted by itself as well, and FTPS not with it', () => {
  const overSsh = { protocol: 'ssh', listener: 'sftp' } as const;
  const counting = (metrics: readonly AuditMetric[], event: ServerEvent, repeats?: { count: number; first: number; last: number }) => {
    const line = toOcsf(event, { time: 0, sequence: 1, productVersion: '1', repeats }) as never;
    return metrics.filter(({ pattern, repeated }) => filterPattern(repeats ? (repeated ?? '{ $.count < 0 }') : pattern)(line)).map(({ name }) => name);
  };
  const events: [ServerEvent, string][] = [
    [{ ...login, outcome: 'success' }, 'Logins'],
    [{ ...login, outcome: 'failure', reason: 'wrong-password' }, 'FailedLogins'],
    [{ kind: 'handshake-failed', channel: 'control', reason: 'timeout', ...facts }, 'HandshakeFailures'],
    [{ ...transfer, transfer: 'upload' }, 'Uploads'],
    [{ ...transfer, transfer: 'download' }, 'Downloads'],
    [{ ...transfer, transfer: 'download', outcome: 'aborted' }, 'TransferErrors'],
  ];
  expect(metricsOf(sftp).map(({ name }) => name)).toEqual([...events.map(([, name]) => `Sftp${name}`), 'SftpHostKeysRefused']);
  expect(counting(metricsOf(sftp), { kind: 'configuration', change: 'refused', what: 'host keys' })).toEqual(['SftpHostKeysRefused']);
  expect(counting(metricsOf(sftp), { kind: 'configuration', change: 'reloaded', what: 'host keys' })).toEqual([]);
  expect(counting(metricsOf(sftp), { kind: 'configuration', change: 'refused', what: 'accounts' })).toEqual([]);
  for (const [event, name] of events) {
    expect(counting(metricsOf(sftp), event)).toEqual([]);
    expect(counting(metricsOf(sftp), { ...event, ...overSsh } as ServerEvent)).toEqual([`Sftp${name}`]);
    // What calls somebody counts both.
    expect(counting(Object.values(auditMetrics), { ...event, ...overSsh } as ServerEvent)).toContain(name);
  }
  const many = { count: 970, first: 0, last: 1 };
  for (const [event, name] of events.slice(1, 3)) {
    expect(counting(metricsOf(sftp), event, many)).toEqual([]);
    expect(counting(metricsOf(sftp), { ...event, ...overSsh } as ServerEvent, many)).toEqual([`Sftp${name}`]);
  }
});
