/** Short-lived tokens for whoever has a token (RFC 6749 section 4.4), as libraries of OAuth 2.0 ask for them. */
import { z } from 'zod';
import { writeAccessToken } from '../../../identity/access-token';
import { readToken } from '../../../identity/token';
import { OAuthProblem } from '../problem';
import { openRoute, type Route } from '../route';
import { refusal } from './account';

/** RFC 8414 section 3. */
export const METADATA_PATH = '/.well-known/oauth-authorization-server';
/** A program asks again when it is over. Seconds. */
const LIFETIME = 900;
const GRANT = 'client_credentials';
const SCOPES = ['read', 'write'] as const;

export function metadata(host: string, prefix: string): object {
  return {
    issuer: `https://${host}`,
    token_endpoint: `https://${host}${prefix}/token`,
    grant_types_supported: [GRANT],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    scopes_supported: SCOPES,
  };
}

const form = z
  .object({
    // Another one is refused in words of its own.
    grant_type: z.string().meta({ enum: [GRANT] }),
    scope: z.string().max(256).optional().describe('`read`, `write`, or both; absent means those of the token.'),
    client_id: z.string().max(1_024).optional().describe('The account, or the id of the token.'),
    client_secret: z.string().max(1_024).optional().describe('The token.'),
  })
  // Unknown names are passed over (RFC 6749 section 3.2).
  .catchall(z.string());

const granted = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.number().int().describe('Seconds.'),
    scope: z.string(),
  })
  .meta({ id: 'Granted' });

const refused = z
  .strictObject({
    error: z.string().describe('One word that a program can tell it by (RFC 6749 section 5.2).'),
    error_description: z.string().describe('In words for a person.'),
  })
  .meta({ id: 'NotGranted' });

function no(error: string, description: string, status = 400): OAuthProblem {
  return new OAuthProblem(status, error, description, status === 401 ? { 'www-authenticate': 'Basic realm="token"' } : {});
}

interface Client {
  readonly id: string;
  readonly secret: string;
}

/** Undefined where there is none, or one in two places. */
function clientOf(authorization: string | undefined, { client_id: id, client_secret: secret }: z.output<typeof form>): Client | undefined {
  if (authorization === undefined) return id === undefined || secret === undefined ? undefined : { id, secret };
  const text = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (text === undefined || secret !== undefined) return undefined;
  const pair = Buffer.from(text, 'base64').toString();
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  const client = { id: decoded(pair.slice(0, colon)), secret: decoded(pair.slice(colon + 1)) };
  return id === undefined || id === client.id ? client : undefined;
}

/** RFC 6749 section 2.3.1: both are encoded as in a form; clients that do not encode send the same, for what we have has nothing to encode. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

export const tokenRoutes: readonly Route[] = [
  openRoute({
    method: 'POST',
    at: '/token',
    id: 'grantToken',
    summary: 'A short-lived token, for a token (OAuth 2.0 client credentials)',
    description:
      'The client is the account or the id of the token, its secret the token, by `client_secret_basic` or `client_secret_post`. It is good for no more than the token is, and as long.',
    body: form,
    isForm: true,
    answers: {
      200: { description: 'It is sent as the token is: `Authorization: Bearer`.', schema: granted },
      400: { description: 'It is not as it should be, or asks for more than the token is good for.', schema: refused },
      401: { description: 'The client is not known, or its secret is wrong.', schema: refused },
    },
    async handle({ exchange, body }) {
      const { head, caller } = exchange;
      if (body.grant_type !== GRANT) throw no('unsupported_grant_type', 'Only client_credentials is there.');
      const client = clientOf(head.headers.get('authorization'), body);
      const token = client && readToken(client.secret);
      const isOwn = token !== undefined && (client!.id === token.user || client!.id === token.id);
      // Whatever was sent counts as a token that was: one that is none is an attempt, too.
      const entrance = await caller.visitor(new Map([['authorization', `Bearer ${isOwn ? client!.secret : ''}`]]));
      if (entrance?.kind !== 'entered') {
        if (entrance && 'isLast' in entrance && entrance.isLast) exchange.endsConnection();
        if (entrance === undefined || entrance.kind === 'refused') throw no('invalid_client', 'The client is not known, or its secret is wrong.', 401);
        throw refusal(entrance, '');
      }
      const { grants } = entrance.visitor;
      if (!grants) throw no('unauthorized_client', 'The token was made before there were short-lived ones; make another one.');
      const wanted = body.scope === undefined ? grants : SCOPES.filter((scope) => body.scope!.split(' ').includes(scope));
      const isMore = wanted.length === 0 || wanted.some((scope) => !grants.includes(scope));
      if (isMore || body.scope?.split(' ').some((scope) => !(SCOPES as readonly string[]).includes(scope)))
        throw no('invalid_scope', `The token is good for ${grants.join(' and ')}.`);
      return {
        status: 200,
        json: {
          access_token: writeAccessToken(token!, wanted, Date.now() + LIFETIME * 1000),
          token_type: 'Bearer',
          expires_in: LIFETIME,
          scope: wanted.join(' '),
        } satisfies z.output<typeof granted>,
        headers: { pragma: 'no-cache' },
      };
    },
  }),
];
