/** What the secret of AS2's keys holds, and how it goes on: the next key is there, and told to partners, from the beginning. */

/** PEM. */
export interface PairText {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The key in use stands at the top, as in a secret that somebody else writes. The server decrypts with all of them. */
export interface HeldKeys extends PairText {
  /** When the one in use began to sign. ISO 8601. Absent in a secret that somebody else writes. */
  readonly inUseSince?: string;
  /** Signs from the next change on. */
  readonly next?: PairText;
  /** Signed before the last change. */
  readonly previous?: PairText;
}

export interface Rotation {
  /** How long a key signs. Days; 0 is for ever. */
  readonly changeDays: number;
  /** How long what it was encrypted for before a change can be decrypted. Days. */
  readonly keepDays: number;
  /** Changes at once. */
  readonly now?: boolean;
}

const DAY_MS = 86_400_000;

/** When the next key begins to sign; undefined where it never does by itself. */
export function changesAt({ inUseSince }: HeldKeys, { changeDays }: Pick<Rotation, 'changeDays'>): Date | undefined {
  return inUseSince === undefined || changeDays === 0 ? undefined : new Date(Date.parse(inUseSince) + changeDays * DAY_MS);
}

/** What is to be held now; the same object where nothing changes. */
export async function goOn(held: HeldKeys | undefined, rotation: Rotation, make: () => Promise<PairText>, now = new Date()): Promise<HeldKeys> {
  if (!held) return { ...(await make()), inUseSince: now.toISOString(), next: await make() };
  if (!held.next) return { ...held, inUseSince: held.inUseSince ?? now.toISOString(), next: await make() };
  const due = changesAt(held, rotation);
  if (rotation.now || (due && due <= now)) {
    const { certificate, privateKey, next } = held;
    return { ...next, inUseSince: now.toISOString(), next: await make(), previous: { certificate, privateKey } };
  }
  if (held.previous && held.inUseSince !== undefined && now.getTime() - Date.parse(held.inUseSince) >= rotation.keepDays * DAY_MS) {
    const { previous: _, ...rest } = held;
    return rest;
  }
  return held;
}
