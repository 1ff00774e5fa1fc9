/** How much of everything one message may have. */
import type { Bounds } from './types';

const MIB = 1024 * 1024;

export const DEFAULT_BOUNDS: Bounds = {
  depth: 12,
  headerBytes: 64 * 1024,
  parts: 1000,
  payloadBytes: 2048 * MIB,
  inflation: 200,
  recipients: 32,
  structureBytes: MIB,
  receiptBytes: MIB,
};

/** Payloads of one message, received or sent: each holds a piece of memory and a file until the message is over. */
export const MOST_PAYLOADS = 64;
