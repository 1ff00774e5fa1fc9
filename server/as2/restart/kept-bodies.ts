/**
 * What came of messages whose connection ended, until the rest has come: raw, where every process finds it, by partner and transfer id. Whoever knows the names of a partner can have something
 * kept; so all of it is bounded, and goes when nobody comes back.
 */
import { randomBytes } from 'node:crypto';
import type { As2Config } from '../../config';
import type { Notes, Stretches } from '../../files/files';
import { keyOf as hashed } from '../records';
import { Stretched } from './stretched';

/** The stretches, a folder a body. */
const FOLDER = 'as2/kept';
/** What is known of each. */
const OPEN = 'as2/kept-open';
/** Those that were answered, by day: who never heard the answer asks again. */
const OVER = 'as2/kept-over';
/** Bodies of one partner, and of all. */
const MOST_OF_PARTNER = 16;
const MOST = 64;
/** Requests of one process that keep what they bring, each with two stretches in memory. */
const MOST_AT_ONCE = 8;
/** Of those that have no place yet, so much lies in memory altogether; of what comes beyond that nothing is kept. Bytes. */
const MOST_EARLY = 32 * 1024 * 1024;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** One that is not whole yet. */
export interface Open {
  readonly partner: string;
  /** Of the whole body. Bytes. */
  readonly total: number;
  readonly generation: string;
  /** When somebody last began to bring bytes. Milliseconds since 1970. */
  readonly at: number;
}

/** One that was taken. */
export interface Over {
  readonly total: number;
  readonly messageId: string;
}

export interface Known {
  readonly open?: Open;
  readonly over?: Over;
}

/** A transfer, by who sends and the id that the sender gave it. */
export interface TransferName {
  readonly partner: string;
  readonly id: string;
}

export class KeptBodies {
  private atOnce = 0;
  private early = 0;

  constructor(
    private readonly parts: { readonly notes: Notes; readonly stretches: Stretches },
    readonly settings: As2Config['restart'],
  ) {}

  /** A place among those that keep something at once; to be given back. Undefined where there is none. */
  takePlace(): (() => void) | undefined {
    if (this.atOnce >= MOST_AT_ONCE) return undefined;
    this.atOnce += 1;
    return () => {
      this.atOnce -= 1;
    };
  }

  /** Memory for what has come before there is a place; to be given back. False where there is none. */
  takeEarly(bytes: number): boolean {
    if (this.early + bytes > MOST_EARLY) return false;
    this.early += bytes;
    return true;
  }

  giveEarly(bytes: number): void {
    this.early -= bytes;
  }

  async find(name: TransferName): Promise<Known> {
    const key = keyOf(name);
    const [open, ...over] = await Promise.all([openOf(key), ...overOf(key)].map((note) => this.parts.notes.read(note)));
    const last = over.find((text) => text !== undefined);
    return { open: open === undefined ? undefined : (JSON.parse(open) as Open), over: last === undefined ? undefined : (JSON.parse(last) as Over) };
  }

  bodyOf(name: TransferName, { generation }: Pick<Open, 'generation'>): Stretched {
    return new Stretched(this.parts.stretches, folderOf(keyOf(name)), generation);
  }

  /** Begins to keep a body anew, whatever was kept by its name before. Undefined where there is no room for it. */
  async begin(name: TransferName, total: number, known: Known): Promise<Stretched | undefined> {
    const { notes, stretches } = this.parts;
    const key = keyOf(name);
    if (!(await this.hasRoom(name.partner, key, total))) return undefined;
    if (known.over) await this.forgetOver(key);
    if (known.open) await stretches.clear(folderOf(key));
    const open: Open = { partner: name.partner, total, generation: randomBytes(8).toString('hex'), at: Date.now() };
    await notes.replace(openOf(key), JSON.stringify(open));
    return this.bodyOf(name, open);
  }

  /** Somebody has come back for it. */
  async used(name: TransferName, open: Open): Promise<void> {
    await this.parts.notes.replace(openOf(keyOf(name)), JSON.stringify({ ...open, at: Date.now() } satisfies Open));
  }

  /** The message was taken: that stays known for a day, and its bytes go. */
  async taken(name: TransferName, over: Over): Promise<void> {
    const [today] = overOf(keyOf(name));
    await this.parts.notes.replace(today!, JSON.stringify(over));
    await this.remove(name);
  }

  async remove(name: TransferName): Promise<void> {
    await this.removeKey(keyOf(name));
  }

  /** The same, and whether it was taken is not known any more either. */
  async forget(name: TransferName): Promise<void> {
    await this.forgetOver(keyOf(name));
    await this.remove(name);
  }

  /** Removes what nobody came back for. */
  async sweep(now = Date.now()): Promise<void> {
    const { notes, stretches } = this.parts;
    const before = now - this.settings.keepHours * HOUR_MS;
    const used = new Map<string, number>();
    for (const { name, modified } of await stretches.list(FOLDER)) {
      const [key = ''] = name.split('/');
      used.set(key, Math.max(used.get(key) ?? 0, modified.getTime()));
    }
    for (const [key, { at }] of await this.allOpen()) used.set(key, Math.max(used.get(key) ?? 0, at));
    for (const [key, at] of used) if (at < before) await this.removeKey(key);
    const yesterday = dayOf(now - DAY_MS);
    for (const name of await notes.list(OVER)) if (name.slice(0, yesterday.length) < yesterday) await notes.remove(`${OVER}/${name}`);
  }

  private async forgetOver(key: string): Promise<void> {
    for (const note of overOf(key)) await this.parts.notes.remove(note);
  }

  private async removeKey(key: string): Promise<void> {
    await this.parts.stretches.clear(folderOf(key));
    await this.parts.notes.remove(openOf(key));
  }

  private async hasRoom(partner: string, key: string, total: number): Promise<boolean> {
    const others = (await this.allOpen()).filter(([one]) => one !== key).map(([, open]) => open);
    if (others.length >= MOST || others.filter((one) => one.partner === partner).length >= MOST_OF_PARTNER) return false;
    if (others.reduce((sum, one) => sum + one.total, total) > this.settings.keptBytes) return false;
    const room = await this.parts.stretches.room();
    // As much again for the payload.
    return room === undefined || room >= 2 * total;
  }

  private async allOpen(): Promise<(readonly [key: string, open: Open])[]> {
    const names = await this.parts.notes.list(OPEN);
    const all = await Promise.all(
      names.map(async (name) => {
        const text = await this.parts.notes.read(`${OPEN}/${name}`);
        return text === undefined ? [] : [[name.replace(/\.json$/, ''), JSON.parse(text) as Open] as const];
      }),
    );
    return all.flat();
  }
}

/** What a stranger says never becomes a name. */
const keyOf = ({ partner, id }: TransferName) => hashed('kept', partner, id);

const folderOf = (key: string) => `${FOLDER}/${key}`;
const openOf = (key: string) => `${OPEN}/${key}.json`;
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

/** Today's and yesterday's. */
function overOf(key: string): string[] {
  const now = Date.now();
  return [now, now - DAY_MS].map((at) => `${OVER}/${dayOf(at)}/${key}.json`);
}
