/** HTTPS: the page, the API, links, and whose tokens and sign-ins count. */
import { z } from 'zod';
import { accountRules, folderOfAccount, scopes } from './accounts';
import { count, longTime, MOST_USES, port, seconds, secureUrl, whoMayConnect } from './values';

export const httpsSchema = z.strictObject({
  host: z.string().default('::').describe('The address to listen on; `::` is every IPv4 and IPv6 address.'),
  port: port('The port of HTTPS: 443 by custom.'),
  clientCertificates: z
    .enum(['off', 'optional', 'required'])
    .default('off')
    .describe('Whether clients present a certificate; browsers ask their user for one.'),
  ...whoMayConnect,
  headSeconds: seconds('A request whose head or small body has not come by then ends its connection.').default(10),
  keepAliveSeconds: seconds('A connection without a request is closed after that long.').default(60),
  requestsPerMinute: count(
    'Requests in a minute of one account; more are answered 429. What is left stands in `RateLimit` of every answer. All workers of an instance count together.',
  ).default(6_000),
  uploadIdleSeconds: seconds('An upload that was begun to go on after a lost connection is given up when nobody does for that long.').default(3_600),
  signInIdleSeconds: seconds('Who signed in with a password and asks for nothing that long signs in again.').default(3_600),
  signInSeconds: seconds('Who signed in with a password signs in again after that long in any case.').default(43_200),
  links: z
    .strictObject({
      defaultSeconds: longTime('How long a link is good where whoever makes it does not say.').default(604_800),
      maxSeconds: longTime('How long one is good at most.').default(2_592_000),
      mostUses: z
        .number()
        .int()
        .min(1)
        .max(MOST_USES)
        .default(100)
        .describe('How often one may be used at most: downloads that were begun, files that were uploaded.'),
      perAccount: count('Links that an account may have at once.').default(100),
    })
    .optional()
    .describe(
      'Links by which somebody without an account downloads one file, or uploads into one folder and sees nothing of it. An account makes them of what it may do itself, and they end when it is changed or its right is taken away. They are kept in the storage, so that every instance knows them. Absent: none are made, and those that were are good for nothing.',
    ),
  signInTable: z
    .string()
    .min(3)
    .optional()
    .describe(
      'DynamoDB table in which all instances share sign-ins, so that the next connection of a browser may come to another one: partition key `key` (text), TTL attribute `expires`; that of `limits.lockout.table` will do. Absent, or while it can not be reached: each instance has its own.',
    ),
});

/** From what a token says to the account that it stands for. */
const issuerRule = z.strictObject({
  claims: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('Name of a claim, or the way to one within others: `realm_access.roles`.'),
        value: z.string().describe('What it must be, or have in it where it is a list; of `scope` and `scp` a word.'),
      }),
    )
    .min(1, 'expected one claim or more: without one, everybody whom the issuer knows would come in')
    .describe('All of them must fit.'),
  user: z
    .string()
    .min(1)
    .describe(
      'The account that it stands for. `{claim}` is the value of a claim; use one that its owner can not choose, such as `sub` or `oid`. The account must be there, and may be used as it says itself, unless the rule has an `account`.',
    ),
  scopes: scopes.default(['read', 'write']),
  folder: folderOfAccount,
  account: accountRules
    .pick({ permissions: true, overwrite: true, allowedNetworks: true, deniedNetworks: true, maxSessions: true, quota: true, bandwidth: true })
    .extend({
      home: accountRules.shape.home.describe(
        'Folder of the account below the storage root. `{user}` is the name of the account, `{claim}` any claim with one value; each fills one folder name.',
      ),
    })
    .optional()
    .describe('What the account may do, where no source of accounts has it. One of that name that a source has is never used by it: then nobody is let in.'),
});

const AUDIENCE = 'expected a list of whom its tokens are for, as they say it themselves (`aud`): ["https://files.example.com"], or the id of a client';

export const issuerSchema = z.strictObject({
  issuer: secureUrl.describe('As its tokens name it (`iss`), letter by letter.'),
  audience: z
    .array(z.string().min(1), { error: AUDIENCE })
    .min(1, AUDIENCE)
    .describe(
      'Whom tokens must be for: any one of these must be in `aud`. A value that no other service shares: with the same one, its tokens would do here as well.',
    ),
  audienceClaim: z
    .enum(['aud', 'client_id'])
    .default('aud')
    .describe('`client_id` for issuers whose access tokens have no `aud`, as those of Amazon Cognito: `audience` then lists the clients.'),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .default(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])
    .describe(
      'Signatures that are taken (RFC 7518 section 3.1). None of them is made with a secret that both ends have. With `tls.policy` `fips`, `EdDSA` is not taken.',
    ),
  jwksUri: secureUrl
    .optional()
    .describe('Where its keys are (RFC 7517). Absent: where `/.well-known/openid-configuration` below the issuer says (OpenID Connect Discovery).'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe("Authorities of the issuer's own certificate: a PEM file, read again when it changes, or the PEM text itself. Absent means the well-known ones."),
  skewSeconds: z.number().min(0).max(300).default(60).describe('How far the clocks of issuer and server may be apart. Seconds.'),
  keysSeconds: seconds(
    'How long its keys are used before they are asked for again; a key that is not among them has them asked for at once, twice a minute at most. While the issuer does not answer, they are good for a day.',
  ).default(600),
  rules: z.array(issuerRule).min(1).describe('The first rule whose claims fit decides; a token that none fits is refused.'),
});

export const signInWithSchema = z.strictObject({
  name: z.string().min(1).max(60).describe('What stands on the button of the page.'),
  issuer: secureUrl.describe('One of `https.issuers`, whose rules say for which account somebody stands; here they look at the ID token.'),
  clientId: z.string().min(1).describe('As which the server is registered there, with the address `https://HOST/api/v1/sign-in/callback`.'),
  clientSecretFile: z.string().min(1).optional().describe('File whose first line is its secret there; read each time.'),
  clientSecretId: z
    .string()
    .min(1)
    .optional()
    .describe('Secrets Manager secret with `clientSecret`; read each time. Absent, as `clientSecretFile`: it has none, and PKCE alone (RFC 7636).'),
  scopes: z.array(z.string().min(1)).min(1).default(['openid', 'profile', 'email']).describe('What is asked for; `openid` must be among them.'),
});
