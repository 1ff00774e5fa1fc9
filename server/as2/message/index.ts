/**
 * AS2's messages (RFC 4130): S/MIME and receipts, streamed. What partners are, where files go and how HTTP carries it is the door's; here are neither settings nor sockets.
 *
 * A message that comes: `as2Names(headers)` says who and to whom, `openMessage` hands out its payloads and says what it was, `receiptRequest(headers)` how it is to be
 * receipted, `writeReceipt` writes that. A message that goes: `sealMessage`, with the headers of `askReceipt`. A receipt that comes is opened like a message, whose
 * `receipt` then says what it is; `compareMic` compares it with what was sent. Whatever is wrong with a message is a MessageFailure, whose `disposition` the receipt repeats.
 */
export { DEFAULT_BOUNDS, MOST_PAYLOADS } from './bounds';
export { type Disposition, dispositionField, MessageFailure } from './failure';
export { as2Names, writeAs2Name } from './names';
export { openMessage } from './open';
export { compareMic } from './receipt/compare';
export { askReceipt, receiptRequest } from './receipt/request';
export { type WrittenReceipt, writeReceipt } from './receipt/write';
export { sealMessage } from './seal';
export type {
  Bounds,
  Cipher,
  Digest,
  Headers,
  KeyPair,
  KeyTransport,
  Layer,
  Mic,
  Opened,
  OpenKeys,
  Outgoing,
  Payload,
  Policy,
  Receipt,
  ReceiptOptions,
  ReceiptRequest,
  RsaSignature,
  Sealed,
  SealOptions,
  Sink,
} from './types';
