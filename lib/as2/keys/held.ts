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
  /** Since when partners are asked to take the next one. ISO 8601. Absent while the change is far off. */
  readonly announcedSince?: string;
  /** Signs from the next change on. */
  readonly next?: PairText;
  /** Signed before the last change. */
  readonly previous?: PairText;
}

export interface Rotation {
  /** How long a key signs. Days; 0 is for ever. */
  readonly changeDays: number;
  /** How long partners are asked to take the next one before it signs. Days. */
  readonly announceDays: number;
  /** How long what it was encrypted for before a change can be decrypted. Days. */
  readonly keepDays: number;
  /** Changes at once. */
  readonly now?: boolean;
}

const DAY_MS = 86_400_000;

/** When the next key begins to sign; undefined where it never does by itself. A time that was made shorter gives no partner less notice. */
export function changesAt({ inUseSince, announcedSince }: HeldKeys, { changeDays, announceDays }: Rotation, now = new Date()): Date | undefined {
  const due = dueAt(inUseSince, changeDays);
  if (due === undefined) return undefined;
  const announced = announcedSince === undefined ? now.getTime() : Date.parse(announcedSince);
  return new Date(Math.max(due, announced + announceDays * DAY_MS));
}

function dueAt(inUseSince: string | undefined, changeDays: number): number | undefined {
  return inUseSince === undefined || changeDays === 0 ? undefined : Date.parse(inUseSince) + changeDays * DAY_MS;
}

/** What is to be held now; the same object where nothing changes. */
export async function goOn(held: HeldKeys | undefined, rotation: Rotation, make: () => Promise<PairText>, now = new Date()): Promise<HeldKeys> {
  if (!held) return { ...(await make()), inUseSince: now.toISOString(), next: await make() };
  if (!held.next) return { ...held, inUseSince: held.inUseSince ?? now.toISOString(), next: await make() };
  const changes = changesAt(held, rotation, now);
  if (rotation.now || (changes && changes <= now)) {
    const { certificate, privateKey, next } = held;
    return { ...next, inUseSince: now.toISOString(), next: await make(), previous: { certificate, privateKey } };
  }
  const due = dueAt(held.inUseSince, rotation.changeDays);
  const isNear = due !== undefined && now.getTime() >= due - rotation.announceDays * DAY_MS;
  if (isNear && held.announcedSince === undefined) return { ...held, announcedSince: now.toISOString() };
  if (!isNear && held.announcedSince !== undefined) {
    const { announcedSince: _, ...rest } = held;
    return rest;
  }
  if (held.previous && held.inUseSince !== undefined && now.getTime() - Date.parse(held.inUseSince) >= rotation.keepDays * DAY_MS) {
    const { previous: _, ...rest } = held;
    return rest;
  }
  return held;
}
