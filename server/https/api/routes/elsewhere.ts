/** Signing in at an issuer of the settings, in a browser. */
import { z } from 'zod';
import { setCookie } from '../../access/cookie';
import { begun, CLEAR_ELSEWHERE, resumed } from '../../access/elsewhere';
import { Problem } from '../problem';
import { openRoute, type Route } from '../route';

const ways = z.strictObject({ ways: z.array(z.strictObject({ id: z.string(), name: z.string() })) }).meta({ id: 'Ways' });
const address = z.strictObject({ location: z.string().describe('Where the browser goes.') }).meta({ id: 'Elsewhere' });

export const elsewhereRoutes: readonly Route[] = [
  openRoute({
    method: 'GET',
    at: '/sign-in/ways',
    id: 'signInWays',
    summary: 'Where else people can sign in',
    answers: { 200: { description: 'Those that the settings name; each has a button in the page.', schema: ways } },
    async handle({ exchange }) {
      return { status: 200, json: { ways: exchange.caller.ways.map((name, index) => ({ id: String(index), name })) } };
    },
  }),
  openRoute({
    method: 'POST',
    at: '/sign-in/ways/{id}',
    id: 'signInElsewhere',
    summary: 'Begins to sign in there, for a browser',
    answers: { 201: { description: 'The address to go to; the answer sets a cookie, by which the browser is known when it comes back.', schema: address } },
    async handle({ exchange, at }) {
      const { caller, head } = exchange;
      const way = /^\d{1,3}$/.test(at) ? Number(at) : -1;
      if (caller.ways[way] === undefined) throw new Problem(404, 'not-found', 'Nobody can sign in there.');
      const { cookie, ...attempt } = begun(way, head.headers.get('host') ?? '');
      const location = await caller.addressOf(way, attempt).catch(() => undefined);
      if (location === undefined) throw new Problem(503, 'unavailable', 'Nobody can sign in there at the moment; try again later.');
      return { status: 201, json: { location }, headers: { 'set-cookie': cookie } };
    },
  }),
  openRoute({
    method: 'GET',
    at: '/sign-in/callback',
    id: 'signedInElsewhere',
    summary: 'Where the browser comes back to',
    isFromElsewhere: true,
    query: z.object({ code: z.string().max(4_096).optional(), state: z.string().max(256).optional(), iss: z.string().max(1_024).optional() }),
    answers: { 303: { description: 'To the page, signed in or not.' } },
    async handle({ exchange, query: { code, state = '', iss } }) {
      const { caller, head } = exchange;
      const found = resumed(state, head.headers.get('host') ?? '', head.headers.get('cookie'));
      // Whoever brings the state of another browser, or none, is sent back as he came.
      const entrance = found && code !== undefined ? await caller.signInElsewhere(found.way, { code, iss }, found.attempt) : caller.nobody();
      if (entrance.kind === 'entered')
        // Of two cookies one can be set in one answer: the other one is worth nothing without a new code, and ends by itself.
        return { status: 303, headers: { location: '/', 'set-cookie': setCookie(entrance.cookie!) } };
      if ('isLast' in entrance && entrance.isLast) exchange.endsConnection();
      caller.refused(head, 303, entrance.kind);
      return { status: 303, headers: { location: `/?sign-in=${entrance.kind === 'refused' ? 'refused' : 'unavailable'}`, 'set-cookie': CLEAR_ELSEWHERE } };
    },
  }),
];
