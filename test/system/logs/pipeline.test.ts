/** Lines that the built server wrote, through everything that the kit provisions for them: metric filters, table, saved queries. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyChain } from '../../../server/audit/chain';
import type { ServerEvent } from '../../../server/audit/event';
import { auditLine } from '../../../server/audit/schema';
import { openAudit, openTarget } from '../../../server/audit/sink';
import { BUNDLE, run } from '../support/served';
import { busyDay, inFolder } from './busy-day';
import { agnosticTemplate, metricValues, python, queried, template } from './provisioned';

const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
const days = [day(-1), day(1)];
const sum = (values: readonly number[] | undefined) => (values ?? []).reduce((total, value) => total + value, 0);

it('a busy day: every metric and every query says what was done', () =>
  inFolder(async (folder) => {
    const { file, lines, sessions, uploadedBytes } = await busyDay(folder);
    const metrics = metricValues(lines);
    const sums = Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, sum(values)]));
    expect(sums).toMatchObject({
      SessionsOpened: sessions,
      Logins: 4,
      FailedLogins: 6,
      UnavailableLogins: 0,
      Lockouts: 1,
      HandshakeFailures: 5,
      RefusedPorts: 2,
      RefusedConnections: 1,
      Uploads: 2,
      Downloads: 3,
      BytesUploaded: uploadedBytes,
      Malware: 1,
      TransferErrors: 3,
      DrainTimeouts: 1,
      WorkersLost: 0,
      PartsDown: 0,
      CertificatesRefused: 0,
    });
    expect(sums['ScannerDown']).toBeGreaterThan(0);
    expect(metrics['Heartbeats']?.length).toBeGreaterThan(1);
    expect(Math.max(...metrics['Sessions']!)).toBeGreaterThanOrEqual(1);
    expect(metrics['ServedCertificateDaysLeft']).toEqual([expect.any(Number)]);

    const { misfits, rows, same, results } = queried(lines, {
      'who-downloaded-a-file': ['/a.csv', ...days],
      'tls-upgrades-of-an-account': [...days, 'partner', ...days],
      'handshake-failures-by-reason': days,
      'history-of-a-file': ['/b.csv', '/b.csv', ...days],
      'sessions-of-an-account': ['other', 'other', ...days],
      'failed-logins-by-address': days,
      'transfers-by-account': days,
      malware: days,
      'refused-by-reason': days,
      'changes-of-the-service': days,
    });
    expect({ misfits, rows, same }).toEqual({ misfits: [], rows: lines.length, same: true });
    expect(results['who-downloaded-a-file']).toMatchObject(
      ['partner', 'partner', 'other'].map((account) => ({ account, address: '127.0.0.1', bytes: 10_000, status: 'Success' })),
    );
    expect(results['tls-upgrades-of-an-account']).toMatchObject(
      ['explicit', 'implicit', 'implicit'].map((listener) => ({ listener, version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) })),
    );
    expect(results['handshake-failures-by-reason']).toEqual([
      { reason: 'no-shared-cipher', channel: 'control', failures: 3, addresses: 1 },
      { reason: 'plain-text', channel: 'control', failures: 2, addresses: 1 },
    ]);
    expect(results['history-of-a-file']).toMatchObject([
      { account: 'partner', command: 'STOR', activity: 'Put', size: 20_000, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { account: 'partner', command: 'RNTO', activity: 'Rename', renamed_to: '/c.csv' },
    ]);
    expect(results['sessions-of-an-account']).toMatchObject([{ address: '127.0.0.1', uploads: 0, downloads: 1, bytes: 10_000 }]);
    expect(results['failed-logins-by-address']).toMatchObject([{ address: '127.0.0.1', failures: 6, accounts: 2 }]);
    expect(results['transfers-by-account']).toEqual(
      expect.arrayContaining([
        { account: 'partner', activity: 'Put', transfers: 4, bytes: uploadedBytes, failed: 2 },
        { account: 'other', activity: 'Get', transfers: 1, bytes: 10_000, failed: 0 },
      ]),
    );
    expect(results['malware']).toMatchObject([{ account: 'partner', path: '/evil.bin', signature: 'Evil.Test' }]);
    expect(results['refused-by-reason']).toMatchObject([
      { channel: 'data', reason: 'stranger', refusals: 2 },
      { channel: 'control', reason: 'tls-required', refusals: 1 },
    ]);
    const changes = results['changes-of-the-service']!.map(({ message }) => message);
    expect(changes).toEqual(
      expect.arrayContaining(['Certificate loaded', 'Server started', 'The scanner is down', 'Server draining', 'Server drain-timed-out', 'Server stopped']),
    );
    expect(changes.join()).not.toMatch(/alive/);

    expect(await run(process.execPath, [BUNDLE, 'audit', 'verify', file])).toEqual({ code: 0, output: `${lines.length} lines of 1 processes, 0 breaks\n` });
  }));

it('webhooks that were given up can be told by hand: the query says which, to whom and why', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'audit.json');
    const audit = openAudit(await openTarget({ destination: file, sync: false }), (error) => {
      throw error;
    });
    const told = { kind: 'after-release', what: 'webhook', endpoint: 'erp', user: 'acme', path: '/in/a.csv', session: 's1', seconds: 3 } as const;
    audit.record({ ...told, outcome: 'failure', reason: 'given up, tried since 2026-05-01T00:00:00.000Z: the endpoint answered 500' });
    audit.record({ ...told, outcome: 'success', path: '/in/b.csv' });
    audit.record({ ...told, what: 'event', endpoint: undefined, outcome: 'failure', reason: 'kept in /var/lib/ftps/outbox' });
    await audit.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(sum(metricValues(lines)['WebhooksGivenUp'])).toBe(1);
    const { misfits, results } = queried(lines, { 'webhooks-given-up': days });
    expect(misfits).toEqual([]);
    expect(results['webhooks-given-up']).toMatchObject([
      { endpoint: 'erp', account: 'acme', path: '/in/a.csv', reason: 'given up, tried since 2026-05-01T00:00:00.000Z: the endpoint answered 500' },
    ]);
  }));

it("every line of the server's own test run fits the schema, the table and the chain, and is counted by its metric", () =>
  inFolder(async (folder) => {
    const suites = readdirSync('test/server', { recursive: true, encoding: 'utf8' })
      .map((name) => join('test/server', name))
      .filter((name) => name.endsWith('.test.ts') && readFileSync(name, 'utf8').includes("support/server'"));
    spawnSync('npx', ['jest', '--selectProjects', 'server', '--silent', ...suites], {
      env: { ...process.env, CDK_FTPS_KEEP_AUDIT: folder },
      stdio: 'ignore',
      timeout: 280_000,
    });
    const kept = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'));
    const events = kept.flatMap((pairs) => pairs.filter((_, index) => index % 2 === 0).map((event) => JSON.parse(event) as ServerEvent));
    const lines = kept.flatMap((pairs) => pairs.filter((_, index) => index % 2 === 1));
    expect(lines.length).toBeGreaterThan(1_000);
    for (const line of lines) auditLine.parse(JSON.parse(line));
    expect((await verifyChain(lines)).breaks).toEqual([]);

    const counted = (fits: (event: ServerEvent) => boolean) => events.filter(fits).length;
    const transfers = (which: 'upload' | 'download', outcome: 'success') => (event: ServerEvent) =>
      event.kind === 'transfer' && event.transfer === which && event.outcome === outcome;
    const logins = (outcome: string) => (event: ServerEvent) => event.kind === 'login' && event.outcome === outcome;
    const done = {
      SessionsOpened: counted(({ kind }) => kind === 'connection-opened'),
      HandshakeFailures: counted(({ kind }) => kind === 'handshake-failed'),
      Logins: counted(logins('success')),
      FailedLogins: counted(logins('failure')),
      UnavailableLogins: counted(logins('unavailable')),
      Lockouts: counted(({ kind }) => kind === 'lockout'),
      Malware: counted((event) => event.kind === 'transfer' && event.verdict?.result === 'infected'),
      RefusedPorts: counted((event) => event.kind === 'refused' && event.channel === 'data'),
      RefusedConnections: counted((event) => event.kind === 'refused' && event.channel === 'control'),
      Uploads: counted(transfers('upload', 'success')),
      Downloads: counted(transfers('download', 'success')),
      TransferErrors: counted((event) => event.kind === 'transfer' && event.outcome !== 'success'),
      ScannerDown: counted((event) => event.kind === 'health' && event.part === 'scanner' && event.state === 'down'),
      CertificatesRefused: counted((event) => event.kind === 'certificate' && event.change === 'refused'),
    };
    const metrics = metricValues(lines);
    expect(Object.fromEntries(Object.keys(done).map((name) => [name, sum(metrics[name])]))).toEqual(done);
    // The run is a wide one: each of these happened.
    for (const name of ['HandshakeFailures', 'FailedLogins', 'Lockouts', 'Malware', 'RefusedPorts', 'TransferErrors', 'ScannerDown', 'CertificatesRefused'])
      expect([name, sum(metrics[name])]).not.toEqual([name, 0]);

    const byReason: Record<string, number> = {};
    for (const event of events) if (event.kind === 'handshake-failed') byReason[event.reason] = (byReason[event.reason] ?? 0) + 1;
    const { misfits, rows, same, filled, results } = queried(lines, { 'handshake-failures-by-reason': days, 'transfers-by-account': days });
    expect({ misfits, rows, same }).toEqual({ misfits: [], rows: lines.length, same: true });
    const found: Record<string, number> = {};
    for (const { reason, failures } of results['handshake-failures-by-reason']!) found[reason] = (found[reason] ?? 0) + failures;
    expect(found).toEqual(byReason);
    expect(filled).toEqual(expect.arrayContaining(['src_endpoint', 'tls', 'file', 'user', 'unmapped', 'traffic', 'codes']));
  }));

describe('ftps audit verify over 100,000 lines', () => {
  const LINES = 100_000;
  const event: ServerEvent = {
    kind: 'command',
    command: 'MKD',
    code: 257,
    path: '/in',
    session: 's1',
    user: 'partner',
    protocol: 'ftps',
    listener: 'explicit',
    client: { address: '192.0.2.1', port: 4000 },
    server: { address: '192.0.2.2', port: 21 },
  };
  const verify = (file: string) => run(process.execPath, [BUNDLE, 'audit', 'verify', file]);

  it('finds one flipped byte, one dropped line, one swapped pair, and nothing in the whole', () =>
    inFolder(async (folder) => {
      const whole = join(folder, 'audit.json');
      const audit = openAudit(await openTarget({ destination: whole, sync: false }), (error) => {
        throw error;
      });
      for (let index = 0; index < LINES - 1; index += 1) {
        audit.record(event);
        if (index % 10_000 === 0) await audit.flush();
      }
      audit.record({ kind: 'server', change: 'stopped' });
      await audit.close();
      expect(await verify(whole)).toEqual({ code: 0, output: `${LINES} lines of 1 processes, 0 breaks\n` });

      const bytes = readFileSync(whole);
      const lines = bytes.toString().trimEnd().split('\n');
      const changed = async (content: string | Buffer) => {
        const file = join(folder, 'changed.json');
        writeFileSync(file, content);
        const { code, output } = await verify(file);
        return { code, found: [...output.matchAll(/changed\.json:(\d+) (.*)/g)].map(([, line, text]) => `${line} ${text}`) };
      };
      const flipped = Buffer.from(bytes);
      const middle = bytes.indexOf('\n', bytes.length / 2) + 30; // within a line
      flipped[middle]! ^= 1;
      const lineOf = bytes.subarray(0, middle).toString().split('\n').length;
      expect(await changed(flipped)).toEqual({ code: 3, found: [`${lineOf} was changed`] });

      const follows = 'does not follow the line before it: lines are missing or were moved';
      expect(await changed(lines.toSpliced(70_000, 1).join('\n'))).toEqual({ code: 3, found: [`70001 ${follows}`] });
      const swapped = lines.with(41_999, lines[42_000]!).with(42_000, lines[41_999]!);
      expect(await changed(swapped.join('\n'))).toEqual({ code: 3, found: [`42000 ${follows}`, `42001 ${follows}`, `42002 ${follows}`] });
    }));
});

it('the templates pass cfn-lint', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'logs.template.json');
    for (const one of [template, agnosticTemplate]) {
      writeFileSync(file, JSON.stringify(one.toJSON()));
      expect(python('cfn-lint', '--regions', 'eu-central-1', '--', file)).toBe('');
    }
    // A wrong one doesn't.
    writeFileSync(file, JSON.stringify({ Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketNam: 'x' } } } }));
    expect(() => python('cfn-lint', '--regions', 'eu-central-1', '--', file)).toThrow(/BucketNam/);
  }));
