/** Every event that the server can report, held against the published schema of OCSF and against our own. */
import type { ServerEvent, SessionFacts, TlsFacts } from '../../../server/audit/event';
import { toOcsf } from '../../../server/audit/ocsf';
import { auditLine } from '../../../server/audit/schema';
import { ocsfProblems } from '../support/ocsf';

const facts: SessionFacts = {
  session: '0b8e3c1e-3f0f-4a55-8a33-1f9d6d0a3b11',
  protocol: 'ftps',
  listener: 'explicit',
  client: { address: '192.0.2.1', port: 50_000 },
  server: { address: '2001:db8::2', port: 21 },
};
const user: SessionFacts = { ...facts, user: 'partner' };
const tls: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  serverName: 'ftp.example.com',
  resumed: true,
  clientCertificate: 'ab'.repeat(32),
  clientCertificateSubject: 'CN=partner',
};

/** At least one of each kind: a kind that is missing here does not compile. */
const events: { readonly [Kind in ServerEvent['kind']]: readonly Extract<ServerEvent, { kind: Kind }>[] } = {
  'connection-opened': [{ kind: 'connection-opened', ...facts }],
  'connection-closed': [{ kind: 'connection-closed', seconds: 1.5, reason: 'quit', ...user }],
  refused: [
    { kind: 'refused', channel: 'control', reason: 'too-many-sessions', ...facts },
    { kind: 'refused', channel: 'data', reason: 'stranger', detail: 'port 50000', ...facts, session: '', listener: 'passive' },
  ],
  'tls-established': [
    { kind: 'tls-established', channel: 'control', tls, ...facts },
    { kind: 'tls-established', channel: 'data', tls: { protocol: 'TLSv1.2', cipher: 'X', resumed: false }, binding: 'resumed', ...user },
  ],
  'ssh-established': [
    {
      kind: 'ssh-established',
      ssh: {
        software: 'OpenSSH_9.2',
        keyExchange: 'curve25519-sha256',
        hostKey: 'ssh-ed25519',
        cipherIn: 'aes256-gcm@openssh.com',
        cipherOut: 'aes256-gcm@openssh.com',
        strict: true,
      },
      ...facts,
      listener: 'sftp',
    },
  ],
  'as2-message': [
    {
      kind: 'as2-message',
      direction: 'received',
      what: 'message',
      partner: 'Partner A',
      messageId: '<1@partner>',
      outcome: 'success',
      disposition: 'processed',
      layers: 'encrypted aes-256-cbc, signed sha256',
      mic: 'AAAA, sha-256',
      bytes: 12,
      receipt: 'sync',
      path: '/as2',
      status: 200,
      ...user,
      protocol: 'as2',
      listener: 'https',
    },
    {
      kind: 'as2-message',
      direction: 'received',
      what: 'message',
      partner: 'Partner A',
      messageId: '<2@partner>',
      outcome: 'failure',
      disposition: 'authentication-failed',
      bytes: 0,
      receipt: 'none',
      path: '/as2',
      status: 403,
      detail: 'the signature is by nobody known',
      ...user,
      protocol: 'as2',
      listener: 'as2',
    },
  ],
  'as2-delivery': [
    {
      kind: 'as2-delivery',
      what: 'message',
      partner: 'Partner A',
      user: 'a',
      messageId: '<1@us>',
      outcome: 'success',
      state: 'delivered',
      path: '/outbox/a.edi',
      bytes: 12,
      payloads: [{ name: 'a.edi', bytes: 12, sha256: 'ab'.repeat(32) }],
    },
    {
      kind: 'as2-delivery',
      what: 'message',
      partner: 'Partner A',
      user: 'a',
      outcome: 'failure',
      state: 'incomplete',
      path: '/outbox/order',
      detail: 'send.txt names a.edi, which is not there',
    },
    {
      kind: 'as2-delivery',
      what: 'received message',
      partner: 'Partner A',
      user: 'a',
      messageId: '<2@p>',
      outcome: 'failure',
      state: 'given-up',
      payloads: [],
      detail: 'its delivery was cut',
    },
    {
      kind: 'as2-delivery',
      what: 'receipt',
      partner: 'Partner A',
      user: 'a',
      messageId: '<1@p>',
      outcome: 'failure',
      state: 'waiting',
      detail: 'answered 500',
    },
  ],
  'handshake-failed': [{ kind: 'handshake-failed', channel: 'control', reason: 'no-shared-cipher', detail: 'no shared cipher', ...facts }],
  login: [
    { kind: 'login', outcome: 'success', login: 'partner', method: 'password', source: 'file', ...user },
    { kind: 'login', outcome: 'success', login: 'partner', method: 'password+certificate', source: 'file', ...user },
    {
      kind: 'login',
      outcome: 'success',
      login: 'partner',
      method: 'publickey',
      source: 'file',
      proof: { key: 'SHA256:abc', certificate: { keyId: 'partner@laptop', serial: '42', authority: 'SHA256:def' } },
      ...user,
      protocol: 'ssh',
      listener: 'sftp',
    },
    { kind: 'login', outcome: 'failure', login: 'eve', reason: 'wrong-password', ...facts },
    { kind: 'login', outcome: 'unavailable', login: 'partner', reason: 'the directory is down', ...facts },
  ],
  lockout: [
    { kind: 'lockout', scope: 'address', seconds: 30, login: 'eve', ...facts },
    { kind: 'lockout', scope: 'account', seconds: 60, login: 'eve', ...facts },
  ],
  request: [{ kind: 'request', method: 'PUT', path: '/api/v1/files/a', status: 403, reason: 'denied', ...user }],
  command: [
    { kind: 'command', command: 'DELE', code: 250, path: '/a.txt', ...user },
    { kind: 'command', command: 'RNTO', code: 250, path: '/a.txt', renamedTo: '/b.txt', replaced: true, ...user },
    { kind: 'command', command: 'REMOVE', code: 3, refused: true, path: '/a.txt', ...user, listener: 'sftp' },
    { kind: 'command', command: 'MKD', code: 250, path: '/', ...user },
    { kind: 'command', command: 'CWD', code: 550, argument: 'x'.repeat(5_000), ...user },
  ],
  transfer: [
    {
      kind: 'transfer',
      transfer: 'upload',
      command: 'STOR',
      path: '/in/a.txt',
      outcome: 'success',
      bytes: 5,
      offset: 10,
      seconds: 0.25,
      sha256: 'cd'.repeat(32),
      encrypted: true,
      verdict: { result: 'clean', engine: 'clamd' },
      ...user,
    },
    {
      kind: 'transfer',
      transfer: 'download',
      command: 'RETR',
      path: '/a',
      outcome: 'aborted',
      bytes: 5,
      offset: 0,
      seconds: 1,
      encrypted: true,
      reason: 'x',
      ...user,
    },
    {
      kind: 'transfer',
      transfer: 'upload',
      command: 'STOR',
      path: '/a',
      outcome: 'failure',
      bytes: 5,
      offset: 0,
      seconds: 1,
      encrypted: true,
      verdict: { result: 'infected', signature: 'Eicar' },
      reason: 'infected',
      ...user,
    },
    { kind: 'transfer', transfer: 'listing', command: 'LIST', path: '/', outcome: 'success', bytes: 500, offset: 0, seconds: 1, encrypted: true, ...user },
  ],
  'passive-port': [
    { kind: 'passive-port', change: 'opened', port: 50_000, ...user },
    { kind: 'passive-port', change: 'used', port: 50_000, ...user },
    { kind: 'passive-port', change: 'expired', port: 50_000, ...user },
  ],
  retention: [{ kind: 'retention', user: 'partner', home: '/partner', path: '/old.txt', bytes: 5, modified: '2026-01-01T00:00:00.000Z' }],
  quarantine: (['released', 'deleted'] as const).flatMap((change) =>
    [{ outcome: 'success' as const }, { outcome: 'failure' as const, reason: 'The name is taken.' }].map((end) => ({
      kind: 'quarantine' as const,
      change,
      operator: 'ann',
      id: '20260101T000000000Z-00000000',
      state: 'infected',
      user: 'partner',
      home: '/partner',
      path: '/a.txt',
      bytes: 5,
      sha256: 'ab'.repeat(32),
      signature: 'Eicar',
      engine: 'clamd',
      ...end,
    })),
  ),
  'after-release': [
    { kind: 'after-release', what: 'command', outcome: 'success', user: 'partner', path: '/a.txt', session: facts.session, seconds: 0.5 },
    {
      kind: 'after-release',
      what: 'event',
      outcome: 'failure',
      user: 'partner',
      path: '/a.txt',
      session: facts.session,
      seconds: 0.5,
      reason: 'it ended with 1',
    },
  ],
  server: (['started', 'alive', 'draining', 'drain-timed-out', 'stopped', 'worker-lost', 'worker-started'] as const).map((change) => ({
    kind: 'server',
    change,
    detail: {
      listeners: [{ mode: 'explicit', host: '::', port: 21 }],
      passive: '50000-50015',
      tls_policy: 'modern',
      parts: [{ part: 'firewall', state: 'nftables' }],
      sessions: 3,
      transfers: 1,
    },
  })),
  configuration: (['loaded', 'reloaded', 'refused'] as const).map((change) => ({ kind: 'configuration', change, what: 'accounts', detail: '3 accounts' })),
  certificate: (['loaded', 'replaced', 'served', 'refused'] as const).map((change) => ({
    kind: 'certificate',
    change,
    subject: 'CN=ftp.example.com',
    serialNumber: '0A',
    notAfter: '2027-01-01T00:00:00.000Z',
    reason: change === 'refused' ? 'the key does not match' : undefined,
  })),
  'audit-dropped': [
    {
      kind: 'audit-dropped',
      file: 'audit-20260501T120000.000Z.json',
      bytes: 7,
      why: 'freeBytes',
      shipped: false,
      chains: [{ id: 'a', previous: 'b', hash: 'c' }],
    },
    { kind: 'audit-dropped', file: 'audit-20260501T120000.000Z.json', bytes: 7, why: 'keepBytes', shipped: true, chains: [] },
  ],
  health: (['scanner', 'directory', 'storage', 'firewall', 'audit', 'lockouts', 'sign-ins', 'ocsp'] as const).flatMap((part) =>
    (['up', 'down', 'off'] as const).map((state) => ({ kind: 'health' as const, part, state, detail: 'no answer' })),
  ),
};

describe.each(Object.entries(events))('%s', (_kind, some) => {
  it.each(some.map((event, index) => [index, event] as const))('%# is a line of its OCSF class', (index, event) => {
    const line = toOcsf(event, { time: 1_767_323_045_000, sequence: index + 1, productVersion: '1.0.0' });
    expect(ocsfProblems(line)).toEqual([]);
    auditLine.parse(line);
  });
});

it('the schema of OCSF refuses what is not in it', () => {
  const line = toOcsf(events.login[0]!, { time: 1, sequence: 1, productVersion: '1' });
  expect(ocsfProblems({ ...line, colour: 'red' }).join()).toMatch(/additional properties/);
  expect(ocsfProblems({ ...line, user: {} }).join()).toMatch(/required property/);
  expect(ocsfProblems({ ...line, severity: 'High' }).join()).toMatch(/must be equal to constant/);
  expect(ocsfProblems({ ...line, activity_id: 77 }).join()).toMatch(/allowed values/);
  expect(ocsfProblems({ ...line, activity_id: 2 })).toContain('type_uid is not class_uid * 100 + activity_id');
  const { time: _, ...timeless } = line;
  expect(ocsfProblems(timeless).join()).toMatch(/'time'/);
});
