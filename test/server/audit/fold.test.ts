import type { ServerEvent, SessionFacts } from '../../../server/audit/event';
import { foldRepeats } from '../../../server/audit/fold';
import { toOcsf } from '../../../server/audit/ocsf';
import { auditLine } from '../../../server/audit/schema';
import type { AuditSink } from '../../../server/audit/sink';
import { ocsfProblems } from '../support/ocsf';

type Said = NonNullable<Parameters<AuditSink['record']>[1]>;

/** What is written, and a clock in the test's hands. */
function folded() {
  const written: { readonly event: ServerEvent; readonly said: Said }[] = [];
  const clock = { now: 1_000_000 };
  const audit = foldRepeats(
    { record: (event: ServerEvent, said: Said = {}) => void written.push({ event, said }), flush: async () => {}, close: async () => {} } as AuditSink,
    (address) => address,
    () => clock.now,
  );
  /** As a line of the audit, held against its schemas. */
  const lines = () =>
    written.map(({ event, said }, index) => {
      const line = toOcsf(event, { time: said.time ?? clock.now, repeats: said.repeats, sequence: index, productVersion: '1' });
      auditLine.parse(line);
      expect(ocsfProblems(line as never)).toEqual([]);
      return line;
    });
  return { audit, written, clock, lines };
}

const facts = (session: string, address = '192.0.2.1', user?: string): SessionFacts => ({
  session,
  protocol: 'ftps',
  listener: 'explicit',
  client: { address, port: 4000 },
  server: { address: '192.0.2.9', port: 21 },
  user,
});
const opened = (session: string, address?: string): ServerEvent => ({ kind: 'connection-opened', ...facts(session, address) });
const closed = (session: string, address?: string, user?: string): ServerEvent => ({
  kind: 'connection-closed',
  seconds: 1,
  reason: 'client',
  ...facts(session, address, user),
});
const refused = (session: string, address?: string): ServerEvent => ({
  kind: 'refused',
  channel: 'control',
  reason: 'tls-required',
  detail: 'USER',
  ...facts(session, address),
});
const login = (session: string, address?: string): ServerEvent => ({ kind: 'login', outcome: 'success', login: 'ann', ...facts(session, address, 'ann') });

it('tells what an address without an account brings about line by line at first, and then counts', async () => {
  const { audit, written, clock, lines } = folded();
  for (let time = 0; time < 5_000; time += 1) {
    clock.now += 1;
    audit.record(refused('s'));
  }
  expect(written.length).toBeGreaterThan(50);
  expect(written.length).toBeLessThan(70);
  const before = written.length;
  await audit.flush();
  expect(written.length).toBe(before + 1);
  const line = lines().at(-1)!;
  expect(line).toMatchObject({ count: 5_000 - before, end_time: clock.now, time: clock.now, src_endpoint: { ip: '192.0.2.1' } });
  expect(line.message).toMatch(/, \d+ times$/);
  await audit.close();
});

it('tells each password that was looked at, however much its address has said; a flood that lock-outs turn away is counted', async () => {
  const { audit, written } = folded();
  const failed = (name: string, reason: string): ServerEvent => ({ kind: 'login', outcome: 'failure', login: name, reason, ...facts('s') });
  for (let time = 0; time < 1_000; time += 1) audit.record(refused('s'));
  written.length = 0;
  for (let time = 0; time < 40; time += 1) audit.record(failed(`guess ${time}`, 'wrong-password'));
  for (let time = 0; time < 1_000; time += 1) audit.record(failed('guess', 'locked-out'));
  expect(written.map(({ event }) => event.kind === 'login' && event.login)).toEqual(Array.from({ length: 40 }, (_, time) => `guess ${time}`));
  await audit.close();
});

it('of connections that do nothing, tells each beginning with its end, or counts both', async () => {
  const { audit, written, lines } = folded();
  for (let session = 0; session < 1_000; session += 1) audit.record(opened(`s${session}`));
  for (let session = 0; session < 1_000; session += 1) audit.record(closed(`s${session}`));
  await audit.flush();
  const [beginnings, ends] = (['connection-opened', 'connection-closed'] as const).map((kind) => written.filter(({ event }) => event.kind === kind));
  expect(beginnings).toHaveLength(30);
  expect(ends!.map(({ said }) => said.repeats?.count ?? 1)).toEqual([...Array(30).fill(1), 970]);
  expect(lines()).toHaveLength(61);
  await audit.close();
});

