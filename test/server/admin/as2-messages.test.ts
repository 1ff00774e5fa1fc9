/** The last messages of AS2 as the console lists them. */
import { RecentAs2 } from '../../../server/admin/as2-messages';
import { together } from '../../../server/admin/standing';
import type { ServerEvent } from '../../../server/audit/event';

const facts = {
  session: 's',
  protocol: 'as2',
  listener: 'as2',
  client: { address: '203.0.113.7', port: 4711 },
  server: { address: '10.0.0.1', port: 443 },
} as const;
const came = (messageId: string, more: object = {}) =>
  ({
    kind: 'as2-message',
    direction: 'received',
    what: 'message',
    partner: 'Acme',
    messageId,
    outcome: 'success',
    disposition: 'processed',
    bytes: 3,
    receipt: 'sync',
    path: '/as2',
    status: 200,
    ...facts,
    ...more,
  }) as ServerEvent;
const sent = (messageId: string, state: string, more: object = {}) =>
  ({
    kind: 'as2-delivery',
    what: 'message',
    partner: 'Acme',
    user: 'acme',
    messageId,
    outcome: 'success',
    state,
    path: '/outbox/order.edi',
    ...more,
  }) as ServerEvent;

function heard(...events: readonly ServerEvent[]) {
  const recent = new RecentAs2();
  const passed: ServerEvent[] = [];
  const audit = recent.hearing({ failed: false, record: (event) => void passed.push(event), flush: async () => {}, close: async () => {} });
  for (const event of events) audit.record(event);
  expect(passed).toEqual(events);
  return recent.last;
}
const told = (messages: ReturnType<typeof heard>) =>
  messages.map(({ direction, messageId, state, failed, about }) => [direction, messageId, state, failed, about].join(' '));

it('stand as the last that is known of each, the newest first', () => {
  const messages = heard(
    came('<1>'),
    sent('<2>', 'waiting', { outcome: 'failure', detail: 'the partner answered 500' }),
    came('<3>', { outcome: 'failure', disposition: 'error: decryption-failed', detail: 'no key fits' }),
    came('<1>', { what: 'repeated message' }),
    came('<4>', { what: 'receipt' }),
    sent('<2>', 'delivered'),
    sent('<3>', 'given-up', { what: 'receipt', outcome: 'failure', path: undefined, detail: 'nobody answers' }),
  );
  expect(told(messages)).toEqual([
    'received <3> receipt given-up true nobody answers',
    'sent <2> delivered false /outbox/order.edi',
    'received <1> processed, repeated false ',
  ]);
});

it('are a hundred at most', () => {
  const messages = heard(...Array.from({ length: 250 }, (_, index) => came(`<${index}>`)));
  expect([messages.length, messages[0]!.messageId, messages.at(-1)!.messageId]).toEqual([100, '<249>', '<150>']);
});

it('of several processes are those of all, each once', () => {
  const standing = (as2?: ReturnType<typeof heard>) => ({ passive: { open: 0, waitedOn: 0 }, certificates: [], dependencies: {}, ...(as2 ? { as2 } : {}) });
  const at = (messages: ReturnType<typeof heard>, time: string) => messages.map((one) => ({ ...one, at: time }));
  const [early, late] = [
    at(heard(sent('<1>', 'awaiting'), came('<2>')), '2026-11-29T10:00:00.000Z'),
    at(heard(sent('<1>', 'delivered')), '2026-11-29T11:00:00.000Z'),
  ];
  expect(told(together([standing(early), standing(late)]).as2!)).toEqual(['sent <1> delivered false /outbox/order.edi', 'received <2> processed false ']);
  expect(together([standing(), standing()])).not.toHaveProperty('as2');
});
