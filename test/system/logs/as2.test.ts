/** Lines of AS2 through the saved queries: everything about a message, and what failed with whom. */
import { Chain } from '../../../server/audit/chain';
import type { ServerEvent } from '../../../server/audit/event';
import { toOcsf } from '../../../server/audit/ocsf';
import { metricValues, queried } from './provisioned';

const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
const days = [day(-1), day(1)];
const facts = {
  session: 's1',
  user: 'acme',
  protocol: 'as2',
  listener: 'as2',
  client: { address: '192.0.2.1', port: 4000 },
  server: { address: '192.0.2.2', port: 443 },
} as const;
const came = { kind: 'as2-message', direction: 'received', what: 'message', partner: 'Acme', receipt: 'sync', path: '/as2', status: 200, ...facts } as const;
const sent = { kind: 'as2-delivery', what: 'message', partner: 'Acme', user: 'acme', messageId: '<2@us>', path: '/outbox/order.edi', bytes: 3 } as const;
const events: readonly ServerEvent[] = [
  {
    ...came,
    messageId: '<1@acme>',
    outcome: 'success',
    disposition: 'processed',
    layers: 'encrypted aes-256-cbc, signed sha256',
    mic: 'abc=, sha-256',
    bytes: 3,
  },
  { ...came, messageId: '<1@acme>', what: 'repeated message', outcome: 'success', disposition: 'processed', bytes: 3 },
  { ...came, messageId: '<3@acme>', outcome: 'failure', disposition: 'error: decryption-failed', bytes: 0, detail: 'no key fits' },
  { ...sent, outcome: 'failure', state: 'waiting', detail: 'the answer is no receipt' },
  { ...sent, outcome: 'success', state: 'delivered', disposition: 'automatic-action/MDN-sent-automatically; processed' },
];
const chain = new Chain();
const lines = events.map((event, index) => chain.link(toOcsf(event, { time: Date.now() + index, sequence: index + 1, productVersion: '1' })));

it('a message is found by its Message-ID, with each attempt, and failures by their partner', () => {
  const { misfits, results } = queried(lines, { 'as2-message': ['<2@us>', ...days], 'as2-failures-by-partner': days, 'sessions-by-protocol': days });
  expect(misfits).toEqual([]);
  expect(results['as2-message']).toMatchObject([
    { event: 'as2-delivery', partner: 'Acme', state: 'waiting', status: 'Failure', reason: 'the answer is no receipt', path: '/outbox/order.edi' },
    { event: 'as2-delivery', state: 'delivered', status: 'Success', disposition: expect.stringMatching(/processed$/) },
  ]);
  expect(results['as2-failures-by-partner']).toMatchObject([
    { partner: 'Acme', event: 'as2-delivery', outcome: 'waiting', reason: 'the answer is no receipt', failures: 1 },
    { partner: 'Acme', event: 'as2-message', outcome: 'error: decryption-failed', reason: 'no key fits', failures: 1 },
  ]);
  const found = queried(lines, { 'as2-message': ['<1@acme>', ...days] }).results['as2-message'];
  expect(found).toMatchObject([
    { what: 'message', disposition: 'processed', mic: 'abc=, sha-256', layers: 'encrypted aes-256-cbc, signed sha256', address: '192.0.2.1', session: 's1' },
    { what: 'repeated message' },
  ]);
});

it('missing receipts and failures are counted', () => {
  const counted = metricValues(lines);
  expect([counted['As2ReceiptsMissing'], counted['As2Failures'], counted['As2KeysRefused']]).toEqual([[1], [1], []]);
});
