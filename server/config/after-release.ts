/** What is told of a file that was released. */
import { z } from 'zod';
import { network } from './network';
import { count, file, longTime, seconds } from './values';

const webhookSecret = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), file: file('File whose first line is the secret.') }),
  z.strictObject({
    kind: z.literal('secret'),
    secretId: z.string().min(1).describe('Secrets Manager secret with `secret`; a new value is taken up within a minute.'),
  }),
]);

const webhook = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected small letters, digits and `-`')
    .describe(
      'By which the audit and the outbox know the endpoint. One that has another name is another endpoint, and what waits for the one before is given up.',
    ),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((text) => !/^https?:\/\/[^/]*@/.test(text), 'expected no name or password in it; whoever gets it knows the server by its signature')
    .describe('Where it is: `https`, or `http` with `loopback`. Redirects are not followed.'),
  secrets: z
    .array(webhookSecret)
    .min(1)
    .max(2)
    .describe(
      'Secrets of the endpoint, `whsec_` and Base64 of 24 to 64 bytes. While one takes the place of another name both: each message is signed by both.',
    ),
  networks: z
    .array(network)
    .default([])
    .describe(
      'Private networks in which it may be. Addresses that are not reachable from everywhere, those of the instance metadata among them, are not connected to but for these.',
    ),
  loopback: z.boolean().default(false).describe('Whether it is a program of this machine, which may be reached in plain text.'),
  ca: file('Authorities of its certificate, where they are not public ones: a PEM file, or the PEM text itself.').optional(),
  requestSeconds: seconds('An endpoint that has not answered by then is asked again later.').default(15),
  giveUpSeconds: longTime('A message that was not taken for that long is given up, with a line in the audit.').default(259_200),
});

export const afterReleaseSchema = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'A program and its arguments, started for every upload that became visible. There is no shell, and no part of it comes from a client: what is known of the upload is in the environment, `FTPS_USER`, `FTPS_PATH` (as the client names it), `FTPS_FILE` (a path of the host, or an `s3://` URL), `FTPS_BYTES`, `FTPS_SHA256`, `FTPS_CLIENT`, `FTPS_SESSION`. Clients do not wait for it; how it ended is in the audit.',
    ),
  commandSeconds: seconds('A command that runs longer is killed.').default(60),
  commandsAtOnce: count('Commands that run at once; more wait for their turn.').default(4),
  eventBus: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Name or ARN of an EventBridge bus that gets an event `FTPS Upload Released` for every upload that became visible, at least once: it is kept in `outbox` until EventBridge has taken it.',
    ),
  webhooks: z
    .array(webhook)
    .max(8)
    .default([])
    .describe(
      'Endpoints that are told of every upload that became visible, at least once, by signed webhooks (Standard Webhooks 1): POST of what `docs/upload-released.schema.json` describes. Each message is kept in `outbox` until its endpoint has taken it.',
    ),
  outbox: file(
    'Folder in which events are kept until EventBridge, and each webhook, has taken them, on a disk of this machine; made where it is missing. One for each server.',
  ).default('/var/lib/ftps/outbox'),
  outboxEvents: count(
    'Events that are kept at most, by all workers together, each once for EventBridge and for each webhook. While that many wait, uploads are refused with 451 rather than taken without an event.',
  ).default(100_000),
  storage: z.string().min(1).max(256).optional().describe('Name of the storage in these events.'),
});
