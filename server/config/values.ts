/** What settings of several parts are made of. */
import { z } from 'zod';
import { network } from './network';

export const seconds = (text: string) => z.number().positive().max(86_400).describe(`${text} Seconds.`);

/** A year, of what outlasts a day. Seconds. */
export const LONGEST_TIME = 31_536_000;

/** Uses of one link. */
export const MOST_USES = 1_000;

export const longTime = (text: string) => z.number().positive().max(LONGEST_TIME).describe(`${text} Seconds.`);

export const count = (text: string) => z.number().int().positive().describe(text);

export const bytes = (text: string) => z.number().int().positive().describe(`${text} Bytes.`);

export const file = (text: string) => z.string().min(1).describe(text);

export const port = (text: string) => z.number().int().min(0).max(65_535).describe(`${text} 0 means any free port, for tests and laptops.`);

/** Of every port that clients connect to. */
export const whoMayConnect = {
  allow: z.array(network).default([]).describe('Client networks that may connect; empty means every network that the security group lets in.'),
  deny: z.array(network).default([]).describe('Client networks that are refused, checked before `allow`.'),
  proxyProtocolFrom: z
    .array(network)
    .default([])
    .describe('Load balancers that put a PROXY protocol v2 header before the first byte. From these networks it is required, from all others it is not read.'),
};

/** The least that keeps a transfer from looking dead to its client. Bytes per second. */
const SLOWEST = 4_096;

const rate = (text: string) => z.number().int().min(SLOWEST, `expected ${SLOWEST} bytes per second or more`).optional().describe(`${text} Bytes per second.`);

export const bandwidth = (whose: string) =>
  z
    .strictObject({
      downloadBytesPerSecond: rate('What clients may be sent, listings included.'),
      uploadBytesPerSecond: rate('What clients may send.'),
    })
    .optional()
    .describe(`How fast all transfers ${whose} together may move bytes; absent means as fast as they can.`);

export const keyPrefix = (text: string) =>
  z
    .string()
    .max(256)
    .regex(/^([^/]+\/)*$/, 'expected nothing, or folders with a slash after each, for example `files/`')
    .describe(text);

export const secureUrl = z
  .url({ protocol: /^https$/, error: 'expected an address with https://' })
  .refine((text) => !/[?#@]/.test(text), 'expected an address without a query, a fragment or a name before an @');
