/** Signing in and out, and what an account sees of itself. */
import { z } from 'zod';
import { CLEAR_COOKIE, setCookie } from '../../access/cookie';
import { type Entrance, isWithin, type Visitor } from '../../exchange';
import { Problem } from '../problem';
import { openRoute, type Route, route } from '../route';
import { session, visitor } from '../schemas';

/** One text for every reason, so that nobody learns which accounts there are. */
const REFUSED = 'Name, password or code is wrong.';

/** What a client that did not get in is told. */
export function refusal(entrance: Exclude<Entrance, { kind: 'entered' }>, text: string): Problem {
  switch (entrance.kind) {
    case 'refused':
      return new Problem(401, 'refused', text, { 'www-authenticate': 'Bearer' });
    case 'locked-out':
      return new Problem(429, 'locked-out', 'Your address is locked out; try again later.');
    case 'link-over':
      return new Problem(410, 'link-over', 'This link is good for nothing any more.');
    case 'link-password':
      return new Problem(403, 'link-password', 'The password of this link is missing, or wrong.');
    case 'too-many-sessions':
      return new Problem(429, 'too-many-sessions', 'The account has too many sessions.');
    case 'unavailable':
    case 'gone':
      return new Problem(503, 'unavailable', 'Accounts can not be checked at the moment; try again later.');
  }
}

type VisitorJson = z.output<typeof visitor>;

function visitorJson({ account, via, folder, makes }: Visitor): VisitorJson {
  return { user: account.user, via: via === 'token' ? via : 'sign-in', permissions: [...account.permissions], folder, links: [...makes] };
}

export const accountRoutes: readonly Route[] = [
  openRoute({
    method: 'POST',
    at: '/sign-in',
    id: 'signIn',
    summary: 'Signs in with a password, for a browser',
    description: 'The answer sets a cookie. An account whose certificate alone is enough leaves the password away. Programs use tokens.',
    body: z.strictObject({
      user: z.string().min(1).max(256),
      password: z.string().max(1_024).optional(),
      code: z.string().max(16).optional().describe('Of an authenticator app, where the account asks for one.'),
    }),
    answers: { 201: { description: 'Signed in.', schema: visitor } },
    async handle({ exchange, body }) {
      const entrance = await exchange.caller.signIn(body.user, body.password, body.code);
      if (entrance.kind !== 'entered') {
        if (entrance.kind === 'refused' && entrance.isLast) exchange.endsConnection();
        throw refusal(entrance, REFUSED);
      }
      return { status: 201, json: visitorJson(entrance.visitor), headers: { 'set-cookie': setCookie(entrance.cookie!) } };
    },
  }),
  route({
    method: 'GET',
    at: '/sign-in',
    id: 'whoAmI',
    summary: 'Who asks, and what the account may do',
    answers: { 200: { description: 'Who it is.', schema: visitor } },
    async handle({ visitor: one }) {
      return { status: 200, json: visitorJson(one) };
    },
  }),
  route({
    method: 'DELETE',
    at: '/sign-in',
    id: 'signOut',
    summary: 'Signs out, on all connections',
    answers: { 204: { description: 'The cookie is worth nothing any more.' } },
    async handle({ exchange }) {
      exchange.caller.signOut();
      return { status: 204, headers: { 'set-cookie': CLEAR_COOKIE } };
    },
  }),
  route({
    method: 'GET',
    at: '/space',
    id: 'space',
    summary: 'How large a new file may be',
    answers: {
      200: { description: 'As quota and disk allow it now.', schema: z.strictObject({ bytes: z.number().int().optional() }).meta({ id: 'Space' }) },
    },
    async handle({ files }) {
      return { status: 200, json: { bytes: await files.available() } };
    },
  }),
  route({
    method: 'GET',
    at: '/sessions',
    id: 'sessions',
    summary: 'Connections of the account, over every protocol, and what they transfer',
    answers: { 200: { description: 'Those that are open.', schema: z.strictObject({ sessions: z.array(session) }).meta({ id: 'Sessions' }) } },
    async handle({ exchange, visitor, files }) {
      const { account, folder } = visitor;
      const own = (await exchange.caller.who()).filter(({ user }) => user === account.user);
      // What is transferred elsewhere is no business of who may not see files, or not those.
      const sessions = own.map(({ user: _, transfer, ...one }) =>
        transfer && files.maySee(transfer.path) && isWithin(folder, transfer.path) ? { ...one, transfer } : one,
      );
      return { status: 200, json: { sessions } };
    },
  }),
];
