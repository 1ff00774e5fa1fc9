/** Reads signed-data (RFC 5652 section 5): around its content as it comes, or small, beside it. */
import { digestOfOid } from '../algorithms';
import type { Digest } from '../types';
import { malformed, type Node, readWhole, SET } from './der';
import { DATA, SIGNED_DATA } from './oids';
import type { BerReader, Frame } from './reader';

export interface AttachedSignature {
  /** Those that signers will name, as it says. */
  readonly digests: readonly Digest[];
  readonly content: AsyncIterable<Buffer>;
  readonly contentType: string;
  /** Reads the signers, once the content was read to its end. */
  readonly signers: () => Promise<readonly Node[]>;
}

export async function readAttached(reader: BerReader, outer: Frame): Promise<AttachedSignature> {
  const frame = await reader.enter(0x30, outer);
  await reader.whole(frame);
  const algorithms = await reader.whole(frame);
  const info = await reader.enter(0x30, frame);
  const contentType = (await reader.whole(info)).oid;
  if (contentType !== DATA) throw malformed('what is signed is not plain data');
  if (!(await reader.hasMore(info))) throw malformed('there is a signature and no content');
  const explicit = await reader.enter(0xa0, info);
  return {
    digests: algorithms.children.map((one) => digestOfOid(one.child(0).oid)).filter((digest) => digest !== undefined),
    content: reader.octets(0x04, explicit),
    contentType,
    signers: async () => {
      await reader.leave(explicit);
      await reader.leave(info);
      let signers: Node | undefined;
      while (await reader.hasMore(frame)) signers = await reader.whole(frame);
      if (signers?.tag !== SET) throw malformed('there are no signers');
      return signers.children;
    },
  };
}

/** The signers of a signature that stands beside what it signs. */
export function readDetached(bytes: Buffer): { readonly signers: readonly Node[]; readonly contentType: string } {
  const info = readWhole(bytes);
  if (info.child(0).oid !== SIGNED_DATA) throw malformed('a signature is none');
  const fields = info.child(1).child(0).children;
  const signers = fields.at(-1);
  if (!fields[2] || signers?.tag !== SET || fields.length < 4) throw malformed('there are no signers');
  return { signers: signers.children, contentType: fields[2].child(0).oid };
}