it('tells everything about sessions of an account, in the order and with the time it was, however many strangers share its address', async () => {
  const { audit, written, clock } = folded();
  for (let time = 0; time < 1_000; time += 1) audit.record(refused('stranger'));
  written.length = 0;
  const begun = clock.now;
  for (let session = 0; session < 200; session += 1) audit.record(opened(`s${session}`));
  expect(written).toHaveLength(0);
  clock.now += 500;
  for (let session = 0; session < 200; session += 1) {
    audit.record(login(`s${session}`));
    audit.record(closed(`s${session}`, undefined, 'ann'));
  }
  expect(written).toHaveLength(600);
  expect(written.slice(0, 3).map(({ event, said }) => [event.kind, said.time])).toEqual([
    ['connection-opened', begun],
    ['login', undefined],
    ['connection-closed', undefined],
  ]);
  await audit.close();
});

it('counts what somebody brings about who only says the name of an account, and tells everything once that is proven', async () => {
  const { audit, written, lines } = folded();
  const message = (more: object): ServerEvent => ({
    kind: 'as2-message',
    direction: 'received',
    partner: 'Them',
    messageId: '<1@them>',
    outcome: 'failure',
    what: 'message',
    disposition: 'authentication-failed',
    bytes: 0,
    receipt: 'sync',
    path: '/as2',
    status: 200,
    ...facts('s', '192.0.2.1', 'ann'),
    protocol: 'as2',
    listener: 'as2',
    ...more,
  });
  const staged = (more: object): ServerEvent => ({
    kind: 'transfer',
    transfer: 'upload',
    command: 'AS2',
    path: '/inbox/order.edi',
    outcome: 'failure',
    bytes: 1,
    offset: 0,
    seconds: 0,
    encrypted: true,
    reason: 'The message was refused: authentication-failed.',
    ...facts('s', '192.0.2.1', 'ann'),
    protocol: 'as2',
    listener: 'as2',
    ...more,
  });
  for (let count = 0; count < 1_000; count += 1) for (const event of [message, staged]) audit.record(event({ isUnproven: true }));
  expect(written.length).toBeLessThan(100);
  await audit.flush();
  expect(written.reduce((sum, { said }) => sum + (said.repeats?.count ?? 1), 0)).toBe(2_000);
  const before = written.length;
  for (let count = 0; count < 100; count += 1) audit.record(message({ isUnproven: false, outcome: 'success', disposition: 'processed' }));
  expect(written).toHaveLength(before + 100);
  expect(JSON.stringify(lines())).not.toContain('isUnproven');
});

it('keeps many addresses together in bounds too, and says how many they were', async () => {
  const { audit, written, lines } = folded();
  for (let address = 0; address < 20_000; address += 1) {
    const from = `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`;
    audit.record(opened(`s${address}`, from));
    audit.record(closed(`s${address}`, from));
  }
  await audit.flush();
  expect(written.length).toBeLessThanOrEqual(3_000 + 1_000 + 1);
  const last = lines().at(-1)!;
  expect(last.count).toBeGreaterThan(17_000);
  expect(last.unmapped?.addresses).toBeGreaterThan(9_000);
  await audit.close();
});

it('no event of a stranger is lost: what is told and what is counted make up all', async () => {
  const { audit, written, clock } = folded();
  let random = 1;
  let sent = 0;
  for (let turn = 0; turn < 20_000; turn += 1) {
    random = (random * 48_271) % 2_147_483_647;
    clock.now += random % 40;
    audit.record(refused(`s${random % 50}`, `192.0.2.${random % 7}`));
    sent += 1;
    if (turn % 5_000 === 0) await audit.flush();
  }
  await audit.flush();
  expect(written.reduce((sum, { said }) => sum + (said.repeats?.count ?? 1), 0)).toBe(sent);
  await audit.close();
});

it('counts what an account asks for again and again though nobody is given it, and tells everything else of it', () => {
  const { audit, written, clock } = folded();
  audit.record(login('s'));
  const asks: ServerEvent = { kind: 'refused', channel: 'control', reason: 'not-offered', detail: 'shell', ...facts('s', '192.0.2.1', 'ann') };
  for (let time = 0; time < 5_000; time += 1) {
    clock.now += 1;
    audit.record(asks);
  }
  const told = written.filter(({ event }) => event.kind === 'refused').length;
  expect(told).toBeGreaterThan(50);
  expect(told).toBeLessThan(100);
  void audit.flush();
  expect(written.reduce((sum, { event, said }) => sum + (event.kind === 'refused' ? (said.repeats?.count ?? 1) : 0), 0)).toBe(5_000);
});
