/** Reads enveloped-data and auth-enveloped-data (RFC 5652 section 6, RFC 5083) as they come. */
import { createDecipheriv, type Decipher, type DecipherGCM } from 'node:crypto';
import { CIPHERS, cipherOfOid } from '../algorithms';
import { MessageFailure } from '../failure';
import type { Cipher, KeyPair, KeyTransport, OpenKeys } from '../types';
import { associatedCorrection } from './associated-data';
import { malformed, type Node, SET } from './der';
import type { BerReader, Frame } from './reader';
import { type Opening, openingFor } from './recipient';

export interface Encrypted {
  readonly cipher: Cipher;
  readonly transport: KeyTransport;
  readonly recipient: KeyPair;
  /** What was encrypted, as it comes; not yet authenticated. */
  readonly content: AsyncIterable<Buffer>;
  /** Reads what stands behind the content, and throws where that does not fit; called when the content was read to its end. */
  readonly finish: () => Promise<void>;
}

/** AES-GCM's tags, bytes (RFC 5084 section 3.2). */
const SHORTEST_TAG = 12;

export async function readEncrypted(
  reader: BerReader,
  outer: Frame,
  options: { readonly authenticated: boolean; readonly keys: OpenKeys; readonly ciphers: readonly Cipher[]; readonly recipients: number },
): Promise<Encrypted> {
  const frame = await reader.enter(0x30, outer);
  await reader.whole(frame);
  if ((await reader.peek()) === 0xa0) await reader.whole(frame);
  const recipients = await reader.whole(frame);
  if (recipients.tag !== SET) throw malformed('there are no recipients');
  if (recipients.children.length > options.recipients)
    throw new MessageFailure('unexpected-processing-error', `the message has more than ${options.recipients} recipients`);
  const info = await reader.enter(0x30, frame);
  await reader.whole(info);
  const { cipher, iv, tagBytes } = cipherOf(await reader.whole(info), options.ciphers);
  const facts = CIPHERS[cipher];
  if ((facts.mode === 'gcm') !== options.authenticated) throw new MessageFailure('unsupported format', `${cipher} is used where it does not belong`);
  const opening = openingFor(recipients.children, options.keys.decryption);
  await options.keys.turn?.();
  const key = keyOf(opening, facts.keyBytes);
  const decipher = decipherOf(cipher, key, iv, tagBytes);
  let bytes = 0;
  async function* content() {
    if (!(await reader.hasMore(info))) throw malformed('there is no content');
    for await (const chunk of reader.octets(0x80, info)) {
      bytes += chunk.length;
      const plain = decipher.update(chunk);
      if (plain.length > 0) yield plain;
    }
    if (options.authenticated) return;
    const last = final(decipher);
    if (last.length > 0) yield last;
  }
  const finish = async () => {
    await reader.leave(info);
    let attributes: Node | undefined;
    let tag: Buffer | undefined;
    while (await reader.hasMore(frame)) {
      const node = await reader.whole(frame);
      if (node.tag === 0xa1 && options.authenticated && !tag) attributes = node;
      else if ((node.tag & 0xdf) === 0x04 && options.authenticated) tag = node.octets;
      else if (node.tag !== 0xa1 && node.tag !== 0xa2) throw malformed('there is something behind what is encrypted');
    }
    if (!options.authenticated) return;
    if (!tag || tag.length !== tagBytes) throw malformed('what is encrypted has no authentication tag, or one of another length than it says');
    (decipher as DecipherGCM).setAuthTag(attributes ? associatedCorrection(key, attributes, bytes, tag) : tag);
    final(decipher);
  };
  return { cipher, transport: opening.transport, recipient: opening.recipient, content: content(), finish };
}

function cipherOf(identifier: Node, allowed: readonly Cipher[]): { readonly cipher: Cipher; readonly iv: Buffer; readonly tagBytes: number } {
  const id = identifier.child(0).oid;
  const cipher = cipherOfOid(id);
  if (!cipher) throw new MessageFailure('unsupported format', `the message is encrypted by a cipher that is not known (${id})`);
  if (!allowed.includes(cipher)) throw new MessageFailure('insufficient-message-security', `the partner may not encrypt with ${cipher}`);
  const parameters = identifier.child(1);
  const { mode, ivBytes } = CIPHERS[cipher];
  if (mode === 'cbc') {
    if (parameters.octets.length !== ivBytes) throw malformed('an initialization vector is of a wrong length');
    return { cipher, iv: parameters.octets, tagBytes: 0 };
  }
  const [nonce, length] = parameters.children;
  if (!nonce || nonce.octets.length < 1 || nonce.octets.length > 64) throw malformed('a nonce is of a wrong length');
  const tagBytes = length ? length.integer : SHORTEST_TAG;
  if (tagBytes < SHORTEST_TAG || tagBytes > 16) throw malformed('an authentication tag is of a wrong length');
  return { cipher, iv: nonce.octets, tagBytes };
}

function keyOf(opening: Opening, bytes: number): Buffer {
  try {
    return opening.contentKey(bytes);
  } catch (error) {
    throw new MessageFailure('decryption-failed', 'the key that is kept for us does not come out', { cause: error });
  }
}

function decipherOf(cipher: Cipher, key: Buffer, iv: Buffer, tagBytes: number): Decipher {
  try {
    if (cipher === 'aes-128-gcm' || cipher === 'aes-192-gcm' || cipher === 'aes-256-gcm') return createDecipheriv(cipher, key, iv, { authTagLength: tagBytes });
    return createDecipheriv(cipher, key, iv);
  } catch (error) {
    throw new MessageFailure('unsupported format', `${cipher} is not there (FIPS)`, { cause: error });
  }
}

function final(decipher: Decipher): Buffer {
  try {
    return decipher.final();
  } catch (error) {
    throw new MessageFailure('decryption-failed', 'what was encrypted does not come out whole', { cause: error });
  }
}
